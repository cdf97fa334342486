/// Core: reservations that were answered and whose jobs have not all begun. Their workflow run is asked
/// before they are given up, and runners that died or worked for another job are replaced.
#include "actors/domain/core.hpp"

#include <algorithm>

namespace ci::domain {
namespace {

/// How often the run is asked while a reserved runner waits for its job: a run that was cancelled frees its
/// runners so much later.
constexpr Duration run_look_interval{20'000};
/// After something happened to a reserved runner, until GitHub's list of jobs tells of it.
constexpr Duration jobs_lag{2'000};
constexpr Duration run_retry{5'000};
/// GitHub's list of jobs may be late: so long it must leave a runner out before that means another job.
constexpr Duration jobs_doubt{10'000};

bool is_unstarted(SlotState s) {
  return s == SlotState::chosen || s == SlotState::labelled || s == SlotState::confirmed;
}

/// Of jobs that it is for.
std::string label_of(const Reservation& r) { return std::string(reserved_for) + r.rec.request.unique_id_spelt; }

bool can_work(const Runner& runner) {
  return runner.rec.phase == Phase::live && !runner.guest_off() && !runner.rec.registration_ended;
}

} // namespace

/// From here until the answer nothing more is asked about this run.
void Core::watch_run(Reservation& r) {
  if (!r.given_up.empty() || r.asking)
    return;
  auto& t = policy_->timings;
  const bool waits = count_slots(r.rec, is_unstarted) > 0;
  const auto deadline = r.rec.deadline.value_or(now_.time);
  const auto last =
      r.rec.granted_at.value_or(r.rec.created_at) + std::max(t.reserve_timeout, t.reserve_timeout_max);
  r.jobs_wanted &= now_.time < last;
  if (policy_->dont_register_runners)
    return;
  if (now_.time >= last) {
    if (waits)
      give_up(r, "expired: no job of its reservation began in time");
    return;
  }
  if (!waits && !r.jobs_wanted)
    return;
  if (!r.ask_due)
    r.ask_due = now_.time + run_look_interval;
  const bool past = waits && now_.time >= deadline;
  auto due = *r.ask_due;
  if (past && !r.asked_past)
    due = now_.time;
  else if (!past && waits)
    due = std::min(due, deadline);
  if (now_.time < due)
    return wake(std::min(due, last));
  r.asking = true;
  r.asked_past = past;
  r.asked_at = now_.time;
  auto& request = r.rec.request;
  if (past || !r.jobs_wanted)
    order(effect::AskRun{request.unique_id, request.qualified_repo, request.run_id});
  else
    order(effect::AskJobs{request.unique_id, request.qualified_repo, request.run_id});
}

/// Something happened that only the list of jobs explains.
void Core::want_jobs(Reservation& r) {
  if (!r.given_up.empty() || r.rec.phase != ReservationPhase::granted || policy_->dont_register_runners)
    return;
  r.jobs_wanted = true;
  r.ask_due = std::min(r.ask_due.value_or(Time::max()), now_.time + jobs_lag);
}

/// The runners whose jobs have not begun are let go, by the usual ladder.
void Core::give_up(Reservation& r, const std::string& why) {
  r.given_up = why;
  r.jobs_wanted = false;
  for (auto& slot : r.rec.slots)
    if (slot.state == SlotState::chosen || slot.state == SlotState::labelled)
      slot.state = SlotState::unlabel;
  log(LogLevel::info, "reservation_given_up",
      "unique_id=" + r.rec.request.unique_id + " why=\"" + why + "\"");
  save(r);
}

/// Whether the failure says nothing of the run; then it is asked again, later.
bool Core::run_unknown(Reservation& r, const GithubError& error) {
  if (!error.general())
    return false;
  r.asked_past = true;
  r.ask_due = now_.time + std::max(run_retry, error.retry_after);
  return true;
}

/// The reservation that an answer about its run or its jobs is for; null where there is nothing to make of it.
Reservation* Core::run_answered(Now now, const std::string& uid, const GithubError& error) {
  see(now);
  note_github(error);
  auto it = reservations_.find(uid);
  if (it == reservations_.end())
    return nullptr;
  auto& r = it->second;
  r.asking = false;
  if (r.rec.phase != ReservationPhase::granted || (error && run_unknown(r, error)))
    return nullptr;
  r.ask_due = now.time + run_look_interval;
  return &r;
}

void Core::on_run(Now now, const std::string& uid, const GithubReply<WorkflowRun>& reply) {
  auto* answered = run_answered(now, uid, reply.error);
  if (!answered)
    return;
  auto& r = *answered;
  const bool past = now.time >= r.rec.deadline.value_or(now.time);
  if (!reply) { // no such run: nothing can wait for these runners
    r.jobs_wanted = false;
    if (past)
      give_up(r, "expired: no job of its reservation began in time, and its workflow run is not known");
  } else if (reply.value->over()) {
    give_up(r, reply.value->conclusion == "cancelled" ? "expired: its workflow run was cancelled"
                                                      : "expired: its workflow run is over");
  } else if (past || r.jobs_wanted) {
    r.asking = true;
    order(effect::AskJobs{uid, r.rec.request.qualified_repo, r.rec.request.run_id});
  }
}

void Core::on_jobs(Now now, const std::string& uid, const GithubReply<std::vector<WorkflowJob>>& reply) {
  auto* answered = run_answered(now, uid, reply.error);
  if (!answered)
    return;
  auto& r = *answered;
  r.jobs_wanted = false;
  const auto waiting = reply ? settle_with_jobs(r, *reply.value) : 0;
  const bool past = now.time >= r.rec.deadline.value_or(now.time);
  if (waiting > 0)
    replace_missing(r, waiting);
  else if (past && count_slots(r.rec, is_unstarted) > 0)
    give_up(r, "expired: no job waits for its reservation");
  // The job of a runner that was lost may not even be queued yet.
  if (reply && !past && !r.jobs_wanted && lacks_runners(r, *reply.value)) {
    r.jobs_wanted = true;
    r.ask_due = now.time + run_retry;
  }
}

/// Whether the runner works, or worked, for one of the jobs that the reservation is for.
bool Core::worked_for(const Reservation& r, RunnerId id, const std::vector<WorkflowJob>& jobs) const {
  const auto* runner = find(id);
  const auto gone = gone_.find(id);
  const auto name = runner                ? runner->rec.registration_name
                    : gone != gone_.end() ? gone->second.rec.registration_name
                                          : std::string();
  const auto label = label_of(r);
  return !name.empty() && std::any_of(jobs.begin(), jobs.end(), [&](auto& job) {
    return job.runner_name == name && has_label(job.labels, label);
  });
}

/// It waits for its job, and can begin it.
bool Core::is_fit(const ReservationSlot& slot) const {
  const auto* runner = find(slot.runner);
  return is_unstarted(slot.state) && runner && can_work(*runner) && !runner->rec.busy_seen;
}

/// A runner of it ended, or works, without a job of the run, and none has come in its place.
bool Core::lacks_runners(const Reservation& r, const std::vector<WorkflowJob>& jobs) const {
  int held = 0;
  bool lost = false;
  for (auto& slot : r.rec.slots) {
    const bool good = is_fit(slot) || worked_for(r, slot.runner, jobs);
    held += good;
    lost |= !good;
  }
  return lost && held < r.rec.request.count;
}

/// Which of its runners worked for it, and which for another job? How many jobs still wait for one.
int Core::settle_with_jobs(Reservation& r, const std::vector<WorkflowJob>& jobs) {
  const auto label = label_of(r);
  const auto waiting = static_cast<int>(std::count_if(
      jobs.begin(), jobs.end(), [&](auto& job) { return job.waits() && has_label(job.labels, label); }));
  bool changed = false;
  for (auto& slot : r.rec.slots) {
    auto* runner = find(slot.runner);
    const bool worked = worked_for(r, slot.runner, jobs);
    auto& work = r.work[slot.runner];
    const bool taken_back = slot.state == SlotState::released && runner &&
                            runner->stolen_from == r.rec.request.unique_id_spelt;
    if (worked)
      work.unlisted_since.reset();
    if (worked && (slot.state == SlotState::confirmed || slot.state == SlotState::given_up || taken_back)) {
      if (runner) {
        runner->stolen_from.clear();
        slot_started(r, slot);
      } else
        slot.state = SlotState::finished;
      changed = true;
      continue;
    }
    const bool unlisted = !worked && waiting > 0 &&
                          (runner ? slot.state == SlotState::started : slot.state == SlotState::finished);
    // Whoever is no more is replaced soon; one that works may well do so for its reservation.
    if (!unlisted || (runner && doubts_list(r, work)))
      continue;
    changed = true;
    if (!runner) {
      slot.state = SlotState::given_up;
      continue;
    }
    slot.state = SlotState::released; // its labels go with it
    runner->stolen_from = r.rec.request.unique_id_spelt;
    log(LogLevel::warn, "runner_stolen",
        "unique_id=" + r.rec.request.unique_id + " runner=" + std::to_string(slot.runner));
    order(effect::Count{"ci_monitor_stolen_total", {{"profile", r.rec.request.profile}}});
  }
  if (changed)
    save(r);
  return waiting;
}

/// Whether the list of jobs, which names others, is to be asked for once more before it is believed.
bool Core::doubts_list(Reservation& r, Reservation::Work& work) {
  if (!work.unlisted_since)
    work.unlisted_since = now_.time;
  const auto believed = *work.unlisted_since + jobs_doubt;
  if (now_.time >= believed)
    return false;
  r.jobs_wanted = true;
  r.ask_due = std::min(r.ask_due.value_or(Time::max()), believed);
  return true;
}

/// Idle runners for jobs that wait for more than is left of the reservation; never beyond what was promised.
void Core::replace_missing(Reservation& r, int waiting) {
  int fit = 0, held = 0;
  for (auto& slot : r.rec.slots) {
    const auto* runner = find(slot.runner);
    fit += is_fit(slot);
    held += (is_unstarted(slot.state) && runner && can_work(*runner)) || slot.state == SlotState::started ||
            slot.state == SlotState::finished;
  }
  auto missing = std::min(waiting - fit, r.rec.request.count - held);
  bool added = false;
  for (auto id : idle_runners(r.rec.request.profile)) {
    if (missing <= 0)
      break;
    --missing;
    added = true;
    r.committed = false;
    r.rec.slots.push_back({id, SlotState::chosen});
    log(LogLevel::info, "runner_replaced",
        "unique_id=" + r.rec.request.unique_id + " by=" + std::to_string(id));
    order(effect::Count{"ci_monitor_replaced_total", {{"profile", r.rec.request.profile}}});
  }
  if (added)
    save(r, [this, uid = r.rec.request.unique_id] {
      if (auto it = reservations_.find(uid); it != reservations_.end())
        it->second.committed = true;
    });
  if (missing > 0) { // there may be an idle one soon
    r.jobs_wanted = true;
    r.ask_due = now_.time + run_retry;
  }
}

} // namespace ci::domain
