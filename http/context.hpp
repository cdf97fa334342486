#pragma once
/// What the handlers work with.

#include "actors/board.hpp"
#include "actors/metered.hpp"
#include "http/admission.hpp"
#include "http/dashboard.hpp"
#include "http/gateway.hpp"
#include "http/limiter.hpp"
#include "http/parameters.hpp"
#include "http/webhook.hpp"

#include <prometheus/registry.h>

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>

namespace ci::http {

/// Everything of the other rooms that the handlers read or ask. All of it may be used in any thread.
struct Surroundings {
  BoardPtr board;
  MeterBoardPtr meters;
  std::shared_ptr<prometheus::Registry> registry;
  /// What is in force now; may give null at first.
  std::function<domain::PolicyPtr()> policy;
  /// Who reads the files of that folder; another one each time, so that one that is held up holds up only some.
  /// May be unset, and may give none.
  std::function<files_actor(domain::ServedFolder)> files;
  /// Who has pictures taken. May be unset, and may give none.
  std::function<screenshots_actor()> screenshots;
  /// Who reads the history. May be unset, and may give none.
  std::function<historian_actor()> historian;
  /// Clocks; tests put their own here.
  std::function<domain::Steady()> steady_now = [] { return std::chrono::steady_clock::now(); };
  std::function<domain::Time()> wall_now;
};

/// Files that wait to be opened, by their folder.
using OpeningFiles = std::array<std::atomic<int>, static_cast<std::size_t>(domain::ServedFolder::pictures) + 1>;

struct Context {
  Context(Options, Surroundings);

  /// Without the secrets. What of it a reload changes stands below once more, and counts there.
  const Options options;
  const Surroundings around;
  ApiToken token;
  WebhookKey webhook_key;
  const Admission admission;
  Dashboard dashboard;
  const Document description; ///< of this API
  std::atomic<bool> public_pictures;
  std::atomic<domain::Duration> ready_within;
  SourceLimiter selects, pictures_now, wrong_signatures;
  /// Requests that the historian has to read for. Shared with them: they may outlive this.
  const std::shared_ptr<std::atomic<int>> recalls = std::make_shared<std::atomic<int>>(0);
  /// Likewise shared.
  const std::shared_ptr<OpeningFiles> opening = std::make_shared<OpeningFiles>();
  /// Webhooks that were answered and that the monitor has not taken in.
  const std::shared_ptr<std::atomic<int>> waiting_notices = std::make_shared<std::atomic<int>>(0);

  gateway_actor gateway() const;
  /// A restarted one. Any thread.
  void set_gateway(gateway_actor);

 private:
  mutable std::mutex gateway_mutex_;
  gateway_actor gateway_;
};

/// Hands a checked request over to the gateway; 503 where no crank has ended yet.
template <class Atom, class... Arguments>
void crank(Context& context, const ResponderPtr& responder, Atom atom, Arguments... arguments) {
  if (!context.around.board->snapshot())
    responder->refuse(not_ready());
  else if (const auto gateway = context.gateway())
    caf::anon_send(gateway, atom, responder, std::move(arguments)...);
  else
    responder->refuse(not_ready());
}

} // namespace ci::http
