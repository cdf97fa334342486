#pragma once
/// The actor that everyone asks about GitHub.

#include "actors/domain/github_pacing.hpp"
#include "actors/github_calls.hpp"
#include "actors/messages.hpp"
#include "actors/metered.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace ci {

/// registrations_actor and what only the composition root may send.
using registrations_root_actor = registrations_actor::extend<
    /// GitHub's token was replaced: the pauses that the old one earned are over.
    caf::reacts_to<token_atom>>;

/// Passes calls on to the link, unless GitHub is to be left alone (domain/github_pacing.hpp has the rule):
/// those are answered `limited` at once, with the time that remains. Nothing is queued here, so that who asks
/// knows where it stands.
///
/// Listings are shared: a good one that was started not before the asked moment is given again, one in flight
/// that was is joined, and else the next one starts when that is over. At most one is in flight.
///
/// The link answers within its own time-outs; the longer ones here are for a link that is stuck or dead, and
/// then the answer is `unreachable`. Never waits; any scheduler thread will do.
class Registrations : public Metered<registrations_root_actor::base> {
 public:
  /// Each longer than the link's own for the same call (edge::GithubOptions).
  static constexpr std::chrono::seconds call_timeout{30};
  static constexpr std::chrono::seconds listing_timeout{75};

  /// At most so many points a minute, by GitHub's count.
  Registrations(caf::actor_config& config, MeterPtr meter, github_link_actor link, int points_per_minute = 900);

  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  using ListPromise = caf::typed_response_promise<detail::ListReply>;
  template <class Reply, class... Args>
  caf::typed_response_promise<Reply> pass(domain::GithubShare share, int points, Args... args);
  template <class Reply>
  void take_answer(domain::GithubShare share, domain::Steady sent, std::uint64_t id, Reply reply);

  ListPromise list(domain::Steady not_before);
  void start_listing();
  void end_listing(detail::ListReply reply);
  void answer_waiting(std::vector<ListPromise> waiting, const detail::ListReply& reply);

  github_link_actor link_;
  domain::GithubPacing pacing_;
  GithubCalls calls_;
  /// When the listing in flight was asked for; nothing: none is.
  std::optional<domain::Steady> listing_since_;
  std::vector<ListPromise> joined_; ///< wait for the one in flight
  std::vector<ListPromise> next_;   ///< wait for the one after it
  std::shared_ptr<const domain::RegistrationListing> last_listing_;
};

} // namespace ci
