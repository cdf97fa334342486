/// The truth as the control API shows it.

#include "tests/simulators/github_simulator/control.hpp"

namespace ci::github_simulator {

namespace {

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json moment_or_null(const std::optional<Moment>& moment) {
  return moment ? Json(to_iso_with_millis(*moment)) : Json(nullptr);
}

const char* phase_of(const Runner& runner, const Model& model, Moment now) {
  if (runner.foreign)
    return "foreign";
  if (runner.done)
    return "finished";
  if (runner.job)
    return model.in_contact(runner, now) ? "running" : "lost";
  if (!runner.in_session)
    return "registered";
  return model.in_contact(runner, now) ? "idle" : "lost";
}

} // namespace

Json control_runner_json(const Runner& runner, const Model& model, Moment now) {
  Json labels = Json::array();
  for (const auto& label : runner.labels)
    labels.push_back(label.name);
  Json session = nullptr;
  if (runner.in_session)
    session = {{"opened_at", to_iso_with_millis(runner.session_opened)}, {"polling", runner.polling}};
  return {{"id", runner.id},
          {"name", runner.name},
          {"scope", runner.scope},
          {"phase", phase_of(runner, model, now)},
          {"status", model.is_online(runner, now) ? "online" : "offline"},
          {"busy", model.is_told_busy(runner, now)},
          {"true_busy", Model::is_busy(runner)},
          {"job", runner.job ? Json(runner.job) : Json(nullptr)},
          {"session", session},
          {"seen_at", to_iso_with_millis(runner.seen)},
          {"registered_at", to_iso_with_millis(runner.registered)},
          {"labels", labels},
          {"work_folder", runner.work_folder},
          {"os", runner.os},
          {"version", or_null(runner.version)},
          {"ephemeral", runner.ephemeral},
          {"hidden", runner.hidden},
          {"told_status", or_null(runner.told_status)},
          {"told_busy", or_null(runner.told_busy)}};
}

Json control_job_json(const Job& job, const Model& model) {
  const bool assigned = job.runner != 0;
  return {{"id", job.id},
          {"run_id", job.run},
          {"repo", model.run(job.run)->repository},
          {"name", job.name},
          {"labels", job.labels},
          {"seconds", job.seconds},
          {"status", job.status},
          {"conclusion", or_null(job.conclusion)},
          {"cancelled", job.cancelled},
          {"runner_id", assigned ? Json(job.runner) : Json(nullptr)},
          {"runner_name", assigned ? Json(job.runner_name) : Json(nullptr)},
          {"created_at", to_iso_with_millis(job.created)},
          {"started_at", moment_or_null(job.started)},
          {"completed_at", moment_or_null(job.completed)}};
}

Json state_json(const World& world, Moment now) {
  Json state = {{"now", to_iso_with_millis(now)},
                {"runners", Json::array()},
                {"departed", Json::array()},
                {"registered_ever", world.model.registered_ever()},
                {"jobs", Json::array()},
                {"counters", world.counters},
                {"rate", world.limits.budget(world.model.settings())},
                {"in_flight", world.limits.in_flight()},
                {"faults", Json::array()},
                {"settings", to_json(world.model.settings())}};
  for (const auto& [id, runner] : world.model.runners())
    state["runners"].push_back(control_runner_json(runner, world.model, now));
  for (const auto& gone : world.model.departed())
    state["departed"].push_back({{"id", gone.id},
                                 {"name", gone.name},
                                 {"scope", gone.scope},
                                 {"why", gone.why},
                                 {"registered_at", to_iso_with_millis(gone.registered)},
                                 {"gone_at", to_iso_with_millis(gone.gone)}});
  for (const auto& [id, job] : world.model.jobs())
    state["jobs"].push_back(control_job_json(job, world.model));
  for (const auto& fault : world.faults.all())
    state["faults"].push_back(to_json(fault));
  return state;
}

} // namespace ci::github_simulator
