/// .env files.

#include "config/environment.hpp"
#include "config/secrets.hpp"
#include "tests/fuzz/promise.hpp"

#include <algorithm>
#include <string>

using namespace ci::config;

/// Stands in every value, and in no complaint of its own accord.
constexpr auto mark = "Zq7";

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<Complaint> complaints;
  auto environment = parse_env_file(text, ".env", complaints);
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  promise(environment.size() + complaints.size() <= lines, "a line is a variable or a complaint");
  if (!complaints.empty())
    reached("a line that is none");
  for (auto& [key, value] : environment)
    promise(!key.empty() && key.find_first_of("= \t\n") == std::string::npos, "a key is a word");
  for (auto& [key, value] : environment)
    value.insert(value.size() / 2, mark);
  std::vector<Complaint> wrong;
  read_secrets(environment, true, wrong);
  if (wrong.empty())
    reached("secrets");
  else
    reached("no secrets");
  for (auto& complaint : wrong)
    promise(to_string(complaint).find(mark) == std::string::npos, "no complaint holds a secret");
  return 0;
}
