#pragma once
/// The example file: every key with its meaning, range and default, made from the tables of keys.

#include <string>

namespace ci::config {

/// The text of config/monitor.toml.example. Loads without a complaint, given the secrets and a profile
/// folder.
std::string example();

} // namespace ci::config
