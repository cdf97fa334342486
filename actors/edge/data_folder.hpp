#pragma once
/// The data folder: who may use it, and the ids that were handed out before there was a store.

#include "actors/domain/types.hpp"

#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace ci::edge {

/// Why the store can't be opened or written, in a sentence for the operator that says what to do. Holds no
/// secret.
class StoreError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Keeps every other process out of a data folder, from construction to destruction or the process's end. The
/// kernel drops the lock of a process that died, so there is nothing stale to clean up; the pid in
/// `monitor.lock` is for people. Any thread.
class DataFolder {
 public:
  /// Makes the folder (mode 0700) if it is missing. Throws StoreError: in use, no permission, read-only.
  explicit DataFolder(std::filesystem::path path);
  DataFolder(const DataFolder&) = delete;
  DataFolder& operator=(const DataFolder&) = delete;
  ~DataFolder();

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  int lock_ = -1;
};

/// A whole number that can be a runner's id; none: it can't.
std::optional<domain::RunnerId> id_in(std::string_view text);

/// The smallest id above `<data>/last-runner-id`, every number that names something under `<data>/runners/`, and
/// that of every disk `<images>/runner/<id>-<file>`; 1 where there is none. Throws StoreError where these can't be
/// read: an id that is used twice would be worse than not starting. An empty `images` holds no disks.
domain::RunnerId first_free_id(const std::filesystem::path& data, const std::filesystem::path& images = {});

/// Notes the highest id handed out where the older system looks for it: digits alone, without an end of line, which it
/// would not take. Atomic, durable. Throws StoreError.
void write_last_runner_id(const std::filesystem::path& data, domain::RunnerId last);

/// Creates an empty file that only its owner may read. Throws StoreError.
void create_private_file(const std::filesystem::path&);
/// Makes a rename within the folder durable. Throws StoreError.
void sync_folder(const std::filesystem::path&);

} // namespace ci::edge
