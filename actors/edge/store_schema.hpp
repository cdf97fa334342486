#pragma once
/// The store's file: how it begins, how older ones are brought up to date, and which ones are refused.

#include "actors/domain/types.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>
#include <memory>
#include <span>

namespace ci::edge::schema {

/// The n-th leads from version n to n + 1 of the file's format, as one transaction with the version's number.
using Migrations = std::span<const char* const>;
/// Those of this program; their number is the `user_version` of a store that it writes.
Migrations released();

/// Whether there is a store in the data folder. Throws StoreError where there are only the remains of one.
bool exists(const std::filesystem::path& data);

/// Makes an empty store: complete, or not at all. Ids begin at `next_id`. Throws StoreError.
void create(const std::filesystem::path& data, domain::RunnerId next_id);

/// Opens the store in the data folder and brings it up to date. A store that is damaged, not ours or written
/// by a newer program is refused with a StoreError, and stays byte for byte as it is.
std::unique_ptr<SQLite::Database> open(const std::filesystem::path& data, Migrations migrations = released());

} // namespace ci::edge::schema
