#pragma once
/// How many connections are open, from where, and how much their requests hold.

#include "actors/domain/address.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

namespace ci::http {

/// Counts open connections by source (an IPv6 source is its /64). Any thread. Each connection holds a token
/// for as long as it exists and gives it back in its destructor: the server library forgets to report some
/// ends of connections, so a count that relied on reports would drift.
class ConnectionCounts : public std::enable_shared_from_this<ConnectionCounts> {
 public:
  /// So many times the limit of one source are let in to be told 429; more are closed unanswered.
  static constexpr int tolerance = 4;

  ConnectionCounts(int limit, int limit_per_source) : limit_(limit), limit_per_source_(limit_per_source) {}

  /// What requests may hold in memory until they are answered, beyond `free_bytes` each: of all connections,
  /// and of those of one source. Large bodies are refused in the end, but come in first.
  static constexpr std::int64_t most_bytes = std::int64_t{256} << 20;
  static constexpr std::int64_t most_bytes_of_source = std::int64_t{32} << 20;
  static constexpr std::int64_t free_bytes = 64 << 10;

  using Token = std::shared_ptr<void>;
  /// Null: the connection must be closed. \p exempt: a trusted proxy, behind which many stand.
  Token admit(const domain::Address& source, bool exempt);
  /// Whether a connection of that source, which holds its token, may hold so many bytes more: counted if so.
  bool hold(const domain::Address& source, std::int64_t bytes);
  /// Before the token goes.
  void release(const domain::Address& source, std::int64_t bytes);
  /// Whether more connections of that source are open than one may have.
  bool crowded(const domain::Address& source) const;
  /// From now on; connections that are open stay so.
  void set_limit_per_source(int);
  int open() const;

 private:
  struct Source {
    int open = 0;
    std::int64_t bytes = 0;
  };
  void leave(const domain::Address& key);

  const int limit_;
  mutable std::mutex mutex_;
  int limit_per_source_;
  int open_ = 0;
  std::int64_t bytes_ = 0;
  std::map<domain::Address, Source> by_source_; ///< only sources that have one open
};

} // namespace ci::http
