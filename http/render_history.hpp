#pragma once
/// The history and what it says of the pools' use, as JSON texts. Pure.

#include "actors/domain/history.hpp"
#include "actors/domain/usage.hpp"

#include <string>

namespace ci::http {

/// `GET /history.json`.
std::string history_json(const domain::HistoryPage&);
/// `GET /usage.json`.
std::string usage_json(const domain::UsageReport&);

} // namespace ci::http
