/// Core: what takes must pass whose proof is an artifact.
#include "actors/domain/core.hpp"

#include <charconv>

namespace ci::domain {
namespace {

/// Notes of the store: `<this><id at GitHub>` -> when it was used, in unix seconds.
constexpr std::string_view artifact_note = "artifact:";
/// GitHub keeps artifacts for 400 days at most: then an id can't be shown again.
constexpr Duration artifact_memory = std::chrono::hours(24 * 400);

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() ? std::optional{number} : std::nullopt;
}

std::string note_of(std::int64_t id) { return std::string(artifact_note) + std::to_string(id); }

} // namespace

void Core::recall_artifacts(const StoreImage& image) {
  for (auto& [key, value] : image.notes) {
    if (!key.starts_with(artifact_note))
      continue;
    auto id = whole_number(std::string_view(key).substr(artifact_note.size()));
    auto used = whole_number(value);
    if (id && used)
      used_artifacts_[*id] = Time(std::chrono::seconds(*used));
  }
}

/// In one transaction with the grant that it led to.
void Core::use_artifact(std::int64_t id) {
  used_artifacts_[id] = now_.time;
  write(store::SetNote{
      note_of(id),
      std::to_string(std::chrono::floor<std::chrono::seconds>(now_.time).time_since_epoch().count())});
}

void Core::forget_old_artifacts() {
  std::erase_if(used_artifacts_, [this](auto& entry) {
    if (now_.time <= entry.second + artifact_memory)
      return false;
    write(store::SetNote{note_of(entry.first), ""});
    return true;
  });
}

Verdict Core::check_tokenless(const TakeRequest& ask) const {
  if (used_artifacts_.contains(ask.artifact_id))
    return {Refusal::artifact_used, "This artifact led to a reservation before; upload a new one.", {}};
  int live = 0;
  for (auto& [uid, reservation] : reservations_) {
    auto& request = reservation.rec.request;
    if (request.run_id == ask.run_id && to_lower(request.qualified_repo) == to_lower(ask.qualified_repo))
      live += count_slots(reservation.rec, is_open);
  }
  if (live + ask.count > policy_->max_runners_per_run)
    return {Refusal::run_is_full,
            "The workflow run holds " + std::to_string(live) + " runners, and may hold " +
                std::to_string(policy_->max_runners_per_run) + "; wait until some have finished.",
            {}};
  return {};
}

} // namespace ci::domain
