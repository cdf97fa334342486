#pragma once
/// Runners page by page, until GitHub has shown as many as it counts.

#include "actors/domain/github.hpp"
#include "actors/edge/github_answers.hpp"
#include "actors/edge/github_http.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace ci::edge {

/// Sends one request. Called in the client's thread or the caller's; the answer comes in the client's.
using GithubAsk = std::function<void(HttpRequest, HttpDone)>;

/// Pages as GitHub last sent them, to ask only for what has changed: a 304 costs nothing of the hour's
/// budget. Any thread.
class GithubPageCache {
 public:
  struct Page {
    std::string etag;
    RunnerPage page;
    std::size_t bytes = 0; ///< of the body
  };
  using PagePtr = std::shared_ptr<const Page>;

  /// At most so many bytes of bodies are remembered.
  explicit GithubPageCache(std::size_t max_bytes) : max_bytes_(max_bytes) {}
  /// Null where there is none.
  PagePtr find(const std::string& url) const;
  void put(const std::string& url, Page page);
  /// Forgets all other pages: those of runners that are gone would never be asked for again.
  void keep_only(const std::unordered_set<std::string>& urls);
  /// For another token, which may see other things.
  void clear();

 private:
  const std::size_t max_bytes_;
  mutable std::mutex mutex_;
  std::map<std::string, PagePtr> pages_;
  std::size_t bytes_ = 0;
};

/// One walk over the pages. Lives as long as the request in flight refers to it.
///
/// The list may change between two pages, and a runner that left shifts another one onto a page already read.
/// So what was collected must be at least as many as any page counted; where it falls short the walk begins
/// anew, twice at most, and then there is no listing.
class GithubListing : public std::enable_shared_from_this<GithubListing> {
 public:
  using Done = std::function<void(domain::GithubReply<domain::RegistrationListing>)>;
  struct Limits {
    int max_pages = 200;
    int max_attempts = 3;
  };

  /// `first` is the request for the first page; its deadline holds for the whole walk. `cache` may be null.
  GithubListing(HttpRequest first, Limits limits, GithubAsk ask, GithubPageCache* cache, Done done);
  void start();

 private:
  void ask_page(const std::string& url);
  void take_answer(const std::string& url, const GithubPageCache::PagePtr& known, const HttpAnswer& answer);
  void take_page(const std::string& url, const RunnerPage& page, const HttpAnswer& answer);
  void take_last(const HttpAnswer& answer);
  void collect(const RunnerPage& page);
  void fail(domain::GithubError error, const HttpAnswer& answer);

  const HttpRequest first_;
  const Limits limits_;
  const GithubAsk ask_;
  GithubPageCache* const cache_;
  const Done done_;
  int attempt_ = 0;
  // Of this attempt:
  domain::Steady started_at_{};
  std::unordered_set<std::string> asked_;
  std::vector<domain::Registration> runners_;
  std::unordered_map<domain::RegistrationId, std::size_t> index_; ///< id -> place in `runners_`
  std::int64_t largest_total_ = 0;
};

} // namespace ci::edge
