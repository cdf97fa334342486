#include "config/text.hpp"

#include "actors/domain/names.hpp"
#include "actors/domain/visible_ascii.hpp"

#include <algorithm>
#include <array>

namespace ci::config {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alnum(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_name_char(char c) { return is_alnum(c) || c == '.' || c == '_' || c == '-'; }

template <class Test>
bool all(std::string_view text, Test test) {
  return std::all_of(text.begin(), text.end(), test);
}

/// By GitHub's rules for users and organizations.
bool is_owner(std::string_view text) {
  return text.find('/') == text.npos && domain::is_qualified_repo(std::string{text} + "/r");
}

/// Minutes after midnight, or -1.
int parse_minute(std::string_view text) {
  if (text.size() != 5 || text[2] != ':' || !is_digit(text[0]) || !is_digit(text[1]) || !is_digit(text[3]) ||
      !is_digit(text[4]))
    return -1;
  const int hour = (text[0] - '0') * 10 + (text[1] - '0');
  const int minute = (text[3] - '0') * 10 + (text[4] - '0');
  return hour < 24 && minute < 60 ? hour * 60 + minute : -1;
}

std::string minute_text(int minute_of_day) {
  const auto two = [](int n) { return std::string(n < 10 ? "0" : "") + std::to_string(n); };
  return two(minute_of_day / 60) + ':' + two(minute_of_day % 60);
}

} // namespace

bool is_plain(std::string_view text) {
  return all(text, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
}

bool is_name(std::string_view text) {
  return !text.empty() && is_alnum(text.front()) && all(text, is_name_char);
}

bool is_repo_prefix(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == text.npos)
    return false;
  const auto rest = text.substr(slash + 1);
  return is_owner(text.substr(0, slash)) && rest.size() <= 100 && all(rest, is_name_char);
}

bool is_http_url(std::string_view text) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (text.substr(0, scheme.size()) != scheme)
      continue;
    const auto rest = text.substr(scheme.size());
    const auto host = rest.substr(0, rest.find('/'));
    return !host.empty() && host.front() != ':' && host.find('@') == host.npos && all(rest, [](char c) {
      return domain::is_visible_ascii(c) && std::string_view{"?#\"<>\\^`{|}"}.find(c) == std::string_view::npos;
    });
  }
  return false;
}

bool is_runner_label(std::string_view text) {
  constexpr std::array<std::string_view, 3> reserved{"reserved-for:", "reserved-since:", "reserved-by:"};
  return !text.empty() && text.size() <= 256 && is_plain(text) && text.find(',') == text.npos &&
         text.front() != ' ' && text.back() != ' ' &&
         std::none_of(reserved.begin(), reserved.end(), [&](std::string_view prefix) {
           return domain::to_lower(text.substr(0, prefix.size())) == prefix;
         });
}

bool is_inner_path(std::string_view text) {
  if (text.empty() || !is_plain(text))
    return false;
  for (;;) {
    const auto slash = text.find('/');
    const auto part = text.substr(0, slash);
    if (part.empty() || part == "." || part == "..")
      return false;
    if (slash == text.npos)
      return true;
    text.remove_prefix(slash + 1);
  }
}

std::optional<GithubScope> parse_scope(std::string_view text) {
  constexpr std::string_view organization = "/orgs/", repository = "/repos/";
  if (text.substr(0, organization.size()) == organization) {
    text.remove_prefix(organization.size());
    return is_owner(text) ? std::optional{GithubScope{std::string{text}, std::nullopt}} : std::nullopt;
  }
  if (text.substr(0, repository.size()) != repository)
    return std::nullopt;
  text.remove_prefix(repository.size());
  if (!domain::is_qualified_repo(text))
    return std::nullopt;
  const auto slash = text.find('/');
  return GithubScope{std::string{text.substr(0, slash)}, std::string{text.substr(slash + 1)}};
}

std::optional<domain::DailyWindow> parse_window(std::string_view text) {
  if (text.size() != 11 || text[5] != '-')
    return std::nullopt;
  const domain::DailyWindow window{parse_minute(text.substr(0, 5)), parse_minute(text.substr(6))};
  if (window.begin < 0 || window.end < 0 || window.begin == window.end)
    return std::nullopt;
  return window;
}

std::string to_string(const domain::DailyWindow& window) {
  return minute_text(window.begin) + '-' + minute_text(window.end);
}

std::string toml_string(std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      (result += '\\') += c;
    else if (c == '\n')
      result += "\\n";
    else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      ((result += "\\u00") += hex[static_cast<unsigned char>(c) >> 4]) += hex[c & 15];
    else
      result += c;
  }
  return result + '"';
}

} // namespace ci::config
