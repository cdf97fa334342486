#include "tests/simulators/github_simulator/model.hpp"

#include "tests/simulators/github_simulator/text.hpp"

#include <algorithm>

namespace ci::github_simulator {

namespace {

constexpr std::size_t departed_kept = 1'000;
constexpr Id first_repository_id = 1'300'000'001;
constexpr Id first_organization_id = 9'900'001;

} // namespace

// --- Time ---

void Model::advance(Moment now) {
  if (now < next_change_)
    return;
  next_change_ = never;
  for (auto it = runners_.begin(); it != runners_.end();) {
    const auto runner = it++;
    const char* why = departure_reason(runner->second);
    if (expire(runner->second, now))
      depart(runner, why, now);
    else
      next_change_ = std::min(next_change_, deadline(runner->second));
  }
  while (!delayed_.empty() && delayed_.begin()->first <= now) {
    auto& due = jobs_.at(delayed_.begin()->second);
    delayed_.erase(delayed_.begin());
    queue_.push_back(due.id);
    offer(due, now);
  }
  if (!delayed_.empty())
    next_change_ = std::min(next_change_, delayed_.begin()->first);
}

Moment Model::deadline(const Runner& runner) const {
  if (runner.foreign)
    return never;
  if (runner.done)
    return after(*runner.done, settings_.gone_delay);
  if (runner.job)
    return after(runner.seen, settings_.lease_timeout);
  if (runner.polling)
    return settings_.idle_removal.count() ? after(runner.session_opened, settings_.idle_removal) : never;
  return after(runner.seen, settings_.unused_removal);
}

const char* Model::departure_reason(const Runner& runner) {
  return runner.done ? "finished" : runner.job ? "lease" : runner.polling ? "idle" : "unused";
}

bool Model::expire(Runner& runner, Moment now) {
  if (now < deadline(runner))
    return false;
  if (!runner.job || runner.done)
    return true;
  complete(jobs_.at(runner.job), "failure", now);
  runner.job = 0;
  runner.in_session = false;
  changed(runner);
  return settings_.lease_removes_record;
}

std::set<Id> Model::take_news() { return std::exchange(news_, {}); }

void Model::changed(const Runner& runner) {
  ++revision_;
  next_change_ = std::min(next_change_, deadline(runner));
}

void Model::set_settings(Settings settings) {
  settings_ = std::move(settings);
  ++revision_;
  next_change_ = Moment::min(); // every deadline may have moved
}

// --- Scopes ---

const Scope* Model::find_scope(const std::string& path) const {
  const auto it = scopes_.find(lower(path));
  return it == scopes_.end() ? nullptr : &it->second;
}

const Scope& Model::scope(const std::string& path) {
  if (const auto* known = find_scope(path))
    return *known;
  const auto key = lower(path);
  const bool repository = key.starts_with("repos/");
  Id id = repository ? first_repository_id : first_organization_id;
  while (scope_with_id(id, repository))
    ++id;
  ++revision_;
  return scopes_[key] = Scope{key, path, id};
}

const Scope* Model::scope_with_id(Id id, bool repository) const {
  for (const auto& [key, scope] : scopes_)
    if (scope.id == id && scope.is_repository() == repository)
      return &scope;
  return nullptr;
}

// --- Registrations ---

const Runner* Model::register_runner(const std::string& scope, const Registering& wanted, Moment now) {
  for (const auto& [id, runner] : runners_)
    if (runner.name == wanted.name && runner.scope == scope && !runner.hidden)
      return nullptr;
  auto& runner = runners_[++last_runner_];
  runner.id = last_runner_;
  runner.scope = scope;
  runner.name = wanted.name;
  runner.group = wanted.group;
  runner.ephemeral = wanted.ephemeral;
  runner.work_folder = wanted.work_folder;
  runner.token = random_token();
  runner.registered = runner.seen = now;
  github_simulator::add_labels(runner.labels, wanted.labels, label_book_, true);
  ++registered_ever_;
  changed(runner);
  return &runner;
}

const Runner* Model::find(const std::string& scope, Id id) const {
  const auto* found = runner(id);
  return found && found->scope == scope && !found->hidden ? found : nullptr;
}

const Runner* Model::runner(Id id) const {
  const auto it = runners_.find(id);
  return it == runners_.end() ? nullptr : &it->second;
}

Removal Model::remove(Id id, Moment now) {
  const auto it = runners_.find(id);
  if (it == runners_.end())
    return Removal::absent;
  if (is_busy(it->second))
    return Removal::busy;
  depart(it, "deleted", now);
  return Removal::removed;
}

void Model::drop(Id id, Moment now) {
  const auto it = runners_.find(id);
  if (it->second.job)
    complete(jobs_.at(it->second.job), "failure", now);
  depart(it, "dropped", now);
}

void Model::depart(std::map<Id, Runner>::iterator it, const std::string& why, Moment now) {
  const auto& runner = it->second;
  departed_.push_back({runner.id, runner.name, runner.scope, why, runner.registered, now});
  if (departed_.size() > departed_kept)
    departed_.pop_front();
  news_.insert(runner.id);
  runners_.erase(it);
  ++revision_;
}

void Model::add_labels(Id id, const LabelNames& names, Moment now) {
  auto& runner = runners_.at(id);
  github_simulator::add_labels(runner.labels, names, label_book_, false);
  changed(runner);
  offer(runner, now);
}

void Model::set_custom_labels(Id id, const LabelNames& names, Moment now) {
  clear_custom_labels(runners_.at(id).labels);
  add_labels(id, names, now);
}

void Model::remove_label(Id id, const std::string& name) {
  auto& runner = runners_.at(id);
  github_simulator::remove_label(runner.labels, name);
  changed(runner);
}

bool Model::in_contact(const Runner& runner, Moment now) const {
  return runner.in_session && (runner.polling || now < after(runner.seen, settings_.offline_delay));
}

bool Model::is_online(const Runner& runner, Moment now) const {
  const auto& lie = runner.told_status ? runner.told_status : settings_.report_status;
  if (lie)
    return *lie == "online";
  return in_contact(runner, now) && now >= after(runner.session_opened, settings_.online_delay);
}

bool Model::is_told_busy(const Runner& runner, Moment now) const {
  const auto lie = runner.told_busy ? runner.told_busy : settings_.report_busy;
  if (lie)
    return *lie;
  if (!runner.job)
    return runner.done.has_value();
  const auto& started = jobs_.at(runner.job).started;
  return started && now >= after(*started, settings_.busy_delay);
}

// --- Interference ---

const Runner* Model::add_foreign(const std::string& scope, const Registering& wanted,
                                 const std::string& status, bool busy, Moment now) {
  const auto* made = register_runner(scope, wanted, now);
  if (!made)
    return nullptr;
  auto& runner = runners_.at(made->id);
  runner.foreign = true;
  runner.os = "Linux";
  runner.version = "2.336.0";
  runner.told_status = status;
  runner.told_busy = busy;
  changed(runner);
  return &runner;
}

void Model::hide(Id id, bool from_program) {
  auto& runner = runners_.at(id);
  runner.hidden = true;
  runner.unreachable = from_program;
  if (from_program)
    news_.insert(id);
  changed(runner);
}

void Model::show(Id id, Moment now) {
  auto& runner = runners_.at(id);
  runner.hidden = runner.unreachable = false;
  runner.seen = now;
  changed(runner);
}

void Model::tell(Id id, std::optional<std::string> status, std::optional<bool> busy) {
  auto& runner = runners_.at(id);
  runner.told_status = std::move(status);
  runner.told_busy = busy;
  changed(runner);
}

} // namespace ci::github_simulator
