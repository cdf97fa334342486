/// A profile's folder: image.toml, guest.xml, boot-script and user-data, with a NUL between each two. Accepted or
/// complained of; and what was accepted makes an image's guest that has its own identity, or says why not.

#include "config/load.hpp"
#include "tests/fuzz/built_guest.hpp"

#include <map>

using namespace ci;

namespace {

const char settings[] = R"(
listen_on = ["127.0.0.1"]
external_base_url = "http://monitor.example.org/"
github_api_scope = "/repos/octo-org/octo-repo"
github_api_suffix = "ci0"
allowed_qualified_repo_prefix = "octo-org/"
available_1g_hugepages = 16
available_normal_memory = "32G"
guest_network = "192.168.100.0/24"
profiles_path = "/profiles"
[profiles.linux]
github_runner_label = "self-hosted-image:linux"
target_count = 5
requires_1g_hugepages = 2
requires_normal_memory = "2G"
)";

using Files = std::map<std::string, std::string>;

Files read_files(std::string_view text) {
  Files files;
  for (auto name : {"image.toml", "guest.xml", "boot-script", "user-data"}) {
    const auto end = text.find('\0');
    files["/profiles/linux/" + std::string(name)] = std::string(text.substr(0, end));
    if (end == text.npos)
      break;
    text.remove_prefix(end + 1);
  }
  return files;
}

/// A file below the folder that images are made from, and nowhere else.
void check_below(const std::string& file) {
  promise(!file.empty() && file.front() != '/', "a file is named below its folder");
  promise(("/" + file + "/").find("/../") == std::string::npos, "and does not lead out of it");
}

void try_rebuild(const domain::Profile& profile) {
  auto spec = fuzz::image_to_build();
  spec.disk_target = profile.disk_target;
  spec.recipe = profile.image;
  spec.sources = profile.image_sources;
  if (fuzz::check_rebuild(spec.sources->guest_xml, spec))
    reached("a guest that builds");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto files = read_files({reinterpret_cast<const char*>(data), size});
  config::Sources sources;
  sources.toml_text = settings;
  sources.environment = {{"GITHUB_TOKEN", "ghp_4e1243bd22c66e76c2ba9eddc1f91394"},
                         {"SERVO_CI_MONITOR_API_TOKEN", "4e1243bd22c66e76c2ba9eddc1f91394"},
                         {"IMAGE_DEPS_DIR", "/images/deps"}};
  sources.read_file = [&](const std::string& path) {
    const auto found = files.find(path);
    return found == files.end() ? std::nullopt : std::optional{found->second};
  };
  const auto result = config::load(sources);
  promise(result.loaded.has_value() == result.complaints.empty(), "settings, or complaints");
  if (!result.complaints.empty())
    reached("complaints");
  for (const auto& complaint : result.complaints)
    promise(complaint.file != "environment", "what is complained of is the folder's");
  if (!result.loaded)
    return 0;
  reached("a profile");
  const auto& profile = result.loaded->settings.policy.profiles.at("linux");
  promise(profile.builds_images() && profile.image_sources && !profile.image_fingerprint.empty(),
          "an image can be built, and told from another");
  for (const auto& [device, file] : profile.image.cdroms) {
    reached("a CD-ROM");
    check_below(file);
  }
  if (profile.image.begins_with.kind == domain::ImageBase::Kind::file) {
    reached("a disk's file");
    check_below(profile.image.begins_with.name);
  }
  try_rebuild(profile);
  return 0;
}
