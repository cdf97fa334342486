#include "tests/simulation/core/core_simulation.hpp"

#include "tests/simulation/scene.hpp"

#include <algorithm>

namespace ci::test {
namespace {

/// Turns that one moment may ask for: more is a circle.
constexpr int most_turns = 20;

} // namespace

void CoreSimulation::start_process() {
  orders_.clear();
  commits_.clear();
  answers_.clear();
  snapshot_.reset();
  core_ = std::make_unique<Core>([this] { return random_(); });
  core_->on_loaded(now(), found());
  drained_.clear();
  for (auto& r : store_.runners) // an earlier process decided that
    if (r.phase == Phase::destroying)
      drained_.insert(r.id);
}

void CoreSimulation::react(bool) {
  for (int turn = 0; turn < most_turns; ++turn) {
    core_->crank(now());
    for (auto& effect : core_->drain())
      take_in(std::move(effect));
    if (core_->wake_at() > wall())
      return;
  }
  fail("G10: the decisions never come to rest");
}

void CoreSimulation::take_in(Effect effect) {
  if (auto* e = std::get_if<effect::Commit>(&effect)) {
    commits_.push_back(std::move(e->batch));
  } else if (auto* t = std::get_if<effect::AnswerTake>(&effect)) {
    answered(t->request, t->answer);
  } else if (auto* j = std::get_if<effect::AnswerJit>(&effect)) {
    answered(j->request, j->answer);
  } else if (auto* r = std::get_if<effect::AnswerRelease>(&effect)) {
    answered(r->request, r->answer);
  } else if (auto* b = std::get_if<effect::AnswerBoot>(&effect)) {
    answered(b->request, b->answer);
  } else if (auto* o = std::get_if<effect::AnswerLever>(&effect)) {
    answered(o->request, o->answer);
  } else if (auto* p = std::get_if<effect::Publish>(&effect)) {
    snapshot_ = p->snapshot;
  } else if (auto* l = std::get_if<effect::Log>(&effect)) {
    note("    " + l->event + " " + l->fields);
    if (tells_config(l->fields))
      fail("G9: a JIT config is logged");
  } else if (!std::holds_alternative<effect::Count>(effect) &&
             !std::holds_alternative<effect::Seconds>(effect)) {
    orders_.push_back(std::move(effect));
  }
}

// --- requests ---

void CoreSimulation::hear_take(RequestId request, const TakeRequest& ask, bool given_up) {
  if (given_up) // the ticket tells: the monitor does not take it up
    return answered(request, TakeAnswer{{Refusal::not_taken_up, "", Duration{0}}, {}});
  core_->take(now(), request, ask);
}
void CoreSimulation::hear_release(RequestId request, const std::string& unique_id) {
  core_->release(now(), request, unique_id);
}
void CoreSimulation::hear_jit(RequestId request, const std::string& address) {
  core_->jitconfig(now(), request, address);
}
void CoreSimulation::hear_boot(RequestId request, const std::string& address) {
  core_->boot(now(), request, address);
}

void CoreSimulation::hear_lever(RequestId request, const Lever& lever) {
  core_->operate(now(), request, lever);
}

// --- orders and answers ---

bool CoreSimulation::carry_one(std::uint64_t choice, Fault fault) {
  if (orders_.empty())
    return false;
  auto index = static_cast<std::ptrdiff_t>(choice % orders_.size());
  auto order = std::move(orders_[static_cast<std::size_t>(index)]);
  orders_.erase(orders_.begin() + index);
  std::visit([&](auto& e) { carry(e, fault); }, order);
  return true;
}

bool CoreSimulation::deliver_one(std::uint64_t choice) {
  if (answers_.empty())
    return false;
  auto index = static_cast<std::ptrdiff_t>(choice % answers_.size());
  auto answer = std::move(answers_[static_cast<std::size_t>(index)]);
  answers_.erase(answers_.begin() + index);
  note("  " + answer.what);
  answer.deliver();
  return true;
}

bool CoreSimulation::commit_one(bool acknowledge) {
  if (commits_.empty())
    return false;
  commit_to_store(commits_.front());
  commits_.pop_front();
  if (acknowledge)
    core_->on_committed(now());
  return true;
}

void CoreSimulation::carry(effect::ListRegistrations&, Fault fault) {
  auto reply = at_github<GithubReply<RegistrationListing>>(fault, [&] { return list_registrations(); });
  answer_with("listed", [=, this] { core_->on_registration_listing(now(), reply); });
}
void CoreSimulation::carry(effect::Look& e, Fault fault) {
  auto reply = at_github<GithubReply<Registration>>(fault, [&] { return look_at(e.registration); });
  answer_with("looked", [=, this] {
    hear_look(reply);
    core_->on_looked(now(), e.runner, reply);
  });
}
void CoreSimulation::carry(effect::LookSlot& e, Fault fault) {
  auto reply = at_github<GithubReply<Registration>>(fault, [&] { return look_at(e.registration); });
  answer_with("slot looked", [=, this] {
    hear_look(reply);
    core_->on_slot_looked(now(), e.unique_id, e.runner, reply);
  });
}
void CoreSimulation::carry(effect::FindRegistration& e, Fault fault) {
  auto reply = at_github<GithubReply<std::vector<Registration>>>(fault, [&] { return world_.find(e.name); });
  answer_with("found", [=, this] { core_->on_found(now(), e.runner, reply); });
}
void CoreSimulation::carry(effect::Register& e, Fault fault) {
  auto reply = at_github<GithubReply<JitRegistration>>(fault, [&] { return world_.make(e.request); });
  answer_with("registered", [=, this] { core_->on_registered(now(), e.runner, reply); });
}
void CoreSimulation::carry(effect::Unregister& e, Fault fault) {
  auto reply = at_github<GithubReply<Done>>(fault, [&] { return unregister(e.registration); });
  if (auto record = world_.records.find(e.registration); !reply && record != world_.records.end())
    record->second.look_anew(); // it may get a job before the next try
  answer_with("unregistered", [=, this] { core_->on_unregistered(now(), e.runner, reply); });
}
void CoreSimulation::carry(effect::Label& e, Fault fault) {
  auto reply = at_github<GithubReply<std::vector<std::string>>>(
      fault, [&] { return world_.label(e.registration, e.labels); });
  answer_with("labelled", [=, this] { core_->on_labelled(now(), e.unique_id, e.runner, reply); });
}
void CoreSimulation::carry(effect::Unlabel& e, Fault fault) {
  auto reply = at_github<GithubReply<Done>>(fault, [&] { return world_.unlabel(e.registration, e.labels); });
  answer_with("unlabelled", [=, this] { core_->on_unlabelled(now(), e.unique_id, e.runner, reply); });
}
void CoreSimulation::carry(effect::AskRun& e, Fault fault) {
  auto reply = at_github<GithubReply<WorkflowRun>>(fault, [&] { return world_.run(e.run); });
  answer_with("run told", [=, this] { core_->on_run(now(), e.unique_id, reply); });
}
void CoreSimulation::carry(effect::AskJobs& e, Fault fault) {
  auto reply = at_github<GithubReply<std::vector<WorkflowJob>>>(fault, [&] { return list_jobs(e.run); });
  answer_with("jobs told", [=, this] { core_->on_jobs(now(), e.unique_id, reply); });
}
void CoreSimulation::carry(effect::ListGuests&, Fault fault) {
  std::optional<GuestListing> listing;
  if (fault == Fault::none && !libvirt_down_)
    listing = list_guests();
  answer_with("guests", [=, this] { core_->on_guest_listing(now(), listing, listing ? "" : "made up"); });
}
void CoreSimulation::carry(effect::ListAddresses&, Fault fault) {
  std::optional<AddressListing> listing;
  if (fault == Fault::none && !libvirt_down_)
    listing = world_.addresses(steady());
  answer_with("addresses", [=, this] { core_->on_addresses(now(), listing, listing ? "" : "made up"); });
}
void CoreSimulation::carry(effect::ReadGuests& e, Fault fault) {
  std::optional<Definitions> read;
  if (fault == Fault::none && !libvirt_down_)
    for (auto& name : e.names)
      if (auto guest = world_.guests.find(name); guest != world_.guests.end())
        (read ? *read : read.emplace())[name] = guest->second.xml;
  answer_with("guests read", [=, this] { core_->on_guests_read(now(), read, read ? "" : "made up"); });
}
void CoreSimulation::carry(effect::ForgetInherited& e, Fault fault) {
  const bool done = fault == Fault::none;
  if (done)
    forget_files(e.files);
  answer_with("forgotten", [=, this] { core_->on_forgotten(now(), done, done ? "" : "made up"); });
}
void CoreSimulation::carry(effect::LinkSnapshot& e, Fault fault) {
  const bool done = fault == Fault::none;
  if (done)
    link_snapshot(e.profile, e.snapshot);
  answer_with("linked", [=, this] { core_->on_linked(now(), e.profile, e.snapshot, done ? "" : "made up"); });
}
void CoreSimulation::carry(effect::Prepare& e, Fault fault) {
  auto reply = at_host(fault, [&] { return world_.prepare(e.spec, steady()); });
  answer_with("prepared", [=, this] { core_->on_prepared(now(), e.runner, reply); });
}
void CoreSimulation::carry(effect::Start& e, Fault fault) {
  auto reply = at_host(fault, [&] { return world_.start(e.spec, steady()); });
  answer_with("started", [=, this] { core_->on_started(now(), e.runner, reply); });
}
void CoreSimulation::carry(effect::Remove& e, Fault fault) {
  auto reply = at_host(fault, [&] { return world_.remove(e.spec, steady()); });
  answer_with("removed", [=, this] { core_->on_removed(now(), e.runner, reply); });
}
void CoreSimulation::carry(effect::PrepareImage& e, Fault fault) {
  auto reply = at_host(fault, [&] { return world_.prepare_image(e.spec, steady()); });
  answer_with("image prepared", [=, this] { core_->on_image_prepared(now(), e.spec.template_guest, reply); });
}
void CoreSimulation::carry(effect::StartImage& e, Fault fault) {
  auto reply = at_host(fault, [&] { return world_.start_image(e.spec, steady()); });
  answer_with("image started", [=, this] { core_->on_image_started(now(), e.spec.template_guest, reply); });
}
void CoreSimulation::carry(effect::SealImage& e, Fault fault) {
  auto reply = at_host(fault, [&] { return world_.seal_image(e.spec, steady()); });
  answer_with("image sealed", [=, this] { core_->on_image_sealed(now(), e.spec.template_guest, reply); });
}
void CoreSimulation::carry(effect::DiscardImage& e, Fault fault) {
  auto reply = at_host(fault, [&] { return world_.discard_image(e.spec, steady()); });
  answer_with("image discarded", [=, this] { core_->on_image_discarded(now(), e.spec.template_guest, reply); });
}
void CoreSimulation::carry(effect::UpdateRepo&, Fault fault) {
  auto reply = at_host(fault, [&] { return HostReply{"", steady()}; });
  answer_with("checkout updated", [=, this] { core_->on_repo_updated(now(), reply); });
}

// --- promises ---

void CoreSimulation::check_more() {
  // Before libvirt has told, every runner of an earlier process is taken to hold its slot.
  bool all_known = std::all_of(core_->runners().begin(), core_->runners().end(), [](auto& r) {
    return r.second.guest_known || r.second.rec.phase == Phase::creating;
  });
  const auto held = core_->held(), budget = policy_->budget;
  if (all_known && (held.hugepages_1g > budget.hugepages_1g || held.memory_bytes > budget.memory_bytes))
    fail("G4: more is held than there is" + holders());
  if (auto calls = orders_.size() + answers_.size(); calls > 30 + 3 * living())
    fail("G12: " + std::to_string(calls) + " calls are under way for " + std::to_string(living()) + " runners");
  check_drained();
}

/// Who holds something of the host.
std::string CoreSimulation::holders() const {
  std::string text;
  for (auto& [id, r] : core_->runners())
    if (r.holds_budget())
      text += ", runner " + std::to_string(id) + " (" + to_string(r.rec.phase) + ", " + to_string(r.guest) + ")";
  for (auto& [name, image] : core_->images().all())
    if (!(image.rec.held == Resources{}))
      text += ", " + name + " (" + to_string(image.rec.phase) + ")";
  return text;
}

/// G8: a runner that could work is let go for an image's sake only where all others that are wanted can work.
void CoreSimulation::check_drained() {
  if (!snapshot_)
    return;
  for (auto& [id, r] : core_->runners()) {
    auto& why = r.rec.reason;
    if (r.rec.phase != Phase::destroying) {
      drained_.erase(id); // perhaps it is busy after all
    } else if ((why.starts_with("makes room") || why.starts_with("replaced: ")) && drained_.insert(id).second) {
      auto& c = snapshot_->profiles.at(r.rec.profile);
      if (c.idle + c.reserved + c.busy < c.target - 1)
        fail("G8: " + r.rec.profile + " has " + std::to_string(c.idle + c.reserved + c.busy) + " runners that can work, " +
             std::to_string(c.target) + " are wanted, and one was let go for an image");
    }
  }
}

} // namespace ci::test
