#pragma once
/// How often one source may ask for something that costs.

#include "actors/domain/address.hpp"
#include "actors/domain/types.hpp"

#include <deque>
#include <list>
#include <map>
#include <mutex>
#include <optional>

namespace ci::http {

/// What limits count a source as: an IPv4 address by itself, an IPv6 address by its /64, which one client
/// has all of.
domain::Address counted_as(const domain::Address& source);

/// So many in any minute from one source. Any thread. Remembers no more sources than `max_sources`: past
/// that, the one that was quiet for longest is forgotten.
class SourceLimiter {
 public:
  static constexpr domain::Duration window{60'000};
  static constexpr std::size_t max_sources = 65'536;

  explicit SourceLimiter(int per_minute) : per_minute_(per_minute) {}

  /// From now on; 0: none at all.
  void set(int per_minute);
  /// Counts one more and gives none, or, where the source has had its share, the seconds (1 to 60) after
  /// which it may ask again. What is refused does not count. \p now: steady, and never earlier than before.
  std::optional<int> admit(const domain::Address& source, domain::Steady now);
  /// Sources that are remembered now.
  std::size_t sources() const;

 private:
  struct Entry {
    domain::Address key;
    std::deque<domain::Steady> admitted; ///< within the window, oldest first
  };
  using Entries = std::list<Entry>;
  std::optional<int> wait_of(Entry&, domain::Steady now) const;
  Entry& entry_of(const domain::Address& key);
  void forget_quiet(domain::Steady now);

  mutable std::mutex mutex_;
  int per_minute_;
  Entries entries_; ///< the one that was admitted last at the end
  std::map<domain::Address, Entries::iterator> by_key_;
};

} // namespace ci::http
