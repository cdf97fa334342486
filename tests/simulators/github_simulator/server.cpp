#include "tests/simulators/github_simulator/server.hpp"

#include "tests/simulators/github_simulator/keeper.hpp"
#include "tests/simulators/github_simulator/state_file.hpp"
#include "tests/simulators/github_simulator/transport.hpp"
#include "tests/simulators/github_simulator/webhook_sender.hpp"

#include <asio/post.hpp>
#include <asio/signal_set.hpp>

#include <spdlog/spdlog.h>

#include <csignal>
#include <cstdio>

namespace ci::github_simulator {

namespace {

constexpr std::size_t drip_pieces = 50;

/// A request that has no answer yet, or not the whole of it.
struct Pending {
  Pending(asio::io_context& io, std::unique_ptr<Exchange> e) : exchange{std::move(e)}, timer{io} {}

  std::unique_ptr<Exchange> exchange; ///< none once it is finished
  Answer answer;
  asio::steady_timer timer;
};
using PendingPtr = std::shared_ptr<Pending>;

class Server {
 public:
  Server(Api& api, const Options& options) : api_{api}, options_{options} {}
  int run();

 private:
  void announce(std::uint16_t port) const;
  void handle(std::unique_ptr<Exchange>);
  void closed(Connection);

  /// Keeps the poll until there is a job, or its time is over.
  void wait(const PendingPtr&);
  void poll_over(const PendingPtr&);
  void deliver(const PendingPtr&);
  void send(const PendingPtr&);
  void send_whole(const PendingPtr&);
  void drip(const PendingPtr&, std::size_t sent);
  void cut(const PendingPtr&, Cut);
  /// Lets go of a request that is answered, or will not be.
  void finish(const PendingPtr&);
  /// A timer that was due when it was cancelled still rings: what is finished by then is left alone.
  template <class Action>
  void pause(const PendingPtr& pending, Duration delay, Action action) {
    later(pending->timer, delay, [pending, action = std::move(action)] {
      if (pending->exchange)
        action();
    });
  }
  void watch(const PendingPtr& pending) { waiting_.emplace(pending->exchange->connection(), pending); }

  /// What follows from any change: polls are answered, the next change is waited for, the state is kept.
  void settle();
  void answer_polls();
  void await_next_change();

