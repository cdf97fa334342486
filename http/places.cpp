#include "http/places.hpp"

#include <algorithm>

namespace ci::http {

namespace {

std::size_t count_of(const auto& counts, const auto& key) {
  const auto at = counts.find(key);
  return at == counts.end() ? 0 : at->second;
}

void give_back(auto& counts, const auto& key) {
  const auto at = counts.find(key);
  if (--at->second == 0)
    counts.erase(at);
}

} // namespace

Places::Places(std::size_t limit) : limit_(limit) {}

bool Places::full_for(Asker asker, const std::string& address) const {
  std::size_t all = 0;
  for (const auto& [one, count] : taken_->by_asker)
    all += count;
  if (all >= limit_)
    return true;
  if (asker == Asker::with_token)
    return false;
  const auto quarter = std::max<std::size_t>(1, limit_ / 4);
  return count_of(taken_->by_asker, asker) >= quarter ||
         (asker == Asker::guest && count_of(taken_->by_address, address) >= most_of_a_guest);
}

Places::Place Places::take(Asker asker, const std::string& address) {
  if (full_for(asker, address))
    return nullptr;
  ++taken_->by_asker[asker];
  if (asker == Asker::guest)
    ++taken_->by_address[address];
  return {taken_.get(), [taken = taken_, asker, address](Taken*) {
            give_back(taken->by_asker, asker);
            if (asker == Asker::guest)
              give_back(taken->by_address, address);
          }};
}

} // namespace ci::http
