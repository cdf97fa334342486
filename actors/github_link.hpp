#pragma once
/// The actor in front of edge/'s GitHub client.

#include "actors/edge/github_client.hpp"
#include "actors/github_calls.hpp"
#include "actors/messages.hpp"
#include "actors/metered.hpp"

#include <memory>

namespace ci {

using answer_atom = caf::atom_constant<caf::atom("answer")>;

/// github_link_actor and what only the composition root and the client itself may send.
using github_link_root_actor = github_link_actor::extend<
    /// GitHub's token was replaced; the string is the new one.
    caf::reacts_to<token_atom, std::string>,
    /// From the client: the answer to the call of that number.
    caf::reacts_to<answer_atom, std::uint64_t, GithubAnswer>>;

/// Hands each call to the client, whose thread sends the answer back as a message, so that promises are only
/// ever touched by the actor. Keeps no state but the open promises and never waits, so it needs no thread of
/// its own. Every call is answered within the options' time-outs; when it ends, the open ones are answered
/// `unreachable`. It ends by an exit message alone, and not with its last handle.
class GithubLink : public Metered<github_link_root_actor::base> {
 public:
  GithubLink(caf::actor_config& config, MeterPtr meter, metrics_actor metrics, edge::GithubOptions options);

  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  /// Answers with what the callback is given that `start` gets.
  template <class Reply, class Start>
  caf::typed_response_promise<Reply> call(Start start);

  metrics_actor metrics_;
  edge::GithubOptions options_;
  std::unique_ptr<edge::GithubClient> client_;
  GithubCalls calls_;
  /// Itself, until it exits: else the client's thread might drop the last handle, and so join itself.
  github_link_root_actor self_;
};

} // namespace ci
