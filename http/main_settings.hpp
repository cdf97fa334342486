#pragma once
/// Settings from their files, and in the form in which the parts of the service take them.

#include "actors/domain/selection.hpp"
#include "actors/edge/github_client.hpp"
#include "config/command_line.hpp"
#include "config/load.hpp"
#include "http/options.hpp"

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

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

/// So many connections are served at once, where that many files may be open: idle ones cost some 8 KiB each,
/// and a few sources that hold as many as they may must not keep others out.
constexpr std::uint64_t wanted_connections = 10'000;
/// What else is open: the store, libvirt, GitHub.
constexpr std::uint64_t other_files = 512;
/// Each connection is one, and the file that is streamed through it another.
constexpr std::uint64_t files_for_all_connections = 2 * wanted_connections + other_files;

/// How many connections may be served where the process may have so many files open.
constexpr std::uint64_t connections_within(std::uint64_t files) {
  const auto left = files > 2 * other_files ? files - other_files : files / 2;
  return std::min(left / 2, wanted_connections);
}

/// Raises the number of files that this process may have open, as far as it may. Before http_options(), which
/// goes by it.
void allow_many_files();

/// The command that keeps others from reading or changing a file with secrets; empty where they can't, or it
/// is not there.
std::string secrets_file_mend(const std::string& path);

/// Reads the files that the command line names, and the process's environment. What is wrong in one file hides
/// nothing that is wrong in the other.
/// `running`: what a running service goes by, null at its start.
config::LoadResult load_settings(const config::CommandLine&, const config::Settings* running = nullptr);

/// The secrets alone, read again; nothing where something is wrong with them, which is then complained of.
std::optional<config::Secrets> load_secrets(const config::CommandLine&, const config::Settings&,
                                            std::vector<config::Complaint>&);

/// Tells when a file has become another one and is not being written any more.
class FileWatch {
 public:
  explicit FileWatch(std::string path);
  /// To be asked now and then: true once after each change, when two looks in a row saw the same.
  bool changed();
  /// Mode and owner count, too: the time of the change of state tells of them.
  struct Stamp {
    bool exists = false;
    std::int64_t modified_s = 0, modified_ns = 0, altered_s = 0, altered_ns = 0, size = 0;
    std::uint64_t inode = 0;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  Stamp look() const;
  /// The file was read, and it was so before.
  void known(const Stamp& seen) { known_ = last_ = seen; }

 private:
  std::string path_;
  Stamp known_, last_;
};

Options http_options(const config::Settings&, const config::Secrets&);
edge::GithubOptions github_options(const config::Settings&, const config::Secrets&);
domain::SelectRules select_rules(const config::Settings&);

} // namespace ci::http
