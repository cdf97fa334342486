#include "config/nearest.hpp"

#include <algorithm>
#include <numeric>

namespace ci::config {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // Rows of the usual table: each cell is the distance of a prefix of `a` to a prefix of `b`.
  std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({replaced, last[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

std::string nearest(std::string_view written, const std::vector<std::string>& names) {
  const auto closer = [&](const std::string& x, const std::string& y) {
    return edit_distance(written, x) < edit_distance(written, y);
  };
  const auto best = std::min_element(names.begin(), names.end(), closer);
  return best == names.end() ? std::string{} : *best;
}

} // namespace ci::config
