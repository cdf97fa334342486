/// Simulation: workflow runs, their jobs, and what webhooks tell of them.
#include "tests/simulation/simulation.hpp"

#include <algorithm>

namespace ci::test {
namespace {

std::string label_of(const TakeRequest& ask) { return std::string(reserved_for) + ask.unique_id_spelt; }

bool waits_for(const WorkflowJob& job, const std::string& label) { return job.waits() && has_label(job.labels, label); }

} // namespace

void Simulation::run_step(std::uint64_t s) {
  if (clients_.empty())
    return;
  auto& client = clients_[s % clients_.size()];
  switch (mix(s, 1) % 8) {
  case 0:
    return end_run(client.ask.run_id, "cancelled");
  case 1:
    return end_run(client.ask.run_id, "failure");
  default:
    return queue_jobs(client);
  }
}

/// Once it has its runners.
void Simulation::queue_jobs(Client& client) {
  if (client.promised.empty() || client.queued || world_.runs.at(client.ask.run_id).over())
    return;
  client.queued = true;
  note("  jobs of " + client.ask.unique_id.substr(0, 8) + " are queued");
  for (std::size_t i = 0; i < client.promised.size(); ++i) {
    const std::vector<std::string> labels{label_of(client.ask)};
    world_.jobs[client.ask.run_id].push_back({++last_job_, "queued", labels, ""});
    tell(notice::Job{notice::Job::Action::queued, client.ask.qualified_repo, client.ask.run_id, labels, 0, ""});
  }
}

/// With all its jobs that have not begun; those that have end in their own time.
void Simulation::end_run(RunId id, const char* conclusion) {
  auto& run = world_.runs.at(id);
  if (run.over())
    return;
  note("  run " + std::to_string(id) + " ends: " + conclusion);
  run.status = "completed";
  run.conclusion = conclusion;
  for (auto& job : world_.jobs[id])
    if (job.waits()) {
      job.status = "completed";
      tell(notice::Job{notice::Job::Action::completed, "servo/servo", id, job.labels, 0, ""});
    }
  tell(notice::RunOver{"servo/servo", id});
}

GithubReply<std::vector<WorkflowJob>> Simulation::list_jobs(RunId run) {
  auto reply = world_.jobs_of(run);
  for (auto& client : clients_)
    if (client.ask.run_id == run && reply)
      client.none_waited |= std::none_of(reply.value->begin(), reply.value->end(),
                                         [&](auto& job) { return waits_for(job, label_of(client.ask)); });
  return reply;
}

/// Null: none waits for it.
WorkflowJob* Simulation::job_for(const World::Record& record) {
  for (auto& [run, jobs] : world_.jobs)
    for (auto& job : jobs)
      if (job.waits() && has_label(record.shown.labels, job.labels.front()))
        return &job;
  return nullptr;
}

/// The one that its label is for, or another's.
void Simulation::begin_job(const std::string& guest, bool for_its_label, bool shown) {
  auto* record = world_.record_of(world_.guests.at(guest));
  world_.begin_job(guest, shown);
  begun_.insert(record->shown.id);
  if (auto* job = for_its_label ? job_for(*record) : nullptr) {
    job->status = "in_progress";
    job->runner_name = record->shown.name;
  }
  tell_of_job(*record, notice::Job::Action::in_progress);
}

void Simulation::end_job(const std::string& guest) {
  auto* record = world_.record_of(world_.guests.at(guest));
  tell_of_job(*record, notice::Job::Action::completed);
  const auto name = record->shown.name;
  world_.end_job(guest);
  for (auto& [run, jobs] : world_.jobs) {
    auto mine = std::find_if(jobs.begin(), jobs.end(), [&](auto& job) { return job.runner_name == name; });
    if (mine == jobs.end())
      continue;
    mine->status = "completed";
    if (std::all_of(jobs.begin(), jobs.end(), [](auto& job) { return job.status == "completed"; }))
      end_run(run, "success");
  }
}

/// Some are lost at once, others because too many are under way.
void Simulation::tell(GithubNotice notice) {
  if (mix(salt_, 50 + notices_.size()) % 5 == 0)
    return;
  notices_.push_back(std::move(notice));
  if (notices_.size() > 20)
    notices_.pop_front();
}

void Simulation::tell_of_job(const World::Record& record, notice::Job::Action action) {
  RunId of = 77; // some job that reserved nothing
  for (auto& [run, jobs] : world_.jobs)
    for (auto& job : jobs)
      if (job.runner_name == record.shown.name)
        of = run;
  tell(notice::Job{action, "servo/servo", of, {}, record.shown.id, record.shown.name});
}

void Simulation::hook_step(std::uint64_t s) {
  if (mix(s, 1) % 4 == 0)
    return lie(mix(s, 4));
  if (notices_.empty())
    return;
  auto at = notices_.begin() + static_cast<std::ptrdiff_t>(mix(s, 2) % notices_.size());
  note("  a webhook comes");
  hear_notice(*at);
  if (mix(s, 3) % 4 != 0) // else it comes again
    notices_.erase(at);
}

/// What is not true, or not yet, or not of ours.
void Simulation::lie(std::uint64_t s) {
  note("  a webhook lies");
  if (!clients_.empty() && mix(s, 1) % 3 == 0)
    return hear_notice(notice::RunOver{"servo/servo", clients_[s % clients_.size()].ask.run_id});
  if (world_.records.empty())
    return;
  auto at = static_cast<std::ptrdiff_t>(mix(s, 2) % world_.records.size());
  auto& shown = std::next(world_.records.begin(), at)->second.shown;
  constexpr notice::Job::Action actions[] = {notice::Job::Action::queued, notice::Job::Action::in_progress,
                                             notice::Job::Action::completed};
  notice::Job told{actions[mix(s, 3) % 3], "servo/servo", 77, {}, shown.id, shown.name};
  switch (mix(s, 4) % 4) {
  case 0:
    told.runner_name = "somebody";
    break;
  case 1:
    told.runner += 1;
    break;
  default:
    lied_about_.insert(shown.id);
  }
  hear_notice(told);
}

/// Whatever webhooks say, a runner is given up for its run's sake only after GitHub itself said so. One whose job does
/// not come is kept until the deadline that its client was told, at least.
void Simulation::check_given_up(const Snapshot& seen) {
  for (auto& view : seen.runners) {
    auto reason = view->details.find("reason"), uid = view->details.find("reserved_for");
    if (reason == view->details.end() || uid == view->details.end() || !reason->second.starts_with("expired: "))
      continue;
    auto client = std::find_if(clients_.begin(), clients_.end(),
                               [&](auto& c) { return c.ask.unique_id_spelt == uid->second; });
    if (client == clients_.end())
      continue;
    auto& run = world_.runs.at(client->ask.run_id);
    const auto why = " of " + uid->second + " is given up, \"" + reason->second + "\"";
    if (reason->second.find("its workflow run") != std::string::npos && !run.over())
      fail("G2: runner " + std::to_string(view->id) + why + ", and its run goes on");
    if (reason->second.find("no job waits") != std::string::npos && !client->none_waited)
      fail("G2: runner " + std::to_string(view->id) + why + ", and its jobs wait");
    if (clock_jumped_ || !client->deadline || reason->second.starts_with("expired: its workflow run"))
      continue;
    auto kept_until = *client->deadline;
    if (reason->second == "expired: no job of its reservation began in time") // GitHub did not say that none will
      kept_until += policy_->timings.reserve_timeout_max - policy_->timings.reserve_timeout;
    if (wall() < kept_until)
      fail("G3: runner " + std::to_string(view->id) + why + ", " + std::to_string((kept_until - wall()).count()) +
           " ms too early");
  }
}

} // namespace ci::test