  Api& api_;
  const Options& options_;
  Clock clock_;
  asio::io_context io_{1};
  Keeper keeper_{io_, api_, clock_, options_.state_file};
  WebhookSender webhooks_{io_, [this](const Webhook& webhook, const std::string& outcome) {
                            api_.webhook_over(webhook, outcome);
                          }};
  asio::steady_timer change_timer_{io_};
  Moment awaited_ = never;
  int status_ = 0;
  std::multimap<Connection, PendingPtr> waiting_; ///< everything whose client may go away before the answer
  std::map<Id, PendingPtr> polls_;                ///< those among them that wait for a job, by runner
};

int Server::run() {
  const auto listener = listen(io_, options_.listen, options_.port,
                               {.opened = [this](std::uint16_t port) { announce(port); },
                                .failed =
                                    [this](const std::string& why) {
                                      spdlog::error("cannot listen: {}", why);
                                      status_ = 1;
                                      io_.stop();
                                    },
                                .asked = [this](std::unique_ptr<Exchange> e) { handle(std::move(e)); },
                                .closed = [this](Connection connection) { closed(connection); }});
  asio::signal_set signals{io_, SIGTERM, SIGINT};
  signals.async_wait([this](const asio::error_code& error, int) {
    if (error)
      return;
    keeper_.save();
    io_.stop();
  });
  settle();
  io_.run();
  return status_;
}

void Server::announce(std::uint16_t port) const {
  if (!options_.port_file.empty())
    write_atomically(options_.port_file, std::to_string(port) + "\n");
  std::printf("listening on %s:%u\n", options_.listen.c_str(), static_cast<unsigned>(port));
  std::fflush(stdout);
}

// --- Requests ---

void Server::handle(std::unique_ptr<Exchange> exchange) {
  const auto pending = std::make_shared<Pending>(io_, std::move(exchange));
  const auto request = pending->exchange->request();
  const auto target = request.query.empty() ? request.path : request.path + "?" + request.query;
  try {
    pending->answer = api_.handle(request, clock_.now());
  } catch (const std::exception& e) {
    spdlog::error("{} {}: {}", request.method, target, e.what());
    pending->answer = plain_error(500, e.what());
  }
  if (pending->answer.waiting) {
    spdlog::debug("{} {} waits", request.method, target);
    wait(pending);
  } else {
    spdlog::debug("{} {} {}", request.method, target, pending->answer.status);
    deliver(pending);
  }
  settle();
}

void Server::wait(const PendingPtr& pending) {
  const auto runner = pending->answer.waiting;
  if (const auto older = polls_.find(runner); older != polls_.end()) {
    older->second->answer = plain_error(409, "Another poll of this runner has begun.");
    deliver(std::exchange(older->second, pending));
  } else {
    polls_.emplace(runner, pending);
  }
  watch(pending);
  pause(pending, pending->answer.wait_until - clock_.now(), [this, pending] { poll_over(pending); });
}

void Server::poll_over(const PendingPtr& pending) {
  const auto runner = pending->answer.waiting;
  const auto poll = polls_.find(runner);
  if (poll == polls_.end() || poll->second != pending)
    return;
  polls_.erase(poll);
  pending->answer = *api_.resume(runner, true, clock_.now());
  deliver(pending);
  settle();
}

void Server::closed(Connection connection) {
  std::vector<PendingPtr> lost;
  for (auto [it, end] = waiting_.equal_range(connection); it != end; ++it)
    lost.push_back(it->second);
  for (const auto& pending : lost) {
    const auto poll = polls_.find(pending->answer.waiting);
    if (poll != polls_.end() && poll->second == pending) {
      api_.poll_lost(poll->first, clock_.now());
      polls_.erase(poll);
    } else {
      api_.undelivered(pending->answer, clock_.now());
    }
    finish(pending);
  }
  settle();
}

// --- Answers ---

void Server::deliver(const PendingPtr& pending) {
  pending->timer.cancel();
  if (pending->answer.delay.count() == 0)
    return send(pending);
  watch(pending);
  pause(pending, pending->answer.delay, [this, pending] { send(pending); });
}

void Server::send(const PendingPtr& pending) {
  switch (pending->answer.delivery) {
  case Delivery::whole:
    return send_whole(pending);
  case Delivery::truncated:
    pending->exchange->send_half(pending->answer);
    return finish(pending);
  case Delivery::dripped:
    watch(pending);
    pending->exchange->begin(pending->answer);
    return drip(pending, 0);
  case Delivery::held:
    watch(pending);
    return pause(pending, pending->answer.spread, [this, pending] { cut(pending, Cut::closed); });
  case Delivery::reset:
    return cut(pending, Cut::reset);
  case Delivery::closed:
    return cut(pending, Cut::closed);
  }
}

void Server::send_whole(const PendingPtr& pending) {
  Answer job_giving;
  job_giving.gives_job_to = pending->answer.gives_job_to;
  pending->exchange->send(pending->answer, [this, job_giving](bool written) {
    if (written || !job_giving.gives_job_to)
      return;
    asio::post(io_, [this, job_giving] {
      api_.undelivered(job_giving, clock_.now());
      settle();
    });
  });
  finish(pending);
}

void Server::drip(const PendingPtr& pending, std::size_t sent) {
  const auto& body = pending->answer.body;
  const auto piece = std::max<std::size_t>(1, body.size() / drip_pieces);
  const auto pieces = body.size() / piece + 1;
  pending->exchange->piece(body.substr(sent, piece));
  if (sent + piece >= body.size()) {
    pending->exchange->end();
    return finish(pending);
  }
  pause(pending, pending->answer.spread / static_cast<int>(pieces),
        [this, pending, sent, piece] { drip(pending, sent + piece); });
}

void Server::cut(const PendingPtr& pending, Cut how) {
  pending->exchange->cut(how);
  finish(pending);
}

void Server::finish(const PendingPtr& pending) {
  pending->timer.cancel();
  std::erase_if(waiting_, [&](const auto& entry) { return entry.second == pending; });
  api_.answered(pending->answer);
  pending->exchange.reset();
}

// --- Consequences ---

void Server::settle() {
  answer_polls();
  for (auto& webhook : api_.take_webhooks())
    webhooks_.send(std::move(webhook));
  await_next_change();
  keeper_.save_soon();
}

void Server::answer_polls() {
  for (auto news = api_.take_news(); !news.empty(); news = api_.take_news()) {
    for (const auto runner : news) {
      const auto poll = polls_.find(runner);
      if (poll == polls_.end())
        continue;
      auto answer = api_.resume(runner, false, clock_.now());
      if (!answer)
        continue;
      const auto pending = poll->second;
      polls_.erase(poll);
      pending->answer = std::move(*answer);
      deliver(pending);
    }
  }
}

void Server::await_next_change() {
  const auto next = api_.next_change();
  if (next == awaited_)
    return;
  awaited_ = next;
  change_timer_.cancel();
  if (next == never)
    return;
  const auto now = clock_.now();
  later(change_timer_, next > now ? next - now : Duration{0}, [this] {
    awaited_ = never;
    api_.advance(clock_.now());
    settle();
  });
}

} // namespace

int serve(Api& api, const Options& options) { return Server{api, options}.run(); }

} // namespace ci::github_simulator
