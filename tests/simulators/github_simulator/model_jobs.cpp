/// The part of the model that deals with the runner's program and with jobs.

#include "tests/simulators/github_simulator/model.hpp"

#include "tests/simulators/github_simulator/text.hpp"

#include <algorithm>

namespace ci::github_simulator {

namespace {

constexpr std::size_t completed_jobs_kept = 5'000;

std::string owner_of(const std::string& repository) { return repository.substr(0, repository.find('/')); }

} // namespace

// --- The runner's program ---

/// An ephemeral runner whose job is done has no more to say, and is answered as if it were gone.
Runner* Model::reachable(Id id) {
  const auto it = runners_.find(id);
  const bool there = it != runners_.end() && !it->second.unreachable && !it->second.foreign;
  return there ? &it->second : nullptr;
}

Contact Model::open_session(Id id, const std::string& os, const std::string& version, Moment now) {
  auto* runner = reachable(id);
  if (!runner || runner->done)
    return Contact::absent;
  if (runner->job || in_contact(*runner, now))
    return Contact::conflict;
  runner->in_session = true;
  runner->polling = false;
  runner->session_opened = runner->seen = now;
  runner->os = os;
  runner->version = version;
  changed(*runner);
  return Contact::welcome;
}

Polled Model::poll(Id id, Moment now) {
  auto* runner = reachable(id);
  if (!runner || runner->done)
    return {Contact::absent};
  if (!runner->in_session)
    return {Contact::conflict};
  runner->seen = now;
  runner->polling = !runner->job;
  changed(*runner);
  offer(*runner, now);
  return {Contact::welcome, runner->job ? job(runner->job) : nullptr};
}

void Model::poll_ended(Id id, Moment now) {
  const auto it = runners_.find(id);
  if (it == runners_.end() || !it->second.polling)
    return;
  it->second.polling = false;
  it->second.seen = now;
  changed(it->second);
}

void Model::undelivered(Id id, Moment now) {
  const auto it = runners_.find(id);
  if (it == runners_.end() || !it->second.job)
    return;
  auto& lost = jobs_.at(std::exchange(it->second.job, 0));
  it->second.seen = now;
  changed(it->second);
  lost.status = "queued";
  lost.started.reset();
  lost.runner = 0;
  lost.runner_name.clear();
  lost.runner_group = 0;
  queue_.push_front(lost.id);
  offer(lost, now);
}

Polled Model::alive(Id id, Moment now) {
  auto* runner = reachable(id);
  if (!runner || runner->done)
    return {Contact::absent};
  if (!runner->in_session)
    return {Contact::conflict};
  runner->seen = now;
  changed(*runner);
  return {Contact::welcome, runner->job ? job(runner->job) : nullptr};
}

Contact Model::finish_job(Id id, const std::string& conclusion, Moment now) {
  auto* runner = reachable(id);
  if (!runner || runner->done)
    return Contact::absent;
  if (!runner->job)
    return Contact::conflict;
  complete(jobs_.at(std::exchange(runner->job, 0)), conclusion, now);
  runner->seen = now;
  if (runner->ephemeral)
    runner->done = now;
  changed(*runner);
  return Contact::welcome;
}

/// A session that is closed during the job leaves the job to its lease.
Contact Model::close_session(Id id, Moment now) {
  auto* runner = reachable(id);
  if (!runner)
    return Contact::absent;
  if (!runner->in_session)
    return Contact::conflict;
  runner->in_session = runner->polling = false;
  runner->seen = now;
  news_.insert(id);
  changed(*runner);
  return Contact::welcome;
}

// --- Jobs ---

const Job* Model::job(Id id) const {
  const auto it = jobs_.find(id);
  return it == jobs_.end() ? nullptr : &it->second;
}

const Run* Model::run(Id id) const {
  const auto it = runs_.find(id);
  return it == runs_.end() ? nullptr : &it->second;
}

const Job* Model::queue_job(const QueuedJob& wanted, Moment now) {
  const auto known = runs_.find(wanted.run);
  if (wanted.run && (known == runs_.end() || lower(known->second.repository) != lower(wanted.repository)))
    return nullptr;
  const Id run_id = wanted.run ? wanted.run : begin_run(wanted.repository, {}, now).id;
  auto& run = runs_.at(run_id);
  const Id id = ++last_job_;
  run.jobs.push_back(id);
  run.updated = now;
  auto& job = jobs_[id];
  job.id = id;
  job.run = run_id;
  job.name = wanted.name.empty() ? "job-" + std::to_string(run.jobs.size()) : wanted.name;
  job.labels = wanted.labels;
  job.seconds = wanted.seconds;
  job.created = now;
  ++revision_;
  happened("webhook_queued", job);
  enqueue(job, now);
  return &job;
}

void Model::enqueue(Job& job, Moment now) {
  if (settings_.assign_delay.count()) {
    const auto due = after(now, settings_.assign_delay);
    delayed_.emplace(due, job.id);
    next_change_ = std::min(next_change_, due);
  } else {
    queue_.push_back(job.id);
    offer(job, now);
  }
}

bool Model::cancel_job(Id id, Moment now) {
  auto& job = jobs_.at(id);
  if (job.is_completed())
    return false;
  job.cancelled = true;
  ++revision_;
  if (job.status == "queued") {
    std::erase(queue_, id);
    std::erase_if(delayed_, [id](const auto& entry) { return entry.second == id; });
    complete(job, "cancelled", now);
  }
  return true;
}

bool Model::is_waiting(const Runner& runner) const {
  return runner.polling && !runner.job && !runner.unreachable;
}

/// Jobs of a repository go to the runners of the repository and of its owner.
bool Model::may_do(const Runner& runner, const Job& job) const {
  const auto repository = lower(runs_.at(job.run).repository);
  const bool in_scope =
      runner.scope == "repos/" + repository || runner.scope == "orgs/" + owner_of(repository);
  return in_scope && covers(runner.labels, job.labels);
}

void Model::offer(Job& job, Moment now) {
  for (auto& [id, runner] : runners_)
    if (is_waiting(runner) && may_do(runner, job))
      return assign(job, runner, now);
}

void Model::offer(Runner& runner, Moment now) {
  if (!is_waiting(runner))
    return;
  for (const auto id : queue_)
    if (auto& job = jobs_.at(id); may_do(runner, job))
      return assign(job, runner, now);
}

void Model::assign(Job& job, Runner& runner, Moment now) {
  std::erase(queue_, job.id);
  job.status = "in_progress";
  job.started = now;
  job.runner = runner.id;
  job.runner_name = runner.name;
  job.runner_group = runner.group;
  runner.job = job.id;
  runner.polling = false;
  runner.seen = now;
  news_.insert(runner.id);
  runs_.at(job.run).updated = now;
  changed(runner);
  happened("webhook_in_progress", job);
}

void Model::complete(Job& job, const std::string& conclusion, Moment now) {
  job.status = "completed";
  job.conclusion = conclusion;
  job.completed = now;
  runs_.at(job.run).updated = now;
  completed_.push_back(job.id);
  ++revision_;
  happened("webhook_completed", job);
  run_may_be_over(runs_.at(job.run));
  forget_old_jobs();
}

void Model::happened(const char* operation, const Job& job) { happenings_.push_back({operation, job, job.run}); }

void Model::run_may_be_over(const Run& run) {
  if (run_status(run) == "completed")
    happenings_.push_back({"webhook_run", {}, run.id});
}

/// Keeps the state of a long test small. Must not forget the job that has just been completed.
void Model::forget_old_jobs() {
  while (completed_.size() > completed_jobs_kept) {
    const auto old = jobs_.find(completed_.front());
    completed_.pop_front();
    auto& run = runs_.at(old->second.run);
    std::erase(run.jobs, old->first);
    if (run.jobs.empty()) {
      std::erase_if(artifacts_, [&](const auto& entry) { return entry.second.run == run.id; });
      runs_.erase(run.id);
    }
    jobs_.erase(old);
  }
}

} // namespace ci::github_simulator
