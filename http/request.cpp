#include "http/request.hpp"

#include <algorithm>
#include <stdexcept>

namespace ci::http {

namespace {
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
} // namespace

bool equal_caseless(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::vector<std::string_view> values_of(const Headers& headers, std::string_view name) {
  std::vector<std::string_view> result;
  for (const auto& [field, value] : headers)
    if (equal_caseless(field, name))
      result.push_back(value);
  return result;
}

const std::string& Request::path_parameter(std::string_view name) const {
  for (const auto& [parameter, value] : path_parameters)
    if (parameter == name)
      return value;
  throw std::logic_error("the route has no such parameter");
}

} // namespace ci::http
