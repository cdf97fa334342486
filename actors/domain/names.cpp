#include "actors/domain/names.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace ci::domain {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alnum(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

std::optional<std::string_view> after_prefix(std::string_view prefix, std::string_view name) {
  if (name.size() <= prefix.size() + 1 || !name.starts_with(prefix) || name[prefix.size()] != '-')
    return std::nullopt;
  return name.substr(prefix.size() + 1);
}

std::optional<ImageName> parse_image(std::string_view prefix, std::string_view guest) {
  auto rest = after_prefix(prefix, guest);
  if (!rest)
    return std::nullopt;
  auto at = rest->rfind('@');
  if (at == std::string_view::npos || at == 0 || !snapshot_time(rest->substr(at + 1)))
    return std::nullopt;
  return ImageName{std::string(rest->substr(0, at)), std::string(rest->substr(at + 1))};
}

std::optional<RunnerId> parse_id(std::string_view text) {
  RunnerId id = 0;
  if (text.empty() || text[0] == '0' || !std::all_of(text.begin(), text.end(), is_digit))
    return std::nullopt;
  if (std::from_chars(text.data(), text.data() + text.size(), id).ec != std::errc{} || id > (RunnerId{1} << 62))
    return std::nullopt;
  return id;
}

/// A fixed number of digits at a place within the text; -1 where there is something else.
int digits(std::string_view text, std::size_t at, std::size_t count) {
  int value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (!is_digit(text[i]))
      return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

} // namespace

std::string runner_guest_name(const Prefixes& prefixes, std::string_view profile, RunnerId id) {
  return prefixes.runner_guest + "-" + std::string(profile) + "." + std::to_string(id);
}

std::optional<RunnerName> parse_runner_guest(const Prefixes& prefixes, std::string_view guest) {
  auto rest = after_prefix(prefixes.runner_guest, guest);
  if (!rest)
    return std::nullopt;
  auto dot = rest->rfind('.');
  if (dot == std::string_view::npos || dot == 0)
    return std::nullopt;
  auto id = parse_id(rest->substr(dot + 1));
  if (!id)
    return std::nullopt;
  return RunnerName{std::string(rest->substr(0, dot)), *id};
}

std::optional<ImageName> parse_template_guest(const Prefixes& prefixes, std::string_view guest) {
  return parse_image(prefixes.template_guest, guest);
}

std::optional<ImageName> parse_rebuild_guest(const Prefixes& prefixes, std::string_view guest) {
  return parse_image(prefixes.rebuild_guest, guest);
}

std::string template_guest_name(const Prefixes& prefixes, std::string_view profile,
                                std::string_view snapshot) {
  return prefixes.template_guest + "-" + std::string(profile) + "@" + std::string(snapshot);
}

std::string rebuild_guest_name(const Prefixes& prefixes, std::string_view profile,
                               std::string_view snapshot) {
  return prefixes.rebuild_guest + "-" + std::string(profile) + "@" + std::string(snapshot);
}

std::string registration_name(const Prefixes& prefixes, std::string_view runner_guest) {
  return std::string(runner_guest) + "@" + prefixes.registration_suffix;
}

std::optional<RunnerName> parse_registration(const Prefixes& prefixes, std::string_view registration) {
  auto suffix = "@" + prefixes.registration_suffix;
  if (registration.size() <= suffix.size() || !registration.ends_with(suffix))
    return std::nullopt;
  return parse_runner_guest(prefixes, registration.substr(0, registration.size() - suffix.size()));
}

