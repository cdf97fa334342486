#include "actors/edge/inheritance.hpp"

#include "actors/edge/data_folder.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <functional>
#include <optional>
#include <system_error>

#include <sys/stat.h>
#include <unistd.h>

namespace ci::edge {
namespace {

namespace fs = std::filesystem;

/// GitHub's answer has some 5 KB.
constexpr std::uintmax_t largest_config = 256 * 1024;
constexpr int folders_at_once = 500;
constexpr auto config_file = "github-api-registration";
/// Of a runner that lives only these are an older monitor's.
constexpr std::array taken_over{config_file, "created-time", "runner.toml", "boot-script"};

void each_entry(const fs::path& folder, const std::function<void(const fs::directory_entry&)>& visit) {
  std::error_code error;
  if (auto kind = fs::status(folder, error).type(); kind == fs::file_type::not_found)
    return;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    visit(*at);
  if (error)
    throw StoreError("can't list " + folder.string() + ": " + error.message() +
                     "; what an older monitor left there is not known");
}

std::optional<domain::Time> modified(const fs::path& file) {
  struct stat found {};
  if (::stat(file.c_str(), &found) != 0)
    return std::nullopt;
  return domain::Time(std::chrono::seconds(found.st_mtim.tv_sec) +
                      std::chrono::milliseconds(found.st_mtim.tv_nsec / 1'000'000));
}

void read_config(const fs::path& file, domain::InheritedRunner& runner) {
  std::error_code error;
  auto size = fs::file_size(file, error);
  if (error || size > largest_config)
    return;
  std::ifstream in(file);
  auto json = nlohmann::json::parse(in, nullptr, false);
  if (!json.is_object())
    return;
  auto config = json.find("encoded_jit_config");
  if (config == json.end() || !config->is_string())
    return;
  runner.jit_config = *config;
  auto made = json.find("runner");
  if (made == json.end() || !made->is_object())
    return;
  if (auto id = made->find("id"); id != made->end() && id->is_number_integer())
    runner.registration_id = id->get<domain::RegistrationId>();
  if (auto name = made->find("name"); name != made->end() && name->is_string())
    runner.registration_name = *name;
}

domain::InheritedRunner read_runner(const fs::path& folder) {
  domain::InheritedRunner runner;
  read_config(folder / config_file, runner);
  runner.created_at = modified(folder / "created-time");
  if (!runner.created_at)
    runner.created_at = modified(folder / "runner.toml");
  return runner;
}

std::string last_error(const std::string& what, const fs::path& path) {
  return "can't " + what + " " + path.string() + ": " + std::strerror(errno);
}

/// A folder of ours, which may be there already.
std::string make_own_folder(const fs::path& folder) {
  return ::mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST ? "" : last_error("make", folder);
}

/// Whether anything was there to delete.
bool forget_files(const fs::path& folder, std::string& error) {
  bool any = false;
  for (const auto* name : taken_over) {
    auto file = folder / name;
    if (::unlink(file.c_str()) == 0)
      any = true;
    else if (errno != ENOENT && error.empty())
      error = last_error("delete", file);
  }
  return any;
}

/// Whether anything was there to delete.
bool forget_folder(const fs::path& folder, std::string& error) {
  std::error_code trouble;
  auto removed = fs::remove_all(folder, trouble);
  if (trouble && error.empty())
    error = "can't delete " + folder.string() + ": " + trouble.message();
  return removed > 0;
}

} // namespace

domain::Inheritance read_inheritance(const fs::path& data, const fs::path& images) {
  domain::Inheritance left;
  each_entry(data / "runners", [&](auto& entry) {
    if (auto id = id_in(entry.path().filename().string()))
      left.runners[*id] = read_runner(entry.path());
  });
  each_entry(data / "profiles", [&](auto& entry) {
    std::error_code none;
    if (auto target = fs::read_symlink(entry.path() / "snapshot", none); !none)
      left.current_snapshots[entry.path().filename().string()] = target.filename().string();
  });
  each_entry(images / "runner", [&](auto& entry) {
    auto name = entry.path().filename().string();
    if (auto dash = name.find('-'); dash != std::string::npos)
      if (auto id = id_in(name.substr(0, dash)))
        left.disks.insert(*id);
  });
  each_entry(images / "base", [&](auto& profile) {
    std::error_code none;
    if (!profile.is_directory(none))
      return;
    each_entry(profile.path(), [&](auto& entry) {
      auto name = entry.path().filename().string();
      for (const std::string known : {"base.img@", "config.iso@", "nvram.fd@"})
        if (name.starts_with(known))
          left.image_files[profile.path().filename().string()].insert(name.substr(known.size()));
    });
  });
  return left;
}

Forgotten forget_inherited(const fs::path& data, const domain::InheritedFiles& files) {
  Forgotten result{true, ""};
  std::vector<std::pair<domain::RunnerId, fs::path>> folders;
  try {
    each_entry(data / "runners", [&](auto& entry) {
      if (auto id = id_in(entry.path().filename().string());
          id && *id < files.below && !files.others.contains(*id))
        folders.emplace_back(*id, entry.path());
    });
  } catch (const StoreError& error) {
    return {false, error.what()};
  }
  int done = 0;
  for (auto& [id, folder] : folders) {
    if (done == folders_at_once)
      return {false, result.error};
    done +=
        files.living.contains(id) ? forget_files(folder, result.error) : forget_folder(folder, result.error);
  }
  result.all = result.error.empty();
  return result;
}

std::string link_snapshot(const fs::path& data, const std::string& profile, const std::string& snapshot) {
  auto folder = data / "profiles" / profile, link = folder / "snapshot", draft = folder / "snapshot.new";
  std::error_code none;
  if (fs::read_symlink(link, none) == snapshot && !none)
    return {};
  for (auto& made : {folder.parent_path(), folder})
    if (auto error = make_own_folder(made); !error.empty())
      return error;
  ::unlink(draft.c_str());
  if (::symlink(snapshot.c_str(), draft.c_str()) != 0)
    return last_error("make the link", draft);
  if (::rename(draft.c_str(), link.c_str()) != 0)
    return last_error("make the link", link);
  return {};
}

} // namespace ci::edge
