/// Workflow runs and their jobs.

#include "tests/simulators/github_simulator/render.hpp"
#include "tests/simulators/github_simulator/rest.hpp"

namespace ci::github_simulator {

namespace {

/// Nothing where there is none in this repository.
const Run* run_of(const Call& call) {
  const auto* run = call.world.model.run(call.target.id);
  return run && "repos/" + lower(run->repository) == call.target.scope ? run : nullptr;
}

} // namespace

Answer get_run(Call& call) {
  const auto* run = run_of(call);
  return run ? json_answer(200, run_json(*run, call.world.model, call.base()))
             : not_found("/actions/workflow-runs#get-a-workflow-run");
}

/// Runs have one attempt, so that `filter` makes no difference.
Answer list_jobs(Call& call) {
  const auto* run = run_of(call);
  if (!run)
    return not_found("/actions/workflow-jobs#list-jobs-for-a-workflow-run");
  const auto total = run->jobs.size();
  const auto page = page_of(call.query, total, call.settings().per_page_cap);
  Json elements = Json::array();
  for (auto i = page.begin(total); i < page.end(total); ++i)
    elements.push_back(job_json(*call.world.model.job(run->jobs[i]), call.world.model, call.base()));
  return paged(call, page, total, "jobs", std::move(elements),
               "/actions/runs/" + std::to_string(run->id) + "/jobs");
}

} // namespace ci::github_simulator
