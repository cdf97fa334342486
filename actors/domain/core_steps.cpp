/// Core: how long the steps of a runner's life take. For the metrics and the log alone: nothing is decided
/// here.
#include "actors/domain/core.hpp"

#include <utility>

namespace ci::domain {
namespace {

double as_seconds(Steady::duration time) { return std::chrono::duration<double>(time).count(); }

} // namespace

void Core::measure_step(Runner& r, const char* step, Steady at) {
  // What an earlier process began was not seen from its beginning.
  if (r.from_store || at == Steady{} || !r.steps.insert(step).second)
    return;
  auto seconds = as_seconds(now_.time - r.rec.created_at) - as_seconds(now_.steady - at);
  order(effect::Seconds{"ci_monitor_runner_step_seconds", {{"step", step}}, seconds});
  log(LogLevel::debug, "step",
      "runner=" + std::to_string(r.rec.id) + " step=" + step + " seconds=" + std::to_string(seconds));
}

void Core::measure_leases() {
  for (auto& [id, r] : runners_)
    if (addresses_.ipv4_by_guest.count(r.rec.guest_name) && !addresses_.hearsay.count(r.rec.guest_name))
      measure_step(r, "lease");
}

void Core::note_vacancy(const Runner& r) { vacancies_[r.rec.profile].push_back(now_.steady); }

void Core::fill_vacancy(Runner& r) {
  auto it = vacancies_.find(r.rec.profile);
  if (it == vacancies_.end() || it->second.empty())
    return;
  r.replaces = it->second.front();
  it->second.pop_front();
}

void Core::vacancy_filled(Runner& r) {
  auto since = std::exchange(r.replaces, std::nullopt);
  if (!since)
    return;
  auto seconds = as_seconds(now_.steady - *since);
  order(effect::Seconds{"ci_monitor_replacement_seconds", {{"profile", r.rec.profile}}, seconds});
  log(LogLevel::debug, "replaced",
      "runner=" + std::to_string(r.rec.id) + " profile=" + r.rec.profile +
          " seconds=" + std::to_string(seconds));
}

void Core::vacancy_left(Runner& r) {
  if (auto since = std::exchange(r.replaces, std::nullopt))
    vacancies_[r.rec.profile].push_front(*since);
}

} // namespace ci::domain
