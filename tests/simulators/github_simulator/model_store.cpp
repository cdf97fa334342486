/// The model as JSON and back, for the state file.

#include "tests/simulators/github_simulator/model.hpp"

#include "tests/simulators/github_simulator/text.hpp"

namespace nlohmann {

template <class T>
struct adl_serializer<std::optional<T>> {
  static void to_json(json& out, const std::optional<T>& value) {
    if (value)
      out = *value;
    else
      out = nullptr;
  }
  static void from_json(const json& in, std::optional<T>& value) {
    if (in.is_null())
      value.reset();
    else
      value = in.get<T>();
  }
};

template <>
struct adl_serializer<ci::github_simulator::Moment> {
  static void to_json(json& out, const ci::github_simulator::Moment& moment) {
    out = moment.time_since_epoch().count();
  }
  static void from_json(const json& in, ci::github_simulator::Moment& moment) {
    moment = ci::github_simulator::Moment{ci::github_simulator::Duration{in.get<std::int64_t>()}};
  }
};

} // namespace nlohmann

namespace ci::github_simulator {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Label, id, name, read_only)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Runner, id, scope, name, os, version, group, ephemeral, work_folder, token,
                                   labels, registered, in_session, session_opened, seen, job, done, foreign,
                                   hidden, unreachable, told_status, told_busy)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Job, id, run, name, labels, seconds, status, conclusion, created, started,
                                   completed, runner, runner_name, runner_group, cancelled)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Run, id, repository, number, created, updated, jobs,
                                                head_repository, told_status, told_conclusion)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Scope, key, path, id)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Departed, id, name, scope, why, registered, gone)

/// An archive's bytes need not be text.
void to_json(nlohmann::json& out, const Artifact& a) {
  out = {{"id", a.id},           {"run", a.run},         {"name", a.name},         {"archive", base64(a.archive)},
         {"expired", a.expired}, {"created", a.created}, {"location", a.location}, {"signature", a.signature}};
}
void from_json(const nlohmann::json& in, Artifact& a) {
  in.at("id").get_to(a.id);
  in.at("run").get_to(a.run);
  in.at("name").get_to(a.name);
  a.archive = base64_decoded(in.at("archive").get<std::string>()).value_or("");
  in.at("expired").get_to(a.expired);
  in.at("created").get_to(a.created);
  in.at("location").get_to(a.location);
  in.at("signature").get_to(a.signature);
}

namespace {

using Delayed = std::vector<std::pair<Moment, Id>>;

template <class Map>
nlohmann::json values_of(const Map& map) {
  auto values = nlohmann::json::array();
  for (const auto& [key, value] : map)
    values.push_back(value);
  return values;
}

template <class Map>
void restore(Map& map, const nlohmann::json& values) {
  for (const auto& value : values) {
    auto record = value.get<typename Map::mapped_type>();
    const auto id = record.id;
    map.emplace(id, std::move(record));
  }
}

} // namespace

nlohmann::json Model::save() const {
  return {
      {"settings", nlohmann::json(to_json(settings_))},
      {"scopes", values_of(scopes_)},
      {"runners", values_of(runners_)},
      {"jobs", values_of(jobs_)},
      {"runs", values_of(runs_)},
      {"artifacts", values_of(artifacts_)},
      {"queue", queue_},
      {"delayed", Delayed(delayed_.begin(), delayed_.end())},
      {"completed", completed_},
      {"departed", departed_},
      {"label_ids", label_book_.all()},
      {"registered_ever", registered_ever_},
      {"last_runner", last_runner_},
      {"last_job", last_job_},
      {"last_run", last_run_},
      {"last_artifact", last_artifact_},
  };
}

void Model::load(const nlohmann::json& state, Moment now) {
  Model loaded;
  apply_settings(loaded.settings_, Json(state.at("settings")));
  for (const auto& value : state.at("scopes")) {
    const auto scope = value.get<Scope>();
    loaded.scopes_.emplace(scope.key, scope);
  }
  restore(loaded.runners_, state.at("runners"));
  restore(loaded.jobs_, state.at("jobs"));
  restore(loaded.runs_, state.at("runs"));
  restore(loaded.artifacts_, state.value("artifacts", nlohmann::json::array()));
  state.at("queue").get_to(loaded.queue_);
  const auto delayed = state.at("delayed").get<Delayed>();
  loaded.delayed_ = {delayed.begin(), delayed.end()};
  state.at("completed").get_to(loaded.completed_);
  state.at("departed").get_to(loaded.departed_);
  loaded.label_book_.restore(state.at("label_ids").get<std::map<std::string, std::int64_t>>());
  state.at("registered_ever").get_to(loaded.registered_ever_);
  state.at("last_runner").get_to(loaded.last_runner_);
  state.at("last_job").get_to(loaded.last_job_);
  state.at("last_run").get_to(loaded.last_run_);
  loaded.last_artifact_ = state.value("last_artifact", loaded.last_artifact_);
  for (auto& [id, runner] : loaded.runners_)
    if (runner.in_session)
      runner.seen = now;
  loaded.next_change_ = Moment::min();
  loaded.revision_ = revision_ + 1;
  *this = std::move(loaded);
}

} // namespace ci::github_simulator
