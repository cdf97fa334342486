#include "actors/edge/checkout.hpp"

#include "actors/edge/command.hpp"

#include <filesystem>
#include <vector>

namespace ci::edge {
namespace {

constexpr std::chrono::seconds git_patience{600};

/// Removes the files of this folder whose names are `chosen`; those of folders below it where it is `deep`.
template <class Chosen>
void remove_files(const std::filesystem::path& folder, bool deep, Chosen chosen) {
  std::error_code failure, ignored;
  std::filesystem::recursive_directory_iterator entry(folder, failure);
  for (; !failure && entry != std::filesystem::recursive_directory_iterator(); entry.increment(failure)) {
    if (!deep)
      entry.disable_recursion_pending();
    if (chosen(entry->path().filename().string()) && entry->is_regular_file(ignored))
      std::filesystem::remove(entry->path(), ignored); // git itself will say what it can't get past
  }
}

/// A git that was killed leaves its locks, which each later one would refuse to pass, and what it was receiving,
/// which nobody would ever delete.
void remove_leftovers(const std::filesystem::path& git_folder) {
  const auto lock = [](const std::string& name) { return name.ends_with(".lock"); };
  const auto unfinished = [](const std::string& name) { return name.starts_with("tmp_"); };
  remove_files(git_folder, false, lock);
  remove_files(git_folder / "refs", true, lock);
  remove_files(git_folder / "objects", true, unfinished);
}

} // namespace

std::string update_checkout(const std::string& path, const std::atomic<bool>* stop) {
  const std::vector<std::vector<std::string>> steps{
      {"reset", "--hard", "--quiet"},
      {"fetch", "--quiet", "origin"},
      {"checkout", "--quiet", "--force", "--detach", "origin/main"},
      {"update-server-info"},
  };
  remove_leftovers(std::filesystem::path(path) / ".git");
  for (auto& step : steps) {
    std::vector<std::string> arguments{"git", "-C", path};
    arguments.insert(arguments.end(), step.begin(), step.end());
    if (auto error = run_command(arguments, git_patience, stop); !error.empty())
      return "git " + step[0] + " in " + path + ": " + error;
  }
  return {};
}

} // namespace ci::edge
