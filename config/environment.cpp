#include "config/environment.hpp"

#include <algorithm>

namespace ci::config {

namespace {

constexpr std::string_view blanks = " \t";

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

bool is_variable_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_'; };
  return !name.empty() && letter(name.front()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

/// Whether nothing but a comment follows a closing quote.
bool only_comment(std::string_view rest) {
  rest = trimmed(rest);
  return rest.empty() || rest.front() == '#';
}

/// A value, or what was expected of it.
struct Value {
  std::string text;
  std::string error;
};

Value single_quoted(std::string_view raw) {
  const auto end = raw.find('\'', 1);
  if (end == std::string_view::npos)
    return {{}, "a closing ' on the same line"};
  if (!only_comment(raw.substr(end + 1)))
    return {{}, "nothing but a comment after the closing '"};
  return {std::string{raw.substr(1, end - 1)}, {}};
}

Value double_quoted(std::string_view raw) {
  std::string text;
  for (std::size_t i = 1; i < raw.size(); ++i) {
    if (raw[i] == '"') {
      if (!only_comment(raw.substr(i + 1)))
        return {{}, "nothing but a comment after the closing \""};
      return {text, {}};
    }
    if (raw[i] != '\\') {
      text += raw[i];
      continue;
    }
    constexpr std::string_view written = "nrt\"\\$", meant = "\n\r\t\"\\$";
    const auto at = ++i < raw.size() ? written.find(raw[i]) : std::string_view::npos;
    if (at == std::string_view::npos)
      return {{}, R"(after \ one of n r t " \ $ (or single quotes around the value))"};
    text += meant[at];
  }
  return {{}, "a closing \" on the same line"};
}

Value bare(std::string_view raw) {
  for (std::size_t i = 0; i < raw.size(); ++i)
    if (raw[i] == '#' && (i == 0 || blanks.find(raw[i - 1]) != std::string_view::npos))
      raw = raw.substr(0, i);
  return {std::string{trimmed(raw)}, {}};
}

Value parse_value(std::string_view raw) {
  const auto text = trimmed(raw);
  if (!text.empty() && text.front() == '\'')
    return single_quoted(text);
  if (!text.empty() && text.front() == '"')
    return double_quoted(text);
  return bare(text);
}

} // namespace

Environment parse_env_file(std::string_view text, const std::string& file_name,
                           std::vector<Complaint>& complaints) {
  Environment result;
  if (text.substr(0, 3) == "\xef\xbb\xbf")
    text.remove_prefix(3);
  for (int line_number = 1; !text.empty(); ++line_number) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.empty() && line.back() == '\r')
      line.remove_suffix(1);
    line = trimmed(line);
    if (line.empty() || line.front() == '#')
      continue;
    constexpr std::string_view word = "export";
    if (line.substr(0, word.size()) == word && line.size() > word.size() &&
        blanks.find(line[word.size()]) != std::string_view::npos)
      line = trimmed(line.substr(word.size()));
    const auto equals = line.find('=');
    const auto name = trimmed(line.substr(0, equals));
    if (equals == std::string_view::npos || !is_variable_name(name)) {
      complaints.push_back({file_name, line_number, "", "expected KEY=value"});
      continue;
    }
    auto value = parse_value(line.substr(equals + 1));
    if (!value.error.empty())
      complaints.push_back({file_name, line_number, std::string{name}, "expected " + value.error});
    else
      result[std::string{name}] = std::move(value.text);
  }
  return result;
}

Environment process_environment(const char* const* entries) {
  Environment result;
  for (; entries && *entries; ++entries) {
    const std::string_view entry{*entries};
    // Of a name that stands twice, getenv() finds the first.
    if (const auto equals = entry.find('='); equals != std::string_view::npos)
      result.emplace(entry.substr(0, equals), entry.substr(equals + 1));
  }
  return result;
}

Environment merge(Environment process, const Environment& file) {
  process.insert(file.begin(), file.end());
  return process;
}

} // namespace ci::config
