#pragma once
/// The answer of /readyz. Pure.

#include "actors/domain/snapshot.hpp"
#include "http/response.hpp"

#include <optional>

namespace ci::http {

/// 200 where a crank has ended not longer ago than \p limit and the service is not stopping, else 503; the
/// body says in either case how each party is doing. \p crank_age: none before the first crank. \p snapshot
/// may be null.
Response readiness(const domain::Snapshot* snapshot,
                   std::optional<std::chrono::steady_clock::duration> crank_age, domain::Duration limit,
                   const std::string& instance);

/// Whether the monitor is stuck, so that the service is to be started anew: it has ended a crank, but none for a
/// minute, nor for \p ready_within, which is readiness()'s limit: an idle monitor may sleep for a poll interval.
/// \p crank_age: as there.
bool is_stuck(std::optional<std::chrono::steady_clock::duration> crank_age, domain::Duration ready_within);

} // namespace ci::http
