#include "actors/edge/github_listing.hpp"

#include "actors/edge/github_limits.hpp"
#include "actors/edge/github_url.hpp"

#include <algorithm>

namespace ci::edge {

using domain::GithubError;
using domain::RegistrationListing;
using ListingReply = domain::GithubReply<RegistrationListing>;

GithubPageCache::PagePtr GithubPageCache::find(const std::string& url) const {
  std::lock_guard lock(mutex_);
  const auto found = pages_.find(url);
  return found == pages_.end() ? nullptr : found->second;
}

void GithubPageCache::put(const std::string& url, Page page) {
  std::lock_guard lock(mutex_);
  auto& place = pages_[url];
  if (place)
    bytes_ -= place->bytes;
  if (page.etag.empty() || bytes_ + page.bytes > max_bytes_) {
    pages_.erase(url);
    return;
  }
  bytes_ += page.bytes;
  place = std::make_shared<const Page>(std::move(page));
}

void GithubPageCache::keep_only(const std::unordered_set<std::string>& urls) {
  std::lock_guard lock(mutex_);
  for (auto i = pages_.begin(); i != pages_.end();) {
    if (urls.count(i->first) != 0) {
      ++i;
      continue;
    }
    bytes_ -= i->second->bytes;
    i = pages_.erase(i);
  }
}

void GithubPageCache::clear() {
  std::lock_guard lock(mutex_);
  pages_.clear();
  bytes_ = 0;
}

GithubListing::GithubListing(HttpRequest first, Limits limits, GithubAsk ask, GithubPageCache* cache,
                             Done done)
    : first_(std::move(first)), limits_(limits), ask_(std::move(ask)), cache_(cache), done_(std::move(done)) {
}

void GithubListing::start() {
  ++attempt_;
  started_at_ = std::chrono::steady_clock::now();
  asked_.clear();
  runners_.clear();
  index_.clear();
  largest_total_ = 0;
  ask_page(first_.url);
}

void GithubListing::ask_page(const std::string& url) {
  asked_.insert(url);
  auto request = first_;
  request.url = url;
  // What fell short once is asked for in full.
  const auto known = cache_ && attempt_ == 1 ? cache_->find(url) : nullptr;
  if (known)
    request.if_none_match = known->etag;
  ask_(std::move(request), [self = shared_from_this(), url, known](const HttpAnswer& answer) {
    self->take_answer(url, known, answer);
  });
}

void GithubListing::take_answer(const std::string& url, const GithubPageCache::PagePtr& known,
                                const HttpAnswer& answer) {
  if (known && answer.fault == HttpAnswer::Fault::none && answer.status == 304)
    return take_page(url, known->page, answer);
  auto page = read_page(answer);
  if (!page)
    return fail(std::move(page.error), answer);
  if (cache_)
    cache_->put(url, {answer.header("etag"), *page.value, answer.body.size()});
  take_page(url, *page.value, answer);
}

void GithubListing::take_page(const std::string& url, const RunnerPage& page, const HttpAnswer& answer) {
  collect(page);
  if (page.next.empty())
    return take_last(answer);
  const auto next = same_origin(url, page.next);
  if (!next)
    return fail(malformed(answer, "the next page is on another server"), answer);
  if (asked_.count(*next) != 0)
    return fail(malformed(answer, "the pages go round in a circle"), answer);
  if (asked_.size() >= static_cast<std::size_t>(limits_.max_pages))
    return fail(malformed(answer, "more pages than allowed"), answer);
  ask_page(*next);
}

/// A runner that shifted onto the next page comes twice; the later word counts.
void GithubListing::collect(const RunnerPage& page) {
  largest_total_ = std::max(largest_total_, page.total_count);
  for (const auto& runner : page.runners) {
    const auto [place, is_new] = index_.emplace(runner.id, runners_.size());
    if (is_new)
      runners_.push_back(runner);
    else
      runners_[place->second] = runner;
  }
}

void GithubListing::take_last(const HttpAnswer& answer) {
  if (static_cast<std::int64_t>(runners_.size()) < largest_total_) {
    if (attempt_ < limits_.max_attempts)
      return start();
    return fail(malformed(answer, "the listing fell short: " + std::to_string(runners_.size()) + " of " +
                                      std::to_string(largest_total_)),
                answer);
  }
  if (cache_)
    cache_->keep_only(asked_);
  auto reply = ListingReply::ok({std::move(runners_), started_at_, read_token_end(answer)});
  reply.budget = read_budget(answer);
  done_(std::move(reply));
}

void GithubListing::fail(GithubError error, const HttpAnswer& answer) {
  auto reply = ListingReply::failed(std::move(error));
  reply.budget = read_budget(answer);
  done_(std::move(reply));
}

} // namespace ci::edge
