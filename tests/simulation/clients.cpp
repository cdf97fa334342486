/// Simulation: clients that take, repeat, give up and give back; operators that pull levers.
#include "tests/simulation/scene.hpp"
#include "tests/simulation/simulation.hpp"

#include <algorithm>
#include <cstdio>

namespace ci::test {

namespace {

/// Whether it says: come again.
bool may_be_repeated(Refusal refusal) {
  switch (refusal) {
  case Refusal::not_ready:
  case Refusal::not_taken_up:
  case Refusal::busy:
  case Refusal::github_away:
  case Refusal::store_away:
    return true;
  default:
    return false;
  }
}

} // namespace

RequestId Simulation::next_request() {
  waiting_.insert(++last_request_);
  return last_request_;
}

void Simulation::client_take(std::uint64_t s) {
  char uid[40];
  std::snprintf(uid, sizeof uid, "%08zx-0000-4000-8000-000000000000", clients_.size() + 1);
  int count = 1 + static_cast<int>(s % 3);
  int minimum = mix(s, 1) % 3 == 0 ? 1 : count;
  auto& profile = scene::profiles[mix(s, 3) % 4 == 0];
  const auto run = static_cast<RunId>(100 + clients_.size() / 2); // two of a run's jobs take for themselves
  world_.runs.try_emplace(run, WorkflowRun{run, "in_progress", "", "servo/servo"});
  world_.jobs.try_emplace(run);
  clients_.push_back({{profile, uid, uid, "servo/servo", run, count, minimum}, {}, 0, false, {}});
  send_take(clients_.size() - 1, mix(s, 2) % 8 == 0);
}

void Simulation::client_repeat(std::uint64_t s) {
  if (clients_.empty())
    return;
  if (mix(s, 4) % 6 == 0 && !asking_.empty()) {
    auto request = std::next(asking_.begin(), static_cast<std::ptrdiff_t>(mix(s, 5) % asking_.size()))->first;
    if (give_up(request))
      given_up_.insert(request);
  }
  for (auto n = mix(s, 1) % 2 + 1; n > 0; --n) // two at once: a race of the same client
    send_take(s % clients_.size(), mix(s, 1 + n) % 8 == 0);
}

void Simulation::client_release(std::uint64_t s) {
  if (clients_.empty())
    return;
  auto& client = clients_[s % clients_.size()];
  client.giving_back = true;
  hear_release(next_request(), client.ask.unique_id);
}

void Simulation::operator_step(std::uint64_t s) {
  auto request = next_request();
  auto& profile = scene::profiles[mix(s, 2) % 2];
  switch (mix(s, 1) % 7) {
  case 0:
    return hear_lever(request, lever::StartOverride{{{profile, static_cast<int>(s % 8)}}});
  case 1:
    return hear_lever(request, lever::CancelOverride{});
  case 2:
    return hear_lever(request, lever::SetPaused{profile, true});
  case 3:
    return hear_lever(request, lever::SetPaused{profile, false});
  case 4:
  case 5:
    return hear_lever(request, lever::RebuildImage{profile});
  default: {
    auto seen = snapshot();
    bool any = seen && !seen->runners.empty();
    return hear_lever(request, lever::DestroyRunner{any ? seen->runners[s % seen->runners.size()]->id : 1});
  }
  }
}

void Simulation::send_take(std::size_t client, bool given_up) {
  auto request = next_request();
  asking_[request] = client;
  if (given_up)
    given_up_.insert(request);
  hear_take(request, clients_[client].ask, given_up);
}

void Simulation::answered(RequestId request, const TakeAnswer& answer) {
  waiting_.erase(request);
  auto it = asking_.find(request);
  if (it == asking_.end())
    return;
  auto& client = clients_[it->second];
  asking_.erase(it);
  if (given_up_.erase(request) && answer.verdict.refusal != Refusal::not_taken_up)
    fail("G2: a take that was given up had an effect");
  const bool held = !client.giving_back && std::any_of(client.promised.begin(), client.promised.end(),
                                                        [this](auto id) { return !replaceable(id); });
  if (auto refusal = answer.verdict.refusal; refusal != Refusal::none) {
    if (held && !may_be_repeated(refusal))
      fail("G3: a repeat of " + client.ask.unique_id + " is refused: " + to_string(refusal));
    return;
  }
  std::set<RunnerId> got;
  for (auto& view : answer.runners)
    got.insert(view->id);
  note("  " + client.ask.unique_id.substr(0, 8) + " is answered " + std::to_string(got.size()) + " runners");
  if (!client.promised.empty()) {
    // The same again, less those that have ended, or with others in the place of those that died or were stolen.
    if (got.size() > client.many)
      fail("G3: a repeat of " + client.ask.unique_id + " got more runners than before");
    for (auto id : client.promised)
      if (!got.count(id) && !client.giving_back && !replaceable(id))
        fail("G3: a repeat of " + client.ask.unique_id + " lacks runner " + std::to_string(id));
  }
  if (got.empty())
    return; // null
  // A repeat after a crash that swallowed the first answer may find that some have ended already; a first
  // answer not.
  if (static_cast<int>(got.size()) > client.ask.count)
    fail("G2: " + client.ask.unique_id + " got more than it asked for");
  for (auto& other : clients_)
    for (auto id : got)
      if (&other != &client && !other.giving_back && other.promised.count(id))
        fail("G2: runner " + std::to_string(id) + " is promised twice");
  if (client.promised.empty()) {
    auto& promised = granted_[client.ask.unique_id];
    for (auto id : promised)
      if (!got.count(id) && !client.giving_back && !replaceable(id))
        fail("G2: " + client.ask.unique_id + " is answered without runner " + std::to_string(id));
    client.many = std::max(got.size(), promised.size());
  }
  client.promised.merge(got);
}

/// All or nothing: no commit promises fewer than were asked for at least.
void Simulation::note_grant(const ReservationRecord& rec) {
  auto& ask = rec.request;
  if (rec.phase != ReservationPhase::granted || granted_.count(ask.unique_id))
    return;
  auto& promised = granted_[ask.unique_id];
  for (auto& slot : rec.slots)
    if (slot.state == SlotState::confirmed || slot.state == SlotState::started)
      promised.insert(slot.runner);
  if (static_cast<int>(promised.size()) < ask.minimum)
    fail("G2: " + ask.unique_id + " is granted " + std::to_string(promised.size()) + " runners, and asked for " +
         std::to_string(ask.minimum) + " at least");
}

/// Whether that runner has begun a job, or an end: then another may stand in its place.
bool Simulation::replaceable(RunnerId id) const {
  auto seen = snapshot();
  if (!seen)
    return true; // this process has not shown anything yet
  auto at = std::find_if(seen->runners.begin(), seen->runners.end(), [id](auto& view) { return view->id == id; });
  return at == seen->runners.end() || (*at)->status != Status::Reserved ||
         (*at)->details.at("phase") == "destroying"; // why that may be, check_given_up() asks
}

} // namespace ci::test
