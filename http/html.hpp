#pragma once
/// Small pieces of HTML. All of them return text that is safe to stand in the page; texts they are given as
/// HTML must be.

#include "actors/domain/runner.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace ci::http {

/// Text as it may stand in an element or in a quoted attribute.
std::string escape_html(std::string_view);

/// How the page's script words a time; without it, the time itself is shown.
enum class TimeKind {
  age,   ///< "3 min"
  ago,   ///< "3 min ago"
  until, ///< "in 3 min"
};
std::string time_element(domain::Time, TimeKind);

/// A rounded label with a dot. \p dot: a class of page_assets.cpp; \p html: its text.
std::string chip(const char* dot, const std::string& html);
/// A dot with a text.
std::string status_mark(const char* dot, const std::string& html);

struct BarPart {
  const char* style; ///< a class of page_assets.cpp
  double size;
};
/// A horizontal bar of coloured parts, as wide as \p total.
std::string bar(const std::vector<BarPart>&, double total);

/// The status in words for people.
const char* word_of(domain::Status);
/// The dot of a reservation's state.
const char* reservation_dot(std::string_view state);
/// `not_busy_since` to "not busy since".
std::string readable_key(std::string_view);
/// 17179869184 to "16 GiB"; at most one digit after the point.
std::string readable_size(std::int64_t bytes);

} // namespace ci::http
