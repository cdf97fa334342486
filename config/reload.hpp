#pragma once
/// What SIGHUP changes: which keys differ, which of them wait for a restart, and the settings that go on.

#include "config/complaint.hpp"
#include "config/settings.hpp"

#include <string>
#include <vector>

namespace ci::config {

struct Reload {
  /// What the service goes by from now on: the new settings, but the running value of each key that needs a
  /// restart. The running settings where there are complaints.
  Settings settings;
  /// Full names of changed keys, e.g. `profiles.linux.target_count`; `profiles.linux` for one that came or
  /// went.
  std::vector<std::string> applied;
  /// Full names of changed keys, and of variables, that need a restart to count.
  std::vector<std::string> need_restart;
  /// New values that do not go together with old ones that need a restart. Nothing changes then.
  std::vector<Complaint> complaints;

  bool anything_changed() const { return !applied.empty() || !need_restart.empty(); }
};

/// `fresh` comes from load() with the running `profiles_path`, so it is valid by itself. `file_name` is for complaints.
Reload reload(const Settings& running, const Settings& fresh, const std::string& file_name = "monitor.toml");

} // namespace ci::config
