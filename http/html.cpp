#include "http/html.hpp"

#include "actors/domain/names.hpp"
#include "http/time_text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace ci::http {

namespace {

std::string number(double value) {
  std::array<char, 32> text{};
  return {text.data(), static_cast<std::size_t>(std::snprintf(text.data(), text.size(), "%.6g", value))};
}

} // namespace

std::string escape_html(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (const char c : text)
    switch (c) {
    case '&':
      result += "&amp;";
      break;
    case '<':
      result += "&lt;";
      break;
    case '>':
      result += "&gt;";
      break;
    case '"':
      result += "&quot;";
      break;
    case '\'':
      result += "&#39;";
      break;
    default:
      result += c;
    }
  return result;
}

std::string time_element(domain::Time time, TimeKind kind) {
  const auto* word = kind == TimeKind::age ? "age" : kind == TimeKind::ago ? "ago" : "until";
  return "<time datetime=\"" + domain::rfc3339(time) + "\" data-kind=\"" + word + "\">" +
         readable_time(time) + "</time>";
}

std::string chip(const char* dot, const std::string& html) {
  return std::string("<span class=\"chip\"><span class=\"dot ") + dot + "\"></span>" + html + "</span>";
}

std::string status_mark(const char* dot, const std::string& html) {
  return std::string("<span class=\"status\"><span class=\"dot ") + dot + "\"></span>" + html + "</span>";
}

std::string bar(const std::vector<BarPart>& parts, double total) {
  std::string text =
      "<svg class=\"bar\" viewBox=\"0 0 100 1\" preserveAspectRatio=\"none\" aria-hidden=\"true\">";
  double begin = 0;
  for (const auto& part : parts) {
    const auto width = total > 0 ? std::min(100 * part.size / total, 100 - begin) : 0;
    if (width <= 0)
      continue;
    text += std::string("<rect class=\"") + part.style + "\" x=\"" + number(begin) + "\" width=\"" +
            number(width) + "\" height=\"1\"/>";
    begin += width;
  }
  return text + "</svg>";
}

const char* word_of(domain::Status status) {
  using domain::Status;
  switch (status) {
  case Status::StartedOrCrashed:
    return "Starting";
  case Status::DoneOrUnregistered:
    return "Done";
  case Status::Invalid:
    return "Invalid";
  case Status::Busy:
    return "Busy";
  case Status::Reserved:
    return "Reserved";
  case Status::Idle:
    return "Idle";
  }
  return "?";
}

const char* reservation_dot(std::string_view state) {
  if (state == "started")
    return "Busy";
  if (state == "reserved")
    return "Reserved";
  return state == "expired" ? "bad" : state == "deciding" ? "warn" : "ended";
}

std::string readable_key(std::string_view key) {
  std::string text(key);
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}

std::string readable_size(std::int64_t bytes) {
  constexpr const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < std::size(units); ++unit)
    value /= 1024;
  std::array<char, 32> text{};
  const int size = std::snprintf(text.data(), text.size(), value < 10 && unit > 0 ? "%.1f %s" : "%.0f %s",
                                 value, units[unit]);
  return {text.data(), static_cast<std::size_t>(size)};
}

} // namespace ci::http
