/// Adoption: reservations that labels at GitHub tell of.
#include "actors/domain/adoption.hpp"
#include "actors/domain/names.hpp"

#include <algorithm>
#include <charconv>

namespace ci::domain {
namespace {

/// What follows the prefix; none where there is no such label.
std::optional<std::string> label_value(const std::vector<std::string>& labels, std::string_view prefix) {
  for (auto& label : labels)
    if (to_lower(label).starts_with(prefix))
      return label.substr(prefix.size());
  return std::nullopt;
}

template <class Number>
std::optional<Number> whole_number(std::string_view text) {
  Number value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && value > 0 ? std::optional(value)
                                                                               : std::nullopt;
}

} // namespace

std::optional<ReservationRecord> reservation_in(const std::vector<std::string>& labels,
                                                const std::string& profile, Time now,
                                                Duration reserve_timeout) {
  constexpr std::string_view runs = "/actions/runs/";
  auto unique_id = label_value(labels, reserved_for);
  auto by = label_value(labels, reserved_by).value_or("");
  auto at = by.find(runs);
  if (!unique_id || !is_uuid_v4(*unique_id) || at == std::string::npos)
    return std::nullopt;
  auto run = whole_number<RunId>(std::string_view(by).substr(at + runs.size()));
  if (!run || !is_qualified_repo(by.substr(0, at)))
    return std::nullopt;
  ReservationRecord rec;
  rec.request.profile = profile;
  rec.request.unique_id = to_lower(*unique_id);
  rec.request.unique_id_spelt = *unique_id;
  rec.request.qualified_repo = by.substr(0, at);
  rec.request.run_id = *run;
  rec.phase = ReservationPhase::granted;
  constexpr std::int64_t latest = 99'999'999'999; // some three thousand years
  auto since = whole_number<std::int64_t>(label_value(labels, reserved_since).value_or(""));
  rec.created_at = since && *since < latest ? Time(std::chrono::seconds(*since)) : now;
  rec.granted_at = std::min(rec.created_at, now); // the older monitor's clock may have been ahead
  rec.deadline = *rec.granted_at + reserve_timeout;
  return rec;
}

} // namespace ci::domain
