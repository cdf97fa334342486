#include "actors/screenshots.hpp"

#include "actors/domain/names.hpp"
#include "actors/exceptions.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace ci {
namespace {

/// A picture that was begun so long ago will do for those who ask now.
constexpr domain::Duration fresh{1'000};
/// So long does who asks for a picture wait for it.
constexpr domain::Duration patience{10'000};
constexpr domain::Duration listing_timeout{30'000}, camera_timeout{30'000}, album_timeout{30'000};
/// A camera that has not answered for so long is asked for another picture.
constexpr domain::Duration camera_patience{600'000};

using domain::PictureState;

const char* word_for(PictureState state) {
  switch (state) {
  case PictureState::taken:
    return "taken";
  case PictureState::off:
    return "off";
  case PictureState::failed:
    break;
  }
  return "failed";
}

/// A profile's key becomes a folder's name.
bool names_a_folder(const std::string& key) {
  return !key.empty() && key.front() != '.' && key.find('/') == key.npos;
}

} // namespace

Screenshots::Screenshots(caf::actor_config& config, MeterPtr meter, ScreenshotSetup setup,
                         metrics_actor metrics)
    : Metered(config, std::move(meter)), setup_(std::move(setup)), metrics_(std::move(metrics)),
      taking_(setup_.cameras.size()) {
  if (!setup_.lister || setup_.cameras.empty() || setup_.albums.empty())
    throw std::invalid_argument("pictures take a listing, a camera and an album");
  set_exception_handler(log_exception(spdlog::level::err, "screenshots_exception"));
}

Screenshots::behavior_type Screenshots::make_behavior() {
  send(this, crank_atom::value, generation_);
  return {
      [this](shot_atom, domain::RunnerId runner, PicturedTo& to) { take_now(runner, std::move(to)); },
      [this](pace_atom, domain::Duration interval) { set_interval(interval); },
      [this](time_atom, const std::string& path) { lose_patience(path); },
      [this](time_atom, const std::string& path, std::uint64_t number) { shot_overdue(path, number); },
      [this](crank_atom, std::uint64_t generation) { tick(generation); },
  };
}

/// Those who wait are told by the end of their functions.
void Screenshots::on_exit() {
  shots_.clear();
  setup_ = {};
  metrics_ = metrics_actor{};
}

void Screenshots::set_interval(domain::Duration interval) {
  if (std::exchange(setup_.interval, interval) != interval)
    delayed_send(this, interval, crank_atom::value, ++generation_);
}

void Screenshots::tick(std::uint64_t generation) {
  if (generation != generation_)
    return;
  delayed_send(this, setup_.interval, crank_atom::value, ++generation_);
  if (listing_ || !queue_.empty() || !setup_.board->snapshot())
    return;
  listing_ = true;
  request(setup_.lister, listing_timeout, list_atom::value)
      .then(
          [this](const GuestListingReply& reply) {
            listing_ = false;
            begin_round(reply);
          },
          [this](const caf::error&) { listing_ = false; });
}

void Screenshots::begin_round(const GuestListingReply& reply) {
  const auto snapshot = setup_.board->snapshot();
  const auto policy = setup_.policy ? setup_.policy() : nullptr;
  if (!snapshot || !reply.listing)
    return;
  for (const auto& guest : reply.listing->guests)
    if (guest.state == domain::GuestState::on)
      if (const auto path = path_of(guest.name, *snapshot, policy.get()); !path.empty())
        want(path, guest.name);
  std::set<domain::RunnerId> kept;
  for (const auto& runner : snapshot->runners)
    kept.insert(runner->id);
  send(setup_.albums.front(), forget_atom::value, std::move(kept));
  // What was noted of guests that are no more.
  const auto stale = clock().now() - std::max<domain::Duration>(fresh, 10 * setup_.interval);
  std::erase_if(taken_, [&](const auto& entry) { return entry.second < stale; });
  std::erase_if(trouble_, [&](const auto& entry) { return !shots_.contains(entry.first); });
  begin_shots();
}

std::string Screenshots::path_of(const std::string& guest, const domain::Snapshot& snapshot,
                                 const domain::Policy* policy) const {
  if (const auto runner = domain::parse_runner_guest(setup_.prefixes, guest)) {
    const auto known = std::find_if(snapshot.runners.begin(), snapshot.runners.end(),
                                    [&](const auto& view) { return view->id == runner->id; });
    if (known != snapshot.runners.end() && (*known)->guest_name == guest)
      return domain::runner_picture_path(runner->id);
  }
  if (const auto build = domain::parse_rebuild_guest(setup_.prefixes, guest))
    if (policy && policy->profiles.contains(build->profile) && names_a_folder(build->profile))
      return domain::profile_picture_path(build->profile);
  return {};
}

bool Screenshots::want(const std::string& path, const std::string& guest) {
  if (shots_.contains(path))
    return true;
  if (std::find(taking_.begin(), taking_.end(), path) != taking_.end())
    return false;
  shots_.try_emplace(path, Shot{guest, {}, false, 0, {}});
  queue_.push_back(path);
  return true;
}

void Screenshots::take_now(domain::RunnerId runner, PicturedTo to) {
  const auto path = domain::runner_picture_path(runner);
  const auto taken = taken_.find(path);
  if (taken != taken_.end() && taken->second + fresh > clock().now())
    return to({PictureState::taken, {}});
  const auto snapshot = setup_.board->snapshot();
  std::string guest;
  if (snapshot)
    for (const auto& view : snapshot->runners)
      if (view->id == runner)
        guest = view->guest_name.value_or("");
  if (guest.empty())
    return to({PictureState::off, {}});
  if (!want(path, guest))
    return to({PictureState::failed, "the hypervisor still takes an earlier picture"});
  auto& shot = shots_.at(path);
  shot.waiting.push_back({std::move(to), clock().now()});
  delayed_send(this, patience, time_atom::value, path);
  if (!shot.under_way) {
    queue_.erase(std::find(queue_.begin(), queue_.end(), path));
    queue_.push_front(path);
  }
  begin_shots();
}

void Screenshots::lose_patience(const std::string& path) {
  const auto shot = shots_.find(path);
  if (shot == shots_.end())
    return;
  std::erase_if(shot->second.waiting, [&](auto& waiting) {
    const bool too_long = waiting.since + patience <= clock().now();
    if (too_long)
      waiting.to({PictureState::failed, "the hypervisor gave no picture in time"});
    return too_long;
  });
}

void Screenshots::begin_shots() {
  for (std::size_t camera = 0; camera < taking_.size() && !queue_.empty(); ++camera)
    if (taking_[camera].empty()) {
      const auto path = queue_.front();
      queue_.pop_front();
      begin_shot(camera, path);
    }
}

void Screenshots::begin_shot(std::size_t camera, const std::string& path) {
  auto& shot = shots_.at(path);
  shot.under_way = true;
  shot.begun = clock().now();
  shot.at_camera = ++asked_;
  taking_[camera] = path;
  delayed_send(this, camera_timeout, time_atom::value, path, asked_);
  const auto free = [this, camera] {
    taking_[camera].clear();
    begin_shots();
  };
  request(setup_.cameras[camera], camera_patience, shot_atom::value, shot.guest)
      .then(
          [this, path, number = asked_, free](const PictureReply& reply) {
            if (at_camera(path, number))
              this->shot(path, reply);
            free();
          },
          [this, path, number = asked_, free](const caf::error& error) {
            if (at_camera(path, number))
              finish(path, {PictureState::failed, "libvirt gave no picture: " + system().render(error)});
            free();
          });
}

void Screenshots::shot_overdue(const std::string& path, std::uint64_t number) {
  if (at_camera(path, number))
    finish(path, {PictureState::failed, "libvirt gave no answer in time"});
}

bool Screenshots::at_camera(const std::string& path, std::uint64_t number) const {
  const auto shot = shots_.find(path);
  return shot != shots_.end() && shot->second.at_camera == number;
}

void Screenshots::shot(const std::string& path, const PictureReply& reply) {
  shots_.at(path).at_camera = 0;
  if (!reply.picture)
    return finish(path, {reply.off ? PictureState::off : PictureState::failed, reply.error});
  next_album_ = (next_album_ + 1) % setup_.albums.size();
  request(setup_.albums[next_album_], album_timeout, keep_atom::value, path, reply.picture)
      .then([this, path](const domain::PictureOutcome& outcome) { finish(path, outcome); },
            [this, path](const caf::error& error) {
              finish(path, {PictureState::failed, "the picture was not kept: " + system().render(error)});
            });
}

void Screenshots::finish(const std::string& path, const domain::PictureOutcome& outcome) {
  auto done = shots_.extract(path);
  auto& shot = done.mapped();
  if (outcome.state == PictureState::taken)
    taken_[path] = shot.begun;
  const auto trouble = outcome.state == PictureState::failed ? outcome.trouble : "";
  if (auto& before = trouble_[path]; std::exchange(before, trouble) != trouble && !trouble.empty())
    spdlog::warn("event=picture_not_taken guest={} error=\"{}\"", shot.guest, trouble);
  if (metrics_)
    send(metrics_, count_atom::value, std::string("ci_monitor_screenshots_total"),
         MetricLabels{{"outcome", word_for(outcome.state)}}, 1.0);
  for (auto& waiting : shot.waiting)
    waiting.to(outcome);
}

} // namespace ci
