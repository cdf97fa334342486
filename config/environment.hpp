#pragma once
/// Variables: the process's own, and those of a `.env` file under them.

#include "config/complaint.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ci::config {

using Environment = std::map<std::string, std::string>;

/// Reads a `.env` file: `KEY=value` lines, `export` before them allowed, empty lines and `#` comments, LF or
/// CRLF. A value stands bare (blanks around it are dropped; a `#` at its beginning or after a blank begins a
/// comment), in single quotes (byte for byte), or in double quotes (`\n`, `\r`, `\t`, `\"`, `\\`, `\$` are
/// escapes). Quoted values end on their line. Nothing is expanded. A later line wins over an earlier one.
/// Lines that can't be read are complained of, without the value.
Environment parse_env_file(std::string_view text, const std::string& file_name,
                           std::vector<Complaint>& complaints);

/// Variables in the form of `main`'s third argument or `environ`.
Environment process_environment(const char* const* entries);

/// What both say, where they differ the process's own: an operator who sets a variable means it.
Environment merge(Environment process, const Environment& file);

} // namespace ci::config
