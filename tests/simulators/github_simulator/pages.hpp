#pragma once
/// Listings in pages, and the Link header that leads through them.

#include "tests/simulators/github_simulator/text.hpp"

#include <algorithm>

namespace ci::github_simulator {

struct Page {
  int size = 30;
  int number = 1; ///< from 1
  int last = 1;

  std::size_t begin(std::size_t total) const {
    return std::min(total, static_cast<std::size_t>(size) * static_cast<std::size_t>(number - 1));
  }
  std::size_t end(std::size_t total) const {
    return std::min(total, begin(total) + static_cast<std::size_t>(size));
  }
  bool is_last() const { return number >= last; }
};

/// What `per_page` and `page` ask of a listing of so many. Nonsense counts as not given.
Page page_of(const Query&, std::size_t total, int cap);

/// Empty where everything is on one page. `url` has no query; `query` is that of the request as it came.
std::string link_header(const Page&, const std::string& url, const std::string& query);

} // namespace ci::github_simulator
