/// Core: what is written into the history beside the lives of runners, and what is forgotten of it.
#include "actors/domain/core.hpp"

#include <utility>

namespace ci::domain {
namespace {

constexpr Duration history_life = std::chrono::hours(24 * 30);
constexpr Duration prune_interval = std::chrono::hours(1);
/// Takes that were not granted can come by the thousand: within so long, those of the same profile and
/// outcome share a line, but for the first.
constexpr Duration takes_share_a_line = std::chrono::minutes(10);

} // namespace

void Core::remember(const char* event, const Runner& runner, std::string detail) {
  write(store::AppendHistory{{now_.time, event, runner.rec.id, runner.rec.profile, detail}});
  log(LogLevel::info, event,
      "runner=" + std::to_string(runner.rec.id) + " profile=" + runner.rec.profile +
          (detail.empty() ? "" : " detail=\"" + detail + "\""));
}

void Core::remember(const char* event, const Reservation& r, const std::string& detail) {
  const auto& request = r.rec.request;
  write(store::AppendHistory{{now_.time, event, 0, request.profile,
                              request.unique_id_spelt + " for " + request.qualified_repo + "/actions/runs/" +
                                  std::to_string(request.run_id) + detail}});
}

void Core::note_take(const std::string& profile, const std::string& outcome) {
  auto& noted = noted_takes_[{profile, outcome}];
  ++noted.unwritten;
  if (now_.time >= noted.due)
    write_noted_takes(profile, outcome, noted);
}

void Core::write_noted_takes(const std::string& profile, const std::string& outcome, NotedTakes& noted) {
  write(store::AppendHistory{
      {now_.time, "take_" + outcome, 0, profile, std::to_string(std::exchange(noted.unwritten, 0))}});
  noted.due = now_.time + takes_share_a_line;
}

void Core::advance_history(bool last) {
  for (auto it = noted_takes_.begin(); it != noted_takes_.end();) {
    auto& [key, noted] = *it;
    if (now_.time < noted.due && !last) {
      if (noted.unwritten > 0)
        wake(noted.due);
      ++it;
    } else if (noted.unwritten > 0)
      write_noted_takes(key.first, key.second, noted);
    else
      it = noted_takes_.erase(it);
  }
  if (now_.time < prune_due_)
    return;
  if (prune_due_ != Time{})
    write(store::PruneHistory{now_.time - history_life});
  prune_due_ = now_.time + prune_interval;
}

} // namespace ci::domain
