#pragma once
/// Style and script of the dashboard page; they stand in the page itself.

namespace ci::http {

extern const char* const page_style;
extern const char* const page_script;

} // namespace ci::http
