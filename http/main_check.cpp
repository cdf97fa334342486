#include "http/main_check.hpp"

#include "actors/domain/adoption.hpp"
#include "actors/edge/command.hpp"
#include "actors/edge/data_folder.hpp"
#include "actors/edge/disk.hpp"
#include "actors/edge/inheritance.hpp"
#include "actors/edge/libvirt_host.hpp"
#include "actors/edge/libvirt_loop.hpp"
#include "http/main_settings.hpp"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <future>
#include <ostream>
#include <thread>

#include <spdlog/spdlog.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ci::http {
namespace {

namespace fs = std::filesystem;

class Report {
 public:
  explicit Report(std::ostream& out) : out_(out) {}
  void well(const std::string& what) { out_ << "ok    " << what << '\n'; }
  void wrong(const std::string& what, const std::string& mend) {
    out_ << "WRONG " << what << "\n      mend: " << mend << '\n';
    all_well_ = false;
  }
  void note(const std::string& what) { out_ << "note  " << what << '\n'; }
  bool all_well() const { return all_well_; }

 private:
  std::ostream& out_;
  bool all_well_ = true;
};

/// The nearest folder upwards of an absolute path that exists: there the missing ones would be made.
fs::path existing(fs::path path) {
  std::error_code ignored;
  while (!fs::exists(path, ignored) && path.has_relative_path())
    path = path.parent_path();
  return path;
}

/// \p mode: what a folder gets that the operator makes.
void check_writable(Report& report, const char* what, const fs::path& path, const char* mode) {
  auto name = std::string(what) + " " + path.string();
  std::error_code failure;
  auto whole = fs::absolute(path, failure);
  if (failure)
    return report.wrong(name + ": the working folder is gone",
                        "start it in a folder that is there, or name this one by an absolute path");
  auto at = existing(whole);
  if (access(at.c_str(), R_OK | W_OK | X_OK) == 0)
    report.well(name + (at == whole ? "" : " (will be made)"));
  else
    report.wrong(name + ": " + std::strerror(errno),
                 std::string("install -d -m ") + mode + " -o " + std::to_string(geteuid()) + " " + path.string());
}

/// What makes a folder, or puts a file there.
std::string making(const fs::path& path, bool folder) {
  return (folder ? "install -d -m 0755 -o " : "install -m 0644 -o ") + std::to_string(geteuid()) +
         (folder ? " " : " <the file> ") + path.string();
}

/// What lets this user read what is there: the way to it is opened to all, it itself to this user alone.
std::string opening(const fs::path& path, bool folder) {
  fs::path way;
  for (auto& name : path.parent_path()) {
    way /= name;
    if (access(way.c_str(), X_OK) != 0 && errno == EACCES)
      return "chmod a+x " + way.string();
  }
  return "chown " + std::to_string(geteuid()) + " " + path.string() + "; chmod u+r" + (folder ? "x " : " ") +
         path.string();
}

/// A folder is of use to who may list it and enter it. \p make: what makes it where it is not there.
void check_readable(Report& report, const std::string& what, const fs::path& path, bool folder,
                    const std::string& make) {
  auto name = what + " " + path.string();
  const int trouble = access(path.c_str(), folder ? R_OK | X_OK : R_OK) == 0 ? 0 : errno;
  std::error_code ignored;
  if (fs::exists(path, ignored) && fs::is_directory(path, ignored) != folder)
    report.wrong(name + (folder ? ": not a folder" : ": not a file"),
                 "mv " + path.string() + " " + path.string() + ".old; " + make);
  else if (trouble != 0)
    report.wrong(name + ": " + std::strerror(trouble), trouble == EACCES ? opening(path, folder) : make);
  else
    report.well(name);
}

void check_readable(Report& report, const std::string& what, const fs::path& path, bool folder) {
  check_readable(report, what, path, folder, making(path, folder));
}

/// Disks are below folders of their own there, which an older monitor may have left another user's.
void check_images_folder(Report& report, const fs::path& images) {
  constexpr auto mode = "0711"; // QEMU's user has to pass through
  check_writable(report, "images folder", images, mode);
  std::error_code ignored;
  std::vector<fs::path> below;
  for (auto* name : {"base", "runner"})
    if (fs::is_directory(images / name, ignored))
      below.push_back(images / name);
  for (fs::directory_iterator at(images / "base", ignored), end; !ignored && at != end; at.increment(ignored))
    if (std::error_code unknown; at->is_directory(unknown))
      below.push_back(at->path());
  for (auto& folder : below)
    check_writable(report, "folder of disks", folder, mode);
}

void check_repository(Report& report, const config::Settings& settings) {
  const fs::path path = settings.main_repo_path;
  std::error_code ignored;
  if (!settings.policy.repo_to_update.empty())
    for (auto& folder : {path, path / ".git"})
      if (fs::is_directory(folder, ignored) && access(folder.c_str(), W_OK) != 0)
        return report.wrong("repository " + folder.string() + ": " + std::strerror(errno) +
                                "; git writes there to bring it up to date",
                            "chown -R " + std::to_string(geteuid()) + " " + path.string());
  check_readable(report, "repository", path, true, "git clone <its URL> " + path.string());
}

void check_secrets(Report& report, const std::string& env_file) {
  std::error_code ignored;
  if (auto mend = secrets_file_mend(env_file); !mend.empty())
    report.wrong("secrets " + env_file + ": others may read or change it", mend);
  else if (fs::exists(env_file, ignored))
    report.well("secrets " + env_file);
}

/// What images are made of. A file of the profile's folder that can't be read would count as one that is not
/// there.
void check_image_files(Report& report, const config::Settings& settings) {
  const fs::path deps = settings.image_deps_dir;
  std::error_code ignored;
  for (auto& [key, profile] : settings.policy.profiles) {
    if (profile.target_count == 0 || !profile.builds_images())
      continue;
    const auto of_profile = " of profile " + key + ":";
    for (auto* name : {"user-data", "meta-data", "autounattend.xml"})
      if (auto path = fs::path(settings.profiles_path) / key / name; fs::exists(path, ignored))
        check_readable(report, name + of_profile, path, false);
    if (auto& base = profile.image.begins_with; base.kind == domain::ImageBase::Kind::file)
      check_readable(report, "begins_with" + of_profile, deps / base.name, false);
    for (auto& [device, file] : profile.image.cdroms)
      check_readable(report, "cdroms." + device + of_profile, deps / file, false);
  }
}

/// Tells how runners' disks will be made. Whole copies of images take minutes and gigabytes.
void check_disks(Report& report, const config::Settings& settings) {
  auto folder = existing(settings.policy.images_path);
  if (edge::shares_blocks(folder))
    return report.well("runners' disks share their blocks with the image (reflink)");
  const std::string unshared = "files in " + folder.string() + " can't share blocks";
  bool overlays = false;
  for (auto& [key, profile] : settings.policy.profiles) {
    overlays |= profile.image.allow_overlay;
    if (!profile.image.allow_overlay)
      report.note("runners' disks of profile " + key + " are whole copies: " + unshared +
                  ", and its allow_overlay is off");
  }
  if (!overlays)
    return;
  auto trouble = edge::run_command({"qemu-img", "--version"}, std::chrono::seconds(10));
  if (trouble.empty())
    report.well("runners' disks are qcow2 overlays of the image: " + unshared);
  else
    report.wrong("runners' disks would be whole copies: " + unshared + ", and for overlays there is no " + trouble,
                 "apt-get install qemu-utils");
}

/// What shows why an address can't be had. One of the guests' network is there while that network is up.
std::string mend_of_address(const domain::Address& address, const config::Settings& settings, int error) {
  if (error == EADDRNOTAVAIL && settings.guest_network.contains(address))
    return "virsh -c " + settings.libvirt_uri +
           " net-list --all; net-start the guests' network, or define one: deploy/libvirt/README.md";
  return "ss -ltnp 'sport = :" + std::to_string(settings.port) + "'; ip address show";
}

void check_address(Report& report, const domain::Address& address, const config::Settings& settings) {
  const auto port = settings.port;
  auto text = domain::to_string(address);
  auto name = "address " + text + " port " + std::to_string(port);
  bool v6 = text.find(':') != std::string::npos;
  sockaddr_storage where{};
  socklen_t size;
  if (v6) {
    auto& a = reinterpret_cast<sockaddr_in6&>(where);
    a.sin6_family = AF_INET6;
    a.sin6_port = htons(port);
    inet_pton(AF_INET6, text.c_str(), &a.sin6_addr);
    size = sizeof a;
  } else {
    auto& a = reinterpret_cast<sockaddr_in&>(where);
    a.sin_family = AF_INET;
    a.sin_port = htons(port);
    inet_pton(AF_INET, text.c_str(), &a.sin_addr);
    size = sizeof a;
  }
  int fd = socket(where.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int one = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (v6)
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
  const int trouble = fd >= 0 && bind(fd, reinterpret_cast<sockaddr*>(&where), size) == 0 ? 0 : errno;
  if (trouble == 0)
    report.well(name);
  else
    report.wrong(name + ": " + std::strerror(trouble), mend_of_address(address, settings, trouble));
  if (fd >= 0)
    close(fd);
}

/// What to say where there is no such filter, and how to mend it.
std::string no_filter(const std::string& uri, const std::string& filter) {
  return "guest_filter: there is no network filter " + filter + " at " + uri + "; define it (virsh -c " +
         uri +
         " nwfilter-define), name one that virsh nwfilter-list shows, or set guest_filter = \"\" where "
         "guests may "
         "take each other's addresses";
}

void check_libvirt(Report& report, const config::Settings& settings) {
  edge::EventLoop loop;
  edge::Host host(settings.libvirt_uri);
  auto opened = host.open();
  if (!opened)
    return report.wrong("libvirt " + settings.libvirt_uri + ": " + opened.error().message,
                        "usermod -aG libvirt \"$(id -un)\"; systemctl start libvirtd");
  report.well("libvirt " + settings.libvirt_uri);
  if (auto& filter = settings.policy.guest_filter; !filter.empty()) {
    auto there = host.has_filter(filter);
    if (there && *there)
      report.well("network filter " + filter);
    else
      report.wrong(there ? no_filter(settings.libvirt_uri, filter)
                         : "looking for a filter: " + there.error().message,
                   "virsh -c " + settings.libvirt_uri + " nwfilter-list");
  }
  auto guests = host.list();
  if (!guests)
    return report.wrong("listing guests: " + guests.error().message,
                        "virsh -c " + settings.libvirt_uri + " list --all");
  for (auto& [key, profile] : settings.policy.profiles) {
    const auto& base = profile.image.begins_with;
    const bool hand_made = !profile.template_guest.empty();
    if (profile.target_count == 0 || (!hand_made && base.kind != domain::ImageBase::Kind::guest))
      continue;
    const auto& name = hand_made ? profile.template_guest : base.name;
    bool there = false;
    for (auto& g : guests->guests)
      there |= g.name == name && g.state == domain::GuestState::off;
    const auto what = (hand_made ? "template guest " : "begins_with: guest ") + name;
    if (there)
      report.well(what);
    else
      report.wrong(what + " of profile " + key + ": not defined, or not shut off",
                   "virsh -c " + settings.libvirt_uri + " list --all");
  }
}

/// What lets this user read what the older monitor left, and delete what is taken over.
std::string mend_of_adoption(const config::Settings& settings) {
  const auto to_this_user = std::to_string(geteuid()) + " ";
  for (auto* name : {"runners", "profiles"})
    if (auto folder = fs::path(settings.data_path) / name;
        access(folder.c_str(), R_OK | W_OK | X_OK) != 0 && errno != ENOENT)
      return "chown -R " + to_this_user + folder.string();
  const auto images = settings.policy.images_path;
  return "chown " + to_this_user + images + "/base " + images + "/base/* " + images + "/runner";
}

/// What the older monitor left here. What GitHub has of it only shows when it is taken over.
void check_adoption(Report& report, const config::Settings& settings) {
  edge::EventLoop loop;
  edge::Host host(settings.libvirt_uri);
  auto opened = host.open();
  auto guests = opened ? host.list() : opened.error();
  std::vector<std::string> names;
  if (guests)
    for (auto& guest : guests->guests)
      names.push_back(guest.name);
  auto definitions = guests ? host.definitions(names) : guests.error();
  if (!definitions)
    return report.wrong("--adopt: guests can't be read: " + definitions.error().message,
                        "virsh -c " + settings.libvirt_uri + " list --all");
  try {
    auto left = edge::read_inheritance(settings.data_path, settings.policy.images_path);
    auto plan = domain::plan_adoption(
        {settings.policy,
         domain::Time{std::chrono::floor<domain::Duration>(std::chrono::system_clock::now())},
         left,
         guests->guests,
         *definitions,
         {}});
    for (auto& runner : plan.runners)
      report.note(
          "--adopt: " +
          (runner.uuid.empty()
               ? "the disk of runner " + std::to_string(runner.id) + " is deleted"
               : "guest " + runner.guest_name + " becomes runner " + std::to_string(runner.id) +
                     (runner.jit_served_at ? ", which may be running a job" : ", which is off and goes")));
    for (auto& image : plan.images)
      report.note("--adopt: image " + image.template_guest +
                  (image.reason.empty() ? " is kept" : " is deleted: " + image.reason));
    report.note("--adopt: " + std::to_string(left.runners.size()) +
                " folder(s) of runners; registrations at GitHub are not asked for here");
  } catch (const edge::StoreError& error) {
    report.wrong(std::string("--adopt: ") + error.what(), mend_of_adoption(settings));
  }
}

} // namespace

std::string lack_of_filter(const std::string& libvirt_uri, const std::string& filter) {
  if (filter.empty())
    return {};
  // Opening a connection to a frozen libvirtd blocks until it thaws: that must not keep the service from
  // starting.
  std::promise<edge::Result<bool>> promise;
  auto answer = promise.get_future();
  std::thread([promise = std::move(promise), libvirt_uri, filter]() mutable {
    edge::Host host(libvirt_uri);
    auto opened = host.open();
    auto there = opened ? host.has_filter(filter) : edge::Result<bool>(opened.error());
    host.close(); // who has the answer may end the process
    promise.set_value(std::move(there));
  }).detach();
  edge::Result<bool> there = edge::HostError{0, "libvirt does not answer"};
  if (answer.wait_for(std::chrono::seconds(5)) == std::future_status::ready)
    there = answer.get();
  if (!there)
    spdlog::warn("event=filter_not_checked filter={} reason=\"{}\"", filter, there.error().message);
  return there && !*there ? no_filter(libvirt_uri, filter) : "";
}

bool check_host(const config::Settings& settings, const std::string& env_file, std::ostream& out,
                bool adopt) {
  Report report(out);
  check_secrets(report, env_file);
  check_writable(report, "data folder", settings.data_path, "0700");
  check_images_folder(report, settings.policy.images_path);
  check_disks(report, settings);
  if (!settings.image_deps_dir.empty())
    check_readable(report, "image files", settings.image_deps_dir, true);
  check_image_files(report, settings);
  if (!settings.main_repo_path.empty())
    check_repository(report, settings);
  for (auto& address : settings.listen_on)
    check_address(report, address, settings);
  check_libvirt(report, settings);
  if (adopt)
    check_adoption(report, settings);
  if (settings.public_screenshots)
    report.note("public_screenshots is on: pictures of guests may show secrets");
  return report.all_well();
}

} // namespace ci::http
