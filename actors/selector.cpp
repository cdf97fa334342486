#include "actors/selector.hpp"

#include "actors/domain/names.hpp"
#include "actors/edge/zip_text.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace ci {

using namespace domain;

namespace {

/// How many refusals are remembered at most; further ones are asked anew.
constexpr std::size_t most_refusals = 4096;
/// Likewise of runs with a proof; further ones stay unknown.
constexpr std::size_t most_known_runs = 4096;

Verdict away(Duration retry_after = Duration{1'000}) {
  GithubError error;
  error.retry_after = retry_after;
  return github_away(error);
}

std::pair<std::string, RunId> run_of(const SelectRequest& asked) {
  return {to_lower(asked.qualified_repo), asked.run_id};
}

bool is_about_the_proof(Refusal why) {
  return why != Refusal::none && why != Refusal::github_away && why != Refusal::busy &&
         why != Refusal::not_ready;
}

} // namespace

Selector::Selector(caf::actor_config& config, MeterPtr meter, registrations_actor registrations,
                   metrics_actor metrics)
    : Metered(config, std::move(meter)), registrations_(std::move(registrations)),
      metrics_(std::move(metrics)) {}

Selector::behavior_type Selector::make_behavior() {
  return {
      [this](select_atom, const SelectRequest& asked) { return select(asked); },
      [this](policy_atom, const SelectRules& rules) {
        rules_ = rules;
        refusals_.clear();
      },
  };
}

void Selector::on_exit() {
  const Verdict stopping{Refusal::not_ready, "The service is stopping; ask again in a moment.",
                         Duration{1'000}};
  for (auto& [identity, search] : searches_)
    for (auto& promise : search.waiting)
      promise.deliver(SelectAnswer{stopping, {}});
  searches_.clear();
  registrations_ = nullptr;
  metrics_ = nullptr;
  Metered::on_exit();
}

Selector::Promise Selector::select(const SelectRequest& asked) {
  auto promise = make_response_promise<SelectAnswer>();
  const auto refuse = [&](Verdict verdict) {
    count(verdict);
    promise.deliver(SelectAnswer{std::move(verdict), {}});
  };
  if (auto verdict = check_request(rules_, asked); verdict.refusal != Refusal::none) {
    refuse(std::move(verdict));
    return promise;
  }
  forget_the_old();
  const auto identity = asked.identity();
  if (const auto known = refusals_.find(identity); known != refusals_.end())
    refuse(known->second.verdict);
  else if (const auto same = searches_.find(identity); same != searches_.end())
    same->second.waiting.push_back(promise);
  else if (searches_.size() >= most_under_way)
    refuse({Refusal::busy, "Too many selects are under way; ask again in a moment.", Duration{1'000}});
  else
    begin(identity, asked, promise);
  return promise;
}

void Selector::begin(const std::string& identity, const SelectRequest& asked, Promise promise) {
  auto& search = searches_[identity];
  search.number = ++last_number_;
  search.asked = asked;
  search.rules = rules_;
  search.deadline = clock().now() + patience;
  if (known_runs_.contains(run_of(asked)))
    search.step = CallAllowance::Step::look_at_known;
  search.waiting.push_back(std::move(promise));
  ask_artifacts(search);
}

Selector::Search* Selector::find(const std::string& identity, std::uint64_t number) {
  const auto found = searches_.find(identity);
  return found != searches_.end() && found->second.number == number ? &found->second : nullptr;
}

template <class Reply, class... Args>
void Selector::ask(Search& search, void (Selector::*take)(Search&, const Reply&), Args... args) {
  const auto now = clock().now();
  const auto per_minute = search.rules.github_calls_per_minute;
  if (const auto wait = allowance_.take(per_minute, now, search.step, search.asked.source))
    return end(search, away(*wait));
  if (now >= search.deadline)
    return end(search, away());
  request(registrations_, search.deadline - now, std::move(args)...)
      .then(
          [=, this, identity = search.asked.identity(), number = search.number](const Reply& reply) {
            if (auto* waiting = find(identity, number))
              (this->*take)(*waiting, reply);
          },
          [=, this, identity = search.asked.identity(), number = search.number](const caf::error&) {
            if (auto* waiting = find(identity, number))
              end(*waiting, away());
          });
}

void Selector::ask_artifacts(Search& search) {
  ask(search, &Selector::take_artifacts, artifs_atom::value, search.asked.qualified_repo, search.asked.run_id,
      artifact_name(search.rules, search.asked));
}

void Selector::take_artifacts(Search& search, const detail::ArtifactsReply& reply) {
  if (!reply)
    return end(search, reply.error.kind == GithubError::Kind::not_found
                           ? no_such_artifact(search.rules, search.asked)
                           : github_away(reply.error));
  auto chosen = choose_artifact(search.rules, search.asked, *reply.value);
  if (auto* refused = std::get_if<Verdict>(&chosen))
    return end(search, std::move(*refused));
  search.artifact = std::move(std::get<Artifact>(chosen));
  search.step = CallAllowance::Step::go_on;
  ask(search, &Selector::take_archive, archive_atom::value, search.asked.qualified_repo, search.artifact.id,
      static_cast<std::uint64_t>(search.rules.max_artifact_size));
}

void Selector::take_archive(Search& search, const detail::ArchiveReply& reply) {
  if (!reply)
    return end(search, reply.error.kind == GithubError::Kind::not_found
                           ? Verdict{Refusal::artifact_expired, {}, Duration{0}}
                           : github_away(reply.error));
  if (reply.value->too_large)
    return end(search, archive_too_large(search.rules));
  const auto unpacked =
      edge::text_in_zip(reply.value->bytes, static_cast<std::size_t>(search.rules.max_artifact_size));
  if (const auto* fault = std::get_if<edge::ZipFault>(&unpacked))
    return end(search,
               fault->too_large ? archive_too_large(search.rules) : archive_unreadable(fault->trouble));
  search.found = check_contents(search.rules, search.asked, search.artifact, std::get<std::string>(unpacked));
  if (search.found.verdict.refusal != Refusal::none ||
      !needs_same_repository(search.rules, search.found.take))
    return end(search, search.found);
  ask(search, &Selector::take_run, run_atom::value, search.asked.qualified_repo, search.asked.run_id);
}

void Selector::take_run(Search& search, const detail::RunReply& reply) {
  if (!reply)
    return end(search, github_away(reply.error));
  search.found.verdict = check_run(search.asked, *reply.value);
  end(search, search.found);
}

void Selector::end(Search& search, SelectAnswer answer) {
  auto ended = searches_.extract(search.asked.identity());
  const auto& verdict = answer.verdict;
  spdlog::info("event=select unique_id={} outcome={} request_id={}", ended.mapped().asked.unique_id,
               to_string(verdict.refusal), ended.mapped().asked.request_id);
  if (is_about_the_proof(verdict.refusal) && refusals_.size() < most_refusals)
    refusals_[ended.key()] = {verdict, clock().now() + refusal_memory};
  if (verdict.refusal == Refusal::none && known_runs_.size() < most_known_runs)
    known_runs_[run_of(ended.mapped().asked)] = clock().now() + proof_memory;
  for (auto& promise : ended.mapped().waiting) {
    count(verdict);
    promise.deliver(answer);
  }
}

void Selector::forget_the_old() {
  const auto now = clock().now();
  std::erase_if(refusals_, [now](const auto& entry) { return entry.second.until <= now; });
  std::erase_if(known_runs_, [now](const auto& entry) { return entry.second <= now; });
}

void Selector::count(const Verdict& verdict) {
  const auto* outcome = verdict.refusal == Refusal::none ? "proven" : to_string(verdict.refusal);
  send(metrics_, count_atom::value, std::string{"ci_monitor_selects_total"},
       MetricLabels{{"outcome", outcome}}, 1.0);
}

} // namespace ci
