#include "tests/simulators/github_simulator/state_file.hpp"

#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace ci::github_simulator {

void write_atomically(const std::string& path, const std::string& content) {
  const auto draft = path + ".new";
  std::ofstream out{draft, std::ios::binary | std::ios::trunc};
  // Runner tokens are in it.
  std::filesystem::permissions(draft,
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  out << content;
  out.close();
  if (!out)
    throw std::runtime_error{"cannot write " + draft};
  std::filesystem::rename(draft, path);
}

std::optional<nlohmann::json> read_json(const std::string& path) {
  if (!std::filesystem::exists(path))
    return std::nullopt;
  std::ifstream in{path, std::ios::binary};
  return nlohmann::json::parse(in);
}

} // namespace ci::github_simulator
