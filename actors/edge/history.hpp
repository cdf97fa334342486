#pragma once
/// The history, read over a connection of its own: readers take nothing from the journal but disk time.

#include "actors/domain/history.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

namespace ci::edge {

/// Reads only. Used by one thread. While a call lasts, the journal's log can't be emptied, so calls are
/// short: none gives more lines than `domain::max_history_limit`. All of them throw StoreError, whose text
/// holds no secret.
class HistoryReader {
 public:
  /// \p data is the folder of an open store.
  explicit HistoryReader(const std::filesystem::path& data);
  ~HistoryReader();
  HistoryReader(const HistoryReader&) = delete;
  HistoryReader& operator=(const HistoryReader&) = delete;

  domain::HistoryPage page(const domain::HistoryQuery&);
  /// Up to `domain::max_history_limit` lines with greater numbers, the oldest first; none: that was all.
  std::vector<domain::HistoryLine> after(std::int64_t number);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

} // namespace ci::edge
