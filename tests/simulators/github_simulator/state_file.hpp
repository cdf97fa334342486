#pragma once
/// Files that are there whole or not at all.

#include <nlohmann/json.hpp>

#include <optional>
#include <string>

namespace ci::github_simulator {

/// Throws std::runtime_error where it cannot be written.
void write_atomically(const std::string& path, const std::string& content);

/// Nothing where there is no file. Throws where it cannot be read or is no JSON.
std::optional<nlohmann::json> read_json(const std::string& path);

} // namespace ci::github_simulator
