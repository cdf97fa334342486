#pragma once
/// How many connections are open, and from where.

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

  using Token = std::shared_ptr<void>;
  /// Null: the connection must be closed. \p exempt: a trusted proxy, behind which many stand.
  Token admit(const domain::Address& source, bool exempt);
  /// Whether more connections of that source are open than one may have.
  bool crowded(const domain::Address& source) const;
  /// From now on; connections that are open stay so.
  void set_limit_per_source(int);
  int open() const;

 private:
  void leave(const domain::Address& key);

  const int limit_;
  mutable std::mutex mutex_;
  int limit_per_source_;
  int open_ = 0;
  std::map<domain::Address, int> by_source_; ///< only sources that have one open
};

} // namespace ci::http
