#include "http/parameters.hpp"

#include "actors/domain/names.hpp"
#include "http/digest.hpp"
#include "http/limiter.hpp"

#include <charconv>
#include <set>

namespace ci::http {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// A whole number from 1 to \p most, or noted.
int read_number(ParameterReader& reader, const char* name, const std::string& text, int most) {
  const auto number = parse_positive(text);
  if (number && *number <= most)
    return static_cast<int>(*number);
  reader.note(name, "must be a whole number from 1 to " + std::to_string(most));
  return 1;
}

/// For whom: `unique_id`, `qualified_repo` and `run_id`.
template <class Asked>
void read_job(ParameterReader& reader, Asked& asked) {
  if (const auto id = reader.required("unique_id")) {
    asked.unique_id_spelt = *id;
    asked.unique_id = domain::to_lower(*id);
    if (!domain::is_uuid_v4(*id))
      reader.note("unique_id", "must be a UUID of version 4");
  }
  if (const auto repo = reader.required("qualified_repo")) {
    asked.qualified_repo = *repo;
    if (!domain::is_qualified_repo(*repo))
      reader.note("qualified_repo", "must be <owner>/<repo> by GitHub's rules");
  }
  if (const auto run = reader.required("run_id")) {
    const auto number = parse_positive(*run);
    asked.run_id = number.value_or(0);
    if (!number)
      reader.note("run_id", "must be a positive decimal integer below 2^63");
  }
}

} // namespace

std::optional<std::int64_t> parse_positive(std::string_view text) {
  std::int64_t number = 0;
  if (text.empty() || !is_digit(text.front()) || text.front() == '0')
    return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return number;
}

std::optional<std::string> ParameterReader::required(const std::string& name) {
  const auto before = errors_.size();
  auto value = optional(name);
  if (!value && errors_.size() == before)
    note(name, "is missing");
  return value;
}

std::optional<std::string> ParameterReader::optional(const std::string& name) {
  const QueryParameter* found = nullptr;
  for (const auto& parameter : request_.target.query) {
    if (parameter.name != name)
      continue;
    if (found) {
      note(name, "is given more than once");
      return std::nullopt;
    }
    found = &parameter;
  }
  if (!found)
    return std::nullopt;
  if (!found->well_formed) {
    note(name, "is not well-formed percent-encoded UTF-8");
    return std::nullopt;
  }
  return found->value;
}

void ParameterReader::note(std::string parameter, std::string reason) {
  errors_.push_back({std::move(parameter), std::move(reason)});
}

domain::TakeRequest read_take(ParameterReader& reader, std::string profile, const std::string* count,
                              int max_take_count) {
  domain::TakeRequest take;
  take.profile = std::move(profile);
  read_job(reader, take);
  if (count)
    take.count = read_number(reader, "count", *count, max_take_count);
  take.minimum = take.count;
  if (const auto minimum = reader.optional("minimum"))
    take.minimum = read_number(reader, "minimum", *minimum, take.count);
  return take;
}

domain::ProfileNumbers read_override(ParameterReader& reader, const Request& request) {
  constexpr int most = 10'000;
  constexpr std::size_t most_counts = 256;
  domain::ProfileNumbers counts;
  if (request.target.query.size() > most_counts) {
    reader.note("<profile_key>", "is given more than " + std::to_string(most_counts) + " times");
    return counts;
  }
  std::set<std::string> seen;
  for (const auto& parameter : request.target.query) {
    if (!seen.insert(parameter.name).second)
      continue; // one note for all of its repetitions
    const auto text = reader.required(parameter.name);
    if (!text)
      continue;
    const auto number = *text == "0" ? std::optional<std::int64_t>(0) : parse_positive(*text);
    if (number && *number <= most)
      counts[parameter.name] = static_cast<int>(*number);
    else
      reader.note(parameter.name, "must be a whole number from 0 to " + std::to_string(most));
  }
  if (seen.empty())
    reader.note("<profile_key>", "is missing: give at least one count of runners by profile");
  return counts;
}

domain::SelectRequest read_select(ParameterReader& reader, const Request& request) {
  domain::SelectRequest select;
  read_job(reader, select);
  select.source = counted_as(request.source);
  const auto keys = values_of(request.headers, "X-Reservation-Key");
  if (keys.size() > 1)
    reader.note("X-Reservation-Key", "is given more than once");
  else if (!keys.empty())
    select.key_sha256 = hex(sha256(keys.front()));
  return select;
}

std::string read_unique_id(ParameterReader& reader, const Request& request) {
  const auto& id = request.path_parameter("unique_id");
  if (!domain::is_uuid_v4(id))
    reader.note("unique_id", "must be a UUID of version 4");
  return domain::to_lower(id);
}

} // namespace ci::http