std::optional<Time> snapshot_time(std::string_view s) {
  using namespace std::chrono;
  // 2026-01-02T03:04:05[.fraction]Z
  if (s.size() < 20 || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' || s.back() != 'Z')
    return std::nullopt;
  int y = digits(s, 0, 4), mo = digits(s, 5, 2), d = digits(s, 8, 2);
  int h = digits(s, 11, 2), mi = digits(s, 14, 2), sec = digits(s, 17, 2);
  if (y < 0 || mo < 0 || d < 0 || h < 0 || h > 23 || mi < 0 || mi > 59 || sec < 0 || sec > 60)
    return std::nullopt;
  auto fraction = s.substr(19, s.size() - 20);
  if (!fraction.empty() && (fraction[0] != '.' || fraction.size() < 2 ||
                            !std::all_of(fraction.begin() + 1, fraction.end(), is_digit)))
    return std::nullopt;
  year_month_day day{year{y}, month{static_cast<unsigned>(mo)}, std::chrono::day{static_cast<unsigned>(d)}};
  if (!day.ok())
    return std::nullopt;
  return Time(sys_days(day)) + hours(h) + minutes(mi) + seconds(sec);
}

std::string rfc3339(Time t) {
  using namespace std::chrono;
  auto day = floor<days>(t);
  year_month_day date{day};
  hh_mm_ss clock{floor<seconds>(t - day)};
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text;
}

std::string rfc3339_milliseconds(Time t) {
  char fraction[16];
  std::snprintf(fraction, sizeof fraction, ".%03dZ",
                static_cast<int>((t - std::chrono::floor<std::chrono::seconds>(t)).count()));
  auto text = rfc3339(t);
  text.pop_back();
  return text + fraction;
}

std::string snapshot_name(Time t) {
  auto name = rfc3339_milliseconds(t);
  name.pop_back();
  return name + "000000Z";
}

std::vector<std::string> reservation_labels(const TakeRequest& request, Time since) {
  auto seconds = std::chrono::floor<std::chrono::seconds>(since.time_since_epoch()).count();
  return {std::string(reserved_for) + request.unique_id_spelt, std::string(reserved_since) + std::to_string(seconds),
          std::string(reserved_by) + request.qualified_repo + "/actions/runs/" + std::to_string(request.run_id)};
}

std::vector<std::string> usual_labels(const Profile& profile) {
  return {"self-hosted", "X64", profile.github_runner_label};
}

std::string exclusive_label(std::uint64_t high, std::uint64_t low) {
  char digits[33];
  std::snprintf(digits, sizeof digits, "%016llx%016llx", static_cast<unsigned long long>(high),
                static_cast<unsigned long long>(low));
  return std::string(exclusive) + digits;
}

bool is_exclusive_label(std::string_view label) {
  return label.size() == exclusive.size() + 32 && to_lower(label).starts_with(exclusive) &&
         std::all_of(label.begin() + exclusive.size(), label.end(), is_hex);
}

std::string to_lower(std::string_view text) {
  std::string result(text);
  for (auto& c : result)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  return result;
}

bool same_label(std::string_view a, std::string_view b) { return to_lower(a) == to_lower(b); }

bool has_label(const std::vector<std::string>& labels, std::string_view label) {
  return std::any_of(labels.begin(), labels.end(), [&](auto& l) { return same_label(l, label); });
}

bool is_reservation_label(std::string_view label) {
  const auto lower = to_lower(label);
  return lower.starts_with(reserved_for) || lower.starts_with(reserved_since) || lower.starts_with(reserved_by);
}

bool has_reservation_label(const std::vector<std::string>& labels) {
  return std::any_of(labels.begin(), labels.end(), [](auto& l) { return to_lower(l).starts_with(reserved_for); });
}

bool is_uuid_v4(std::string_view s) {
  if (s.size() != 36)
    return false;
  for (std::size_t i = 0; i < s.size(); ++i) {
    bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? s[i] != '-' : !is_hex(s[i]))
      return false;
  }
  auto variant = to_lower(s.substr(19, 1))[0];
  return s[14] == '4' && (variant == '8' || variant == '9' || variant == 'a' || variant == 'b');
}

bool is_qualified_repo(std::string_view s) {
  auto slash = s.find('/');
  if (slash == std::string_view::npos)
    return false;
  auto owner = s.substr(0, slash), repo = s.substr(slash + 1);
  if (owner.empty() || owner.size() > 39 || owner.front() == '-' || owner.back() == '-' ||
      owner.find("--") != std::string_view::npos)
    return false;
  if (!std::all_of(owner.begin(), owner.end(), [](char c) { return is_alnum(c) || c == '-'; }))
    return false;
  if (repo.empty() || repo.size() > 100 || repo == "." || repo == "..")
    return false;
  return std::all_of(repo.begin(), repo.end(),
                     [](char c) { return is_alnum(c) || c == '.' || c == '_' || c == '-'; });
}

} // namespace ci::domain
