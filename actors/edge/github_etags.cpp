#include "actors/edge/github_etags.hpp"

#include <iterator>

namespace ci::edge {

namespace {

/// What an entry takes besides its body, roughly.
constexpr std::size_t entry_overhead = 512;

std::size_t known_size(const GithubEtags::Known& known) { return known.body.size() + entry_overhead; }

} // namespace

GithubEtags::KnownPtr GithubEtags::find(const std::string& url) {
  std::lock_guard lock(mutex_);
  const auto place = places_.find(url);
  if (place == places_.end())
    return nullptr;
  entries_.splice(entries_.begin(), entries_, place->second);
  return place->second->second;
}

void GithubEtags::put(const std::string& url, const HttpAnswer& answer) {
  auto known = std::make_shared<const Known>(
      Known{answer.header("etag"), answer.header("content-type"), answer.header("link"), answer.body});
  std::lock_guard lock(mutex_);
  if (const auto place = places_.find(url); place != places_.end())
    drop(place->second);
  if (known->etag.empty() || known_size(*known) > max_bytes_)
    return;
  bytes_ += known_size(*known);
  entries_.emplace_front(url, std::move(known));
  places_[url] = entries_.begin();
  while (bytes_ > max_bytes_)
    drop(std::prev(entries_.end()));
}

void GithubEtags::forget(const std::string& url) {
  std::lock_guard lock(mutex_);
  if (const auto place = places_.find(url); place != places_.end())
    drop(place->second);
}

void GithubEtags::drop(std::list<Entry>::iterator entry) {
  bytes_ -= known_size(*entry->second);
  places_.erase(entry->first);
  entries_.erase(entry);
}

void GithubEtags::clear() {
  std::lock_guard lock(mutex_);
  places_.clear();
  entries_.clear();
  bytes_ = 0;
}

HttpAnswer GithubEtags::unchanged(const Known& known, HttpAnswer answer) {
  answer.status = 200;
  answer.body = known.body;
  answer.headers["content-type"] = known.content_type;
  if (answer.header("link").empty() && !known.link.empty())
    answer.headers["link"] = known.link;
  return answer;
}

} // namespace ci::edge
