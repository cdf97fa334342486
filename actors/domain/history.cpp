#include "actors/domain/history.hpp"

namespace ci::domain {
namespace {

constexpr std::size_t longest_detail = 500;

bool continues_a_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

} // namespace

void shorten(std::string& detail) {
  if (detail.size() <= longest_detail)
    return;
  auto end = longest_detail;
  while (end > 0 && continues_a_character(detail[end]))
    --end;
  detail.resize(end);
}

} // namespace ci::domain
