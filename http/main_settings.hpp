#pragma once
/// Settings from their files, and in the form in which the parts of the service take them.

#include "actors/domain/selection.hpp"
#include "actors/edge/github_client.hpp"
#include "config/command_line.hpp"
#include "config/load.hpp"
#include "http/options.hpp"

#include <mutex>

namespace ci::http {

/// A value that one thread replaces and others read.
template <class T>
class Box {
 public:
  explicit Box(T value) : value_(std::move(value)) {}
  void set(T value) {
    std::lock_guard lock(mutex_);
    value_ = std::move(value);
  }
  T get() const {
    std::lock_guard lock(mutex_);
    return value_;
  }

 private:
  mutable std::mutex mutex_;
  T value_;
};

/// Raises the number of files that this process may have open, as far as it may: each connection is one. Before
/// http_options(), which goes by it.
void allow_many_files();

/// Reads the files that the command line names, and the process's environment.
/// `running`: what a running service goes by, null at its start.
config::LoadResult load_settings(const config::CommandLine&, const config::Settings* running = nullptr);

Options http_options(const config::Settings&, const config::Secrets&);
edge::GithubOptions github_options(const config::Settings&, const config::Secrets&);
domain::SelectRules select_rules(const config::Settings&);

} // namespace ci::http
