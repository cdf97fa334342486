#include "actors/domain/selection.hpp"

#include "actors/domain/names.hpp"

#include <algorithm>

namespace ci::domain {
namespace {

constexpr std::chrono::seconds allowance_window{60};

Verdict refuse(Refusal why, std::string detail = {}) { return {why, std::move(detail), Duration{0}}; }

bool names_the_same(const ArtifactContents& contents, const SelectRequest& asked) {
  return to_lower(contents.unique_id) == asked.unique_id &&
         to_lower(contents.qualified_repo) == to_lower(asked.qualified_repo) &&
         contents.run_id == asked.run_id;
}

/// Who may ask for these runners, and for how many.
Verdict check_wish(const SelectRules& rules, const SelectRequest& asked, const ArtifactContents& contents) {
  if (!names_the_same(contents, asked))
    return refuse(Refusal::artifact_mismatch);
  if (contents.key_sha256 && !equal_in_constant_time(*contents.key_sha256, asked.key_sha256))
    return refuse(Refusal::wrong_key);
  if (contents.profile.empty())
    return refuse(Refusal::no_profile);
  const auto profile = rules.profiles.find(contents.profile);
  if (profile == rules.profiles.end())
    return refuse(Refusal::unknown_profile);
  if (profile->second == Tokenless::none)
    return refuse(Refusal::not_tokenless);
  if (contents.count > rules.max_count)
    return refuse(Refusal::too_many_runners,
                  "A select may ask for at most " + std::to_string(rules.max_count) + " runners.");
  return {};
}

} // namespace

std::string SelectRequest::identity() const {
  return unique_id_spelt + '\n' + to_lower(qualified_repo) + '\n' + std::to_string(run_id) + '\n' +
         key_sha256;
}

Verdict check_request(const SelectRules& rules, const SelectRequest& asked) {
  if (rules.queue_member)
    return refuse(Refusal::select_disabled);
  if (!to_lower(asked.qualified_repo).starts_with(to_lower(rules.allowed_qualified_repo_prefix)))
    return refuse(Refusal::repo_not_allowed);
  return {};
}

std::string artifact_name(const SelectRules& rules, const SelectRequest& asked) {
  return rules.artifact_name_prefix + asked.unique_id_spelt;
}

std::variant<Artifact, Verdict> choose_artifact(const SelectRules& rules, const SelectRequest& asked,
                                                const ArtifactListing& listing) {
  const Artifact* newest = nullptr;
  for (const auto& artifact : listing.artifacts)
    if (artifact.name == artifact_name(rules, asked) &&
        (!newest || std::tie(artifact.created_at, artifact.id) > std::tie(newest->created_at, newest->id)))
      newest = &artifact;
  if (!newest)
    return no_such_artifact(rules, asked);
  if (newest->expired || listing.at - newest->created_at > rules.artifact_max_age)
    return refuse(Refusal::artifact_expired);
  if (newest->size > rules.max_artifact_size)
    return archive_too_large(rules);
  return *newest;
}

SelectAnswer check_contents(const SelectRules& rules, const SelectRequest& asked, const Artifact& artifact,
                            std::string_view text) {
  const auto read = parse_artifact(text);
  if (const auto* wrong = std::get_if<std::string>(&read))
    return {archive_unreadable(*wrong), {}};
  const auto& contents = std::get<ArtifactContents>(read);
  SelectAnswer answer{check_wish(rules, asked, contents), {}};
  if (answer.verdict.refusal != Refusal::none)
    return answer;
  auto& take = answer.take;
  take.profile = contents.profile;
  take.unique_id = asked.unique_id;
  take.unique_id_spelt = asked.unique_id_spelt;
  take.qualified_repo = asked.qualified_repo;
  take.run_id = asked.run_id;
  take.count = take.minimum = static_cast<int>(contents.count);
  take.artifact_id = artifact.id;
  return answer;
}

bool needs_same_repository(const SelectRules& rules, const TakeRequest& take) {
  const auto profile = rules.profiles.find(take.profile);
  return profile != rules.profiles.end() && profile->second == Tokenless::same_repo;
}

Verdict check_run(const SelectRequest& asked, const WorkflowRun& run) {
  if (to_lower(run.head_repository) != to_lower(asked.qualified_repo))
    return refuse(Refusal::foreign_head);
  return {};
}

Verdict archive_too_large(const SelectRules& rules) {
  return refuse(Refusal::artifact_too_large, "The artifact or the file in it is larger than " +
                                                 std::to_string(rules.max_artifact_size) + " bytes.");
}

Verdict archive_unreadable(const std::string& why) {
  return refuse(Refusal::artifact_unreadable,
                "The artifact does not hold exactly one readable text file: " + why + ".");
}

Verdict no_such_artifact(const SelectRules& rules, const SelectRequest& asked) {
  return refuse(Refusal::no_artifact, "The workflow run has no artifact named " +
                                          artifact_name(rules, asked) + "; upload it before asking.");
}

Verdict github_away(const GithubError& error) {
  return {Refusal::github_away, "GitHub could not be asked about the artifact in time; try again.",
          std::max(Duration{1'000}, error.retry_after)};
}

std::optional<Duration> CallAllowance::take(int per_minute, Steady now, Step step, const Address& source) {
  std::erase_if(taken_, [now](const Taken& taken) { return taken.at + allowance_window <= now; });
  const auto all = static_cast<std::size_t>(std::max(per_minute, 0));
  const auto any = [](const Taken&) { return true; };
  const auto unknown = [](const Taken& taken) { return taken.step == Step::look; };
  const auto own = [&](const Taken& taken) { return taken.step != Step::go_on && taken.source == source; };
  const auto count = [this](const auto& which) {
    return static_cast<std::size_t>(std::count_if(taken_.begin(), taken_.end(), which));
  };
  /// Until the oldest of those is over.
  const auto wait_for = [&](const auto& which) {
    const auto oldest = std::find_if(taken_.begin(), taken_.end(), which);
    const auto opens = (oldest == taken_.end() ? now : oldest->at) + allowance_window;
    return std::max(Duration{1}, std::chrono::ceil<Duration>(opens - now));
  };
  if (taken_.size() >= all)
    return wait_for(any);
  if (step != Step::go_on) {
    const auto own_looks = count(own);
    if (own_looks > 0 && (taken_.size() >= all / 2 || own_looks >= all / 6))
      return wait_for(own);
    if (step == Step::look && count(unknown) >= all - all / 3)
      return wait_for(unknown);
  }
  taken_.push_back({now, step, source});
  return std::nullopt;
}

} // namespace ci::domain
