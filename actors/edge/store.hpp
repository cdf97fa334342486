#pragma once
/// The monitor's own memory: `<data>/monitor.db`, an SQLite file that one process at a time may hold. See
/// store_schema.cpp for its tables.

#include "actors/domain/store.hpp"
#include "actors/edge/data_folder.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace ci::edge {

/// More lines of history than this are never kept, whatever PruneHistory says: some 20 MB.
constexpr std::int64_t max_history_rows = 100'000;

/// An open store. Made by the composition root, then used by one thread: the journal's. All calls block for a
/// disk write or two and throw StoreError, whose text is for the operator and holds no secret.
class Store {
 public:
  using Warn = std::function<void(const std::string&)>;

  /// Opens the store in the folder, or makes both. An empty store's ids begin above those that an older
  /// system has used; see first_free_id(). `warn` hears of what does no harm yet.
  explicit Store(const std::filesystem::path& data, Warn warn = {}, const std::filesystem::path& images = {});
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  /// The data folder.
  const std::filesystem::path& folder() const;

  /// Writes the batch as one transaction, on disk when this returns. After a throw nothing of it is there,
  /// and the same may be tried again.
  void apply(const domain::StoreBatch&);
  /// The same for several batches, in order, in one transaction.
  void apply_all(const std::vector<const domain::StoreBatch*>&);

  /// Everything but the history.
  domain::StoreImage load();
  /// The newest lines, the newest first.
  std::vector<domain::HistoryEvent> history(std::size_t count);

  /// Whether deleted secrets may still be found in the write-ahead log.
  bool needs_tidying() const;
  /// Moves the log into the main file and empties it, so that deleted secrets are gone from the disk.
  void tidy();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

} // namespace ci::edge
