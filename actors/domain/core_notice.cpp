/// Core: what GitHub's webhooks tell. A notice only brings a question forward, or has a runner taken for Busy;
/// what ends a guest are GitHub's answers alone (G1).
#include "actors/domain/core.hpp"

#include <algorithm>

namespace ci::domain {
namespace {

/// However many notices of one run come in, it is asked about no more often than this.
constexpr Duration least_between_asks{2'000};

} // namespace

void Core::on_notice(Now now, const GithubNotice& notice) {
  see(now);
  const char* event = "run_completed";
  bool used = false;
  if (auto* job = std::get_if<notice::Job>(&notice)) {
    using Action = notice::Job::Action;
    event = job->action == Action::in_progress ? "job_in_progress"
            : job->action == Action::completed ? "job_completed"
                                               : "job_queued";
    used = noticed(*job);
  } else if (auto* run = std::get_if<notice::RunOver>(&notice))
    used = ask_run_soon(run->repository, run->run, {});
  order(effect::Count{"ci_monitor_webhooks_total", {{"event", event}, {"use", used ? "yes" : "no"}}});
}

/// Whether it was of any use.
bool Core::noticed(const notice::Job& job) {
  using Action = notice::Job::Action;
  if (job.action == Action::queued)
    return false;
  auto* runner = noticed_runner(job);
  if (runner && !runner->rec.registration_ended) {
    mark_busy(*runner); // it takes one job: after that, too, nobody else may have it
    if (job.action == Action::completed && !runner->told_over) {
      runner->told_over = true;
      runner->over_look.succeeded();
    }
  }
  // A job that never had a runner was cancelled: its runner waits in vain.
  const bool no_runner = job.action == Action::completed && job.runner == 0;
  return (no_runner && ask_run_soon(job.repository, job.run, job.labels)) || runner != nullptr;
}

/// Ours only where both its id and its name are: ids of other scopes, and names of other systems, may be the same.
Runner* Core::noticed_runner(const notice::Job& job) {
  for (auto& [id, r] : runners_)
    if (job.runner != 0 && r.rec.registration_id == job.runner && r.rec.registration_name == job.runner_name)
      return &r;
  return nullptr;
}

/// The reservations of that run ask about it at once; where labels are given, only those whose label is among
/// them. Whether there are any.
bool Core::ask_run_soon(const std::string& repository, RunId run, const std::vector<std::string>& labels) {
  bool any = false;
  for (auto& [uid, r] : reservations_) {
    auto& request = r.rec.request;
    if (request.run_id != run || to_lower(request.qualified_repo) != to_lower(repository) ||
        (!labels.empty() && !has_label(labels, std::string(reserved_for) + request.unique_id_spelt)))
      continue;
    any = true;
    const auto soonest = r.asked_at ? std::max(now_.time, *r.asked_at + least_between_asks) : now_.time;
    r.ask_due = std::min(r.ask_due.value_or(Time::max()), soonest);
  }
  return any;
}

} // namespace ci::domain
