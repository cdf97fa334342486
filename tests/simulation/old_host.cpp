/// Simulation: a host as an older monitor leaves it, which is taken over by `--adopt`.
#include "tests/simulation/scene.hpp"
#include "tests/simulation/simulation.hpp"

#include <cstdlib>

namespace ci::test {
namespace {

const std::string disk_folder = "/var/lib/libvirt/images/runner/";
const std::string image_folder = "/var/lib/libvirt/images/base/";

std::string snapshot_of(const std::string& name) { return name.substr(name.rfind('@') + 1); }

} // namespace

/// Leaves one thing. Whatever looks ours there is about to be: nobody else's does.
void Simulation::leave(std::uint64_t s) {
  if (last_left_ == 0) {
    policy_->budget = {room_, std::int64_t{1} << 40};
    last_left_ = 10;
    const auto snapshot = snapshot_of(scene::template_name);
    older_images_.insert("linux@" + snapshot);
    world_.image_files.insert(image_folder + "linux@" + snapshot);
    left_.current_snapshots["linux"] = snapshot;
  }
  const auto id = ++last_left_;
  const auto& profile = scene::profiles[mix(s, 1) % 3 == 0];
  const bool fits = units_in_use() + scene::units.at(profile) <= room_;
  switch (fits ? s % 8 : 0) {
  case 0:
    note("left: disk " + std::to_string(id));
    world_.disks.insert(disk_folder + std::to_string(id) + "-");
    return;
  case 1:
    return leave_image(id, profile, true);
  case 2:
    return leave_image(id, profile, false);
  default:
    return leave_guest(id, profile, s);
  }
}

/// A runner in any state that it may be in, or what is left of one.
void Simulation::leave_guest(RunnerId id, const std::string& profile, std::uint64_t s) {
  const auto name = "ci-runner-" + profile + "." + std::to_string(id);
  note("left: " + name);
  auto& folder = left_.runners[id];
  folder.created_at = wall() - std::chrono::minutes(5);
  const auto made = world_.make({name + "@ci0", {"self-hosted", "X64", profile}, "_work", 1}).value->registration;
  auto& record = world_.records.at(made.id);
  folder.jit_config = record.config;
  folder.registration_id = made.id;
  folder.registration_name = made.name;
  if (mix(s, 2) % 6 == 0)
    return; // its guest is gone
  const auto disk = disk_folder + std::to_string(id) + "-";
  world_.disks.insert(disk);
  auto& guest = world_.guests[name];
  guest = {"uuid-of-" + name, GuestState::on, "booted", world_.free_address(), record.config, true,
           "<domain><name>" + name + "</name><devices><disk type='file' device='disk'><source file='" + disk +
               "base.img'/><target dev='vda'/></disk></devices></domain>"};
  if (mix(s, 3) % 4 == 0) { // it is about to fetch its config
    guest.config.clear();
    return;
  }
  world_.go_online(name);
  if (mix(s, 4) % 3 == 0) {
    const auto run = static_cast<RunId>(100 + clients_.size());
    char uid[40];
    std::snprintf(uid, sizeof uid, "%08zx-0000-4000-8000-000000000000", clients_.size() + 1);
    const TakeRequest ask{profile, uid, uid, "servo/servo", run, 1, 1};
    world_.runs[run] = {run, "in_progress", "", "servo/servo"};
    world_.jobs[run] = {{++last_job_, "queued", {std::string(reserved_for) + uid}, ""}};
    world_.label(made.id, reservation_labels(ask, wall()));
    clients_.push_back({ask, {}, 0, false, {}});
  }
  if (mix(s, 5) % 3 == 0)
    begin_job(name, true, mix(s, 6) % 2);
  else if (mix(s, 5) % 3 == 1)
    world_.power_off(name, mix(s, 6) % 2 ? "shutdown" : "crashed");
}

/// An older image, or a build that was under way.
void Simulation::leave_image(RunnerId id, const std::string& profile, bool built) {
  const auto snapshot = "2019-11-" + std::to_string(id) + "T00:00:00.000000000Z";
  const auto name = (built ? "ci-template-" : "ci-rebuild-") + profile + "@" + snapshot;
  note("left: " + name);
  world_.add_template(name);
  older_images_.insert(profile + "@" + snapshot);
  world_.image_files.insert(image_folder + profile + "@" + snapshot);
  if (built)
    return;
  left_builds_.insert(name);
  world_.guests.at(name).state = GuestState::on;
  world_.guests.at(name).address = world_.free_address();
}

StoreImage Simulation::found() const {
  auto image = store_;
  if (last_left_ != 0)
    image.next_id = std::max(image.next_id, last_left_ + 1);
  if (!adopting_)
    return image;
  image.inherited = left_;
  for (auto& disk : world_.disks)
    image.inherited->disks.insert(std::atoll(disk.c_str() + disk_folder.size()));
  for (auto& files : world_.image_files) {
    const auto at = files.rfind('@');
    image.inherited->image_files[files.substr(image_folder.size(), at - image_folder.size())].insert(
        files.substr(at + 1));
  }
  return image;
}

void Simulation::forget_files(const InheritedFiles& files) {
  std::erase_if(left_.runners,
                [&](auto& folder) { return folder.first < files.below && !files.others.contains(folder.first); });
}

} // namespace ci::test
