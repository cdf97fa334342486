#include "actors/supervisor.hpp"

#include "actors/messages.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <set>

namespace ci {
namespace {

bool names(const std::vector<std::string>& list, const std::string& name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

} // namespace

Supervisor::Supervisor(caf::actor_config& config, MeterPtr meter, Supervision setup)
    : Metered(config, std::move(meter)), setup_(std::move(setup)) {
  for (auto& role : setup_.roles)
    charges_.push_back({role, {}, false});
  set_down_handler([this](caf::down_msg& message) { down(message); });
}

Supervisor::behavior_type Supervisor::make_behavior() {
  for (auto& charge : charges_)
    begin(charge);
  return {
      [this](end_all_atom) -> caf::result<caf::unit_t> {
        ++generation_; // no timer counts any more
        stoppers_.push_back(make_response_promise<caf::unit_t>());
        auto promise = stoppers_.back();
        for (auto charge = charges_.rbegin(); charge != charges_.rend(); ++charge)
          end(*charge);
        settle();
        return promise;
      },
      [this](anew_atom, std::uint64_t generation) {
        if (generation != generation_)
          return;
        restart_due_ = true;
        settle();
      },
      [this](stuck_atom, std::uint64_t generation) {
        if (generation == generation_ && !all_ended_are_gone())
          stuck();
      },
  };
}

void Supervisor::on_exit() {
  charges_.clear();
  stoppers_.clear();
  setup_ = {};
}

void Supervisor::begin(Charge& charge) {
  charge.ended = false;
  try {
    charge.members = charge.role.spawn();
  } catch (const std::exception& error) {
    give_up("the actors of " + charge.role.name + " can't be begun: " + error.what());
    return;
  }
  for (auto& member : charge.members)
    monitor(member.handle);
}

void Supervisor::down(const caf::down_msg& message) {
  for (auto& charge : charges_) {
    auto dead = std::find_if(charge.members.begin(), charge.members.end(),
                             [&](auto& member) { return member.handle.address() == message.source; });
    if (dead == charge.members.end())
      continue;
    auto actor = dead->actor;
    charge.members.erase(dead);
    if (!charge.ended) {
      spdlog::error("event=actor_died actor={} reason=\"{}\"", actor, system().render(message.reason));
      bring_down(charge);
    }
    settle();
    return;
  }
}

/// Marks every role that is to be begun anew because a marked one is.
void Supervisor::mark_dependents(std::vector<bool>& marked) const {
  for (bool grown = true; grown;) {
    grown = false;
    for (std::size_t i = 0; i < charges_.size(); ++i)
      for (std::size_t j = 0; j < charges_.size() && !marked[i]; ++j)
        if (marked[j] && (names(charges_[i].role.needs, charges_[j].role.name) ||
                          names(charges_[j].role.along, charges_[i].role.name)))
          marked[i] = grown = true;
  }
}

void Supervisor::bring_down(Charge& dead) {
  auto now = clock().now();
  deaths_ = now - last_death_ > setup_.calm ? 1 : deaths_ + 1;
  last_death_ = now;
  if (deaths_ > setup_.most_deaths)
    return give_up("actors die again and again, the last one in " + dead.role.name);
  std::vector<bool> marked(charges_.size());
  marked[static_cast<std::size_t>(&dead - charges_.data())] = true;
  mark_dependents(marked);
  for (auto i = charges_.size(); i-- > 0;)
    if (marked[i])
      end(charges_[i]);
  restart_due_ = false;
  auto pause = std::min(setup_.longest_pause, setup_.first_pause * (1 << std::min(deaths_ - 1, 20)));
  delayed_send(this, pause, anew_atom::value, ++generation_);
  delayed_send(this, setup_.patience, stuck_atom::value, generation_);
}

void Supervisor::end(Charge& charge) {
  if (std::exchange(charge.ended, true))
    return;
  if (charge.role.ending)
    charge.role.ending();
  for (auto& member : charge.members)
    send_exit(member.handle, caf::exit_reason::user_shutdown);
}

bool Supervisor::all_ended_are_gone() const {
  return std::all_of(charges_.begin(), charges_.end(),
                     [](auto& charge) { return !charge.ended || charge.members.empty(); });
}

/// Goes on where the last actor that had to end has ended.
void Supervisor::settle() {
  if (!all_ended_are_gone())
    return;
  if (!stoppers_.empty()) {
    for (auto& promise : std::exchange(stoppers_, {}))
      answer_unit(promise);
  } else if (restart_due_ && !given_up_) {
    restart_due_ = false;
    begin_anew();
  }
}

void Supervisor::begin_anew() {
  for (auto& charge : charges_) {
    if (!charge.ended)
      continue;
    begin(charge);
    spdlog::warn("event=actors_restarted role={} actors={}", charge.role.name, charge.members.size());
    std::set<std::string> actors;
    for (auto& member : charge.members)
      actors.insert(member.actor);
    if (setup_.restarted)
      for (auto& actor : actors)
        setup_.restarted(actor);
  }
}

void Supervisor::stuck() {
  std::string who;
  for (auto& charge : charges_)
    if (charge.ended)
      for (auto& member : charge.members)
        who += (who.empty() ? "" : ", ") + member.actor;
  give_up("these do not end: " + who);
}

void Supervisor::give_up(const std::string& why) {
  if (std::exchange(given_up_, true))
    return;
  spdlog::critical("event=supervision_failed why=\"{}\"", why);
  if (setup_.give_up)
    setup_.give_up(why);
}

} // namespace ci
