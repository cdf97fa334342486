#pragma once
/// The actor that decides about selects without a token.

#include "actors/domain/selection.hpp"
#include "actors/messages.hpp"
#include "actors/metered.hpp"

#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace ci {

/// A select's life: it is checked by the rules alone; then GitHub is asked for the artifact, for its archive,
/// and, where the profile wants it, for the run. What it comes to, a take or a refusal, is answered; the
/// monitor hears of takes alone, from who asked. Equal selects that overlap are one. A refusal that GitHub's
/// word led to is remembered for `refusal_memory`, so that repeats cost nothing.
///
/// Bounded in everything that strangers can cause: calls of GitHub a minute (shared out by `CallAllowance`),
/// selects under way, time. Never waits; any scheduler thread will do.
class Selector : public Metered<selector_actor::base> {
 public:
  /// For all of GitHub's answers to one select.
  static constexpr std::chrono::seconds patience{8};
  static constexpr std::chrono::seconds refusal_memory{5};
  /// For so long after a select with a proof, its run is known: see `CallAllowance`.
  static constexpr std::chrono::hours proof_memory{1};
  /// Different selects under way at once; one more is `busy`.
  static constexpr std::size_t most_under_way = 64;

  Selector(caf::actor_config&, MeterPtr, registrations_actor, metrics_actor);

  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  using Promise = caf::typed_response_promise<domain::SelectAnswer>;
  /// Of one select, by its identity.
  struct Search {
    std::uint64_t number = 0; ///< tells it from an earlier one of the same identity
    domain::SelectRequest asked;
    domain::SelectRules rules; ///< as they were when it began
    domain::Steady deadline{};
    domain::CallAllowance::Step step = domain::CallAllowance::Step::look; ///< of its next call
    std::vector<Promise> waiting;
    domain::Artifact artifact;
    domain::SelectAnswer found;
  };
  struct Remembered {
    domain::Verdict verdict;
    domain::Steady until{};
  };

  Promise select(const domain::SelectRequest&);
  void begin(const std::string& identity, const domain::SelectRequest&, Promise);
  void ask_artifacts(Search&);
  void take_artifacts(Search&, const detail::ArtifactsReply&);
  void take_archive(Search&, const detail::ArchiveReply&);
  void take_run(Search&, const detail::RunReply&);
  /// One call of GitHub within the allowance; `take` gets the answer while the search goes on.
  template <class Reply, class... Args>
  void ask(Search&, void (Selector::*take)(Search&, const Reply&), Args... args);
  Search* find(const std::string& identity, std::uint64_t number);
  void end(Search&, domain::SelectAnswer);
  void end(Search& search, domain::Verdict verdict) { end(search, {std::move(verdict), {}}); }
  void forget_the_old();
  void count(const domain::Verdict&);

  registrations_actor registrations_;
  metrics_actor metrics_;
  domain::SelectRules rules_;
  domain::CallAllowance allowance_;
  std::uint64_t last_number_ = 0;
  std::map<std::string, Search> searches_;
  std::map<std::string, Remembered> refusals_;
  std::map<std::pair<std::string, domain::RunId>, domain::Steady> known_runs_; ///< until when
};

} // namespace ci
