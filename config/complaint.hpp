#pragma once
/// What is wrong with a setting, for the person who wrote it.

#include <string>
#include <vector>

namespace ci::config {

struct Complaint {
  /// The file as it was named; "environment" for variables.
  std::string file;
  /// 1 for the first line; 0 where it can't be said (something is missing).
  int line = 0;
  /// The full name, e.g. `profiles.linux.target_count`; empty where the whole file is meant.
  std::string key;
  /// What was expected, and what to do. Never holds a secret.
  std::string expected;

  friend bool operator==(const Complaint&, const Complaint&) = default;
};

/// `file:line: key: expected`, leaving out what is not known.
std::string to_string(const Complaint&);
/// One complaint a line, each line ended.
std::string to_string(const std::vector<Complaint>&);

} // namespace ci::config
