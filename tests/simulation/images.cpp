/// Simulation: what rebuild guests do by themselves, and what must hold of images.
#include "tests/simulation/scene.hpp"
#include "tests/simulation/simulation.hpp"

#include <algorithm>

namespace ci::test {
namespace {

/// `<profile>@<snapshot>` of an image's guest or file.
std::string image_of(const std::string& name) {
  if (const auto slash = name.rfind('/'); slash != std::string::npos)
    return name.substr(slash + 1);
  return name.substr(name.find('-', name.find('-') + 1) + 1);
}

} // namespace

std::vector<std::string> Simulation::rebuild_guests() const {
  std::vector<std::string> names;
  for (auto& [name, g] : world_.guests)
    if (name.starts_with("ci-rebuild-"))
      names.push_back(name);
  return names;
}

void Simulation::rebuild_step(const std::string& name, std::uint64_t s) {
  auto& g = world_.guests.at(name);
  if (g.state != GuestState::on)
    return;
  auto dice = mix(s, 1) % 10;
  if (dice == 0) {
    note("  " + name + " crashes");
    world_.power_off(name, "crashed");
    observe(name);
  } else if (dice < 4) {
    hear_boot(next_request(), g.address);
    ask_jit(name); // it is none of its business
  } else if (dice < 8) {
    note("  " + name + " has made its image");
    power_off(name);
  }
}

/// In the calm each build ends at once; as a failure, while builds fail.
void Simulation::rebuild_duty(const std::string& name) {
  if (world_.guests.at(name).state != GuestState::on)
    return;
  world_.power_off(name, builds_fail_ ? "crashed" : "shutdown");
  observe(name);
}

/// G8: beside an image that serves, builds and runners that are to prove a new image take one slot at most.
void Simulation::check_borrowed() {
  std::map<std::string, int> borrowed;
  std::set<std::string> served, unproven;
  for (auto& image : store_.images) {
    if (image.phase == ImagePhase::ready)
      served.insert(image.profile);
    else
      unproven.insert(image.template_guest);
  }
  served.insert(scene::profile_of(scene::template_name));
  for (auto& [name, g] : world_.guests)
    if (name.starts_with("ci-rebuild-") && g.state == GuestState::on && !left_builds_.count(name))
      ++borrowed[scene::profile_of(name)];
  for (auto& r : store_.runners)
    if (world_.guests.count(r.guest_name) && r.template_guest != scene::template_name && !r.template_guest.empty() &&
        !world_.guests.count(r.template_guest))
      fail("G5: the image of " + r.guest_name + " is deleted, and its disk may depend on it");
  for (auto& r : store_.runners)
    if (unproven.count(r.template_guest) && !r.online_at)
      if (auto it = world_.guests.find(r.guest_name);
          it != world_.guests.end() && it->second.state == GuestState::on)
        ++borrowed[r.profile];
  for (auto& [profile, slots] : borrowed)
    if (slots > 1 && served.count(profile))
      fail("G8: " + std::to_string(slots) + " slots of " + profile + " are taken for its images");
}

/// G8: no build, however often it fails, costs a profile more than one runner.
void Simulation::check_failing_builds() {
  auto seen = snapshot();
  if (!seen)
    return;
  for (auto& [key, counts] : seen->profiles)
    if (!counts.image.template_guest.empty() && counts.idle < scene::targets.at(key) - 1)
      fail("G8: while builds fail, " + key + " has " + std::to_string(counts.idle) + " idle runners");
}

/// Of which a guest or a file is there.
std::set<std::string> Simulation::images_there() const {
  std::set<std::string> images;
  for (auto& [name, g] : world_.guests)
    if (name.starts_with("ci-rebuild-") || (name.starts_with("ci-template-") && name != scene::template_name))
      images.insert(image_of(name));
  for (auto& file : world_.image_files)
    images.insert(image_of(file));
  return images;
}

/// G5: as check_intents() asks of runners.
void Simulation::check_image_intents() {
  std::set<std::string> known = older_images_;
  for (auto& image : store_.images)
    known.insert(image.profile + "@" + image.snapshot);
  for (auto& image : images_there())
    if (!known.count(image))
      fail("G5: something of the image " + image + " is there, and no record tells of it");
}

/// That are there though they are to be deleted, or nobody knows of them, and no runner's disk depends on them.
std::set<std::string> Simulation::unwanted_images() const {
  auto images = images_there();
  for (auto& image : store_.images)
    if (image.phase != ImagePhase::discarding)
      images.erase(image.profile + "@" + image.snapshot);
  for (auto& r : store_.runners)
    if (!r.guest_removed && !r.template_guest.empty())
      images.erase(image_of(r.template_guest));
  return images;
}

void Simulation::check_images_end(const Snapshot& seen) {
  std::set<std::string> templates, files;
  if (last_left_ == 0) // else it is ours like any other
    templates.insert(scene::template_name);
  std::map<std::string, int> kept;
  for (auto& image : store_.images) {
    if (image.phase != ImagePhase::ready)
      fail("G5: an image is " + std::string(to_string(image.phase)) + " in the end");
    if (!(image.held == Resources{}))
      fail("G8: an image holds a slot in the end");
    templates.insert(image.template_guest);
    files.insert("/var/lib/libvirt/images/base/" + image.profile + "@" + image.snapshot);
    if (++kept[image.profile] > 3)
      fail("G12: more than three images of " + image.profile + " are kept");
  }
  std::set<std::string> guests;
  for (auto& [name, g] : world_.guests)
    if (!name.starts_with("ci-runner-"))
      guests.insert(name);
  if (guests != templates)
    fail("G5: templates and images differ in the end");
  if (world_.image_files != files)
    fail("G5: files and images differ in the end");
  for (auto& r : seen.runners)
    if (auto& now = seen.profiles.at(r->profile).image.template_guest; r->details.at("template") != now)
      fail("G5: runner " + std::to_string(r->id) + " is made from " + r->details.at("template") +
           ", not from " + now);
}

} // namespace ci::test
