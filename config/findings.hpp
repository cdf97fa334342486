#pragma once
/// What reading settings brings up, gathered over all files so that everything is said at once.

#include "config/complaint.hpp"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace ci::config {

/// Where a key stood.
struct Place {
  std::string file;
  int line = 0;
};

struct Findings {
  std::vector<Complaint> complaints;
  std::vector<Complaint> warnings;
  /// Keys that were set and read, by full name.
  std::map<std::string, Place> places;
  /// Keys, by full name, that are complained of: their values mean nothing, so checks that need them are
  /// skipped.
  std::set<std::string> broken;
  /// For what stands nowhere.
  std::string main_file;

  bool was_set(const std::string& key) const { return places.count(key) != 0; }
  bool is_broken(const std::string& key) const { return broken.count(key) != 0; }
  /// Says nothing of a key that is broken: one complaint tells it.
  void complain(const std::string& key, std::string expected) {
    if (!is_broken(key))
      complaints.push_back(about(key, std::move(expected)));
  }
  void warn(const std::string& key, std::string text) {
    if (!is_broken(key))
      warnings.push_back(about(key, std::move(text)));
  }

 private:
  Complaint about(const std::string& key, std::string text) const {
    const auto place = places.find(key);
    if (place == places.end())
      return {main_file, 0, key, std::move(text)};
    return {place->second.file, place->second.line, key, std::move(text)};
  }
};

} // namespace ci::config
