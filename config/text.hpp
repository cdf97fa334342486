#pragma once
/// What a text must look like to be used as a name, an address or a label.

#include "config/settings.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace ci::config {

/// No control characters: such a text can stand on one line of a log, a header or a label.
bool is_plain(std::string_view text);
/// Part of a libvirt guest's name, a file's name and a URL: `[A-Za-z0-9._-]`, beginning with a letter or
/// digit.
bool is_name(std::string_view text);
/// `<owner>/`, or `<owner>/` and the beginning of a repository's name.
bool is_repo_prefix(std::string_view text);
/// `http://` or `https://`, a host, no user, query, fragment or blanks.
bool is_http_url(std::string_view text);
/// A label that GitHub takes and that can't be taken for one of a reservation's.
bool is_runner_label(std::string_view text);
/// A path below a folder: relative, without `.` and `..` parts.
bool is_inner_path(std::string_view text);

/// `/repos/<owner>/<repository>` or `/orgs/<owner>`.
std::optional<GithubScope> parse_scope(std::string_view text);
/// `HH:MM-HH:MM`; begin and end differ.
std::optional<domain::DailyWindow> parse_window(std::string_view text);
std::string to_string(const domain::DailyWindow&);

/// A basic TOML string, quotes included.
std::string toml_string(std::string_view text);

} // namespace ci::config
