#include "tests/simulators/github_simulator/pages.hpp"

namespace ci::github_simulator {

namespace {

constexpr int usual_size = 30;
constexpr int largest_number = 1'000'000;

int number_in(const Query& query, const char* name, int usual, int cap) {
  const auto text = value_of(query, name);
  const auto number = text ? parse_id(*text) : std::nullopt;
  return number ? static_cast<int>(std::min<std::int64_t>(*number, cap)) : std::min(usual, cap);
}

/// The query with another page number, which comes last as at GitHub.
std::string with_page(const std::string& query, int number) {
  std::string result;
  for (const auto part : split(query, '&'))
    if (!part.empty() && part != "page" && !part.starts_with("page="))
      result.append(part).append("&");
  return result + "page=" + std::to_string(number);
}

} // namespace

Page page_of(const Query& query, std::size_t total, int cap) {
  Page page;
  page.size = number_in(query, "per_page", usual_size, cap);
  page.number = number_in(query, "page", 1, largest_number);
  const auto size = static_cast<std::size_t>(page.size);
  page.last = static_cast<int>(std::max<std::size_t>(1, (total + size - 1) / size));
  return page;
}

std::string link_header(const Page& page, const std::string& url, const std::string& query) {
  std::string header;
  const auto add = [&](int number, const char* rel) {
    header += header.empty() ? "<" : ", <";
    header += url + "?" + with_page(query, number) + ">; rel=\"" + rel + "\"";
  };
  if (page.last == 1 && page.number == 1)
    return header;
  if (page.number > 1)
    add(std::min(page.number - 1, page.last), "prev");
  if (page.number < page.last) {
    add(page.number + 1, "next");
    add(page.last, "last");
  }
  if (page.number > 1)
    add(1, "first");
  return header;
}

} // namespace ci::github_simulator
