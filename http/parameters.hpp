#pragma once
/// The parameters of requests: their rules, and a reader that finds everything wrong at once. Pure.

#include "actors/domain/history.hpp"
#include "actors/domain/override.hpp"
#include "actors/domain/reservation.hpp"
#include "actors/domain/selection.hpp"
#include "actors/domain/usage.hpp"
#include "http/problem.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ci::http {

/// Decimal digits without a leading zero, 1 to 2^63 - 1: a number has one spelling.
std::optional<std::int64_t> parse_positive(std::string_view);

/// Takes known parameters out of a request's query and notes what is wrong with them.
class ParameterReader {
 public:
  explicit ParameterReader(const Request& request) : request_(request) {}

  /// Noted as missing, repeated or malformed where it does not stand there exactly once.
  std::optional<std::string> required(const std::string& name);
  /// None without a note where it is missing.
  std::optional<std::string> optional(const std::string& name);
  void note(std::string parameter, std::string reason);
  const std::vector<ParameterError>& errors() const { return errors_; }

 private:
  const Request& request_;
  std::vector<ParameterError> errors_;
};

/// Reads what POST /profile/{key}/take and .../{count} ask, and notes everything wrong. \p count: as it
/// stands in the path; null for a take of one. The result is to be used only where nothing was noted.
domain::TakeRequest read_take(ParameterReader&, std::string profile, const std::string* count,
                              int max_take_count);

/// The counts of runners by profile that an override asks for, `<profile_key>=<count>` each, 0 to 10,000. Every
/// parameter is one: noted where there is none, and each that is repeated or malformed. More than 256 are one note,
/// and none of them is read.
domain::ProfileNumbers read_override(ParameterReader&, const Request&);

/// Reads what POST /select-runner asks, as read_take() does. Of `X-Reservation-Key` the digest alone is kept.
domain::SelectRequest read_select(ParameterReader&, const Request&);

/// Which lines of the history GET /history.json asks for.
domain::HistoryQuery read_history(ParameterReader&);
/// The span of time that GET /usage.json asks for; it never ends after \p now, and is the last 24 hours where nothing
/// is said.
domain::UsageWindow read_window(ParameterReader&, domain::Time now);

/// The `{unique_id}` of a path in lower case; noted where it is none.
std::string read_unique_id(ParameterReader&, const Request&);

} // namespace ci::http
