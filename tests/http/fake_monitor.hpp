#pragma once
/// A monitor that does what the test says, and events that tests wait for.

#include "actors/messages.hpp"
#include "tests/http/raw_client.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>

namespace test {

/// Counts things that happen in other threads; a test waits for them.
class Event {
 public:
  void happen() {
    std::lock_guard lock(mutex_);
    ++count_;
    changed_.notify_all();
  }
  /// Whether it has happened so often before patience ends.
  bool wait(int times = 1) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, RawClient::patience, [&] { return count_ >= times; });
  }
  int count() const {
    std::lock_guard lock(mutex_);
    return count_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

/// What the fake monitor does, and what it saw. Set before requests come.
struct Script {
  enum class Take { answer, null, refuse, drop_promise, hold, hold_untaken, die, fail };
  std::atomic<Take> take{Take::answer};
  std::atomic<ci::domain::Refusal> refusal{ci::domain::Refusal::none};
  /// Guests' requests are never answered.
  std::atomic<bool> deaf{false};
  Event asked, taken_up, not_taken_up, noticed;

  std::mutex mutex;
  ci::domain::TakeRequest last_take;
  std::string last_text;
  ci::domain::Lever last_lever;
  std::vector<ci::domain::GithubNotice> notices;
  /// Of held takes; the ticket is null where it was taken up already.
  std::deque<std::pair<caf::typed_response_promise<ci::domain::TakeAnswer>, ci::TicketPtr>> held;
};
using ScriptPtr = std::shared_ptr<Script>;

inline ci::domain::RunnerViewPtr make_runner(ci::domain::RunnerId id) {
  auto view = std::make_shared<ci::domain::RunnerView>();
  view->id = id;
  view->profile = "linux";
  view->created_at = ci::domain::Time(std::chrono::milliseconds(1'795'428'000'000));
  view->registration = ci::domain::Registration{9'412'000'000'000,
                                                "ci-runner-linux." + std::to_string(id) + "@ci0",
                                                "online",
                                                true,
                                                {"self-hosted", "X64"}};
  view->guest_name = "ci-runner-linux." + std::to_string(id);
  view->ipv4_address = "192.168.100." + std::to_string(id);
  view->status = ci::domain::Status::Busy;
  return view;
}

class FakeMonitor : public ci::monitor_actor::base {
 public:
  FakeMonitor(caf::actor_config& config, ScriptPtr script)
      : ci::monitor_actor::base(config), script_(std::move(script)) {}

  behavior_type make_behavior() override {
    return {
        [this](ci::take_atom, const ci::TicketPtr& ticket, const ci::domain::TakeRequest& request) {
          return take(ticket, request);
        },
        [this](ci::release_atom, const ci::TicketPtr&, const std::string& id) {
          ci::domain::ReleaseAnswer answer;
          answer.verdict = verdict(id);
          auto reservation = std::make_shared<ci::domain::ReservationView>();
          reservation->unique_id = id;
          reservation->state = "released";
          answer.reservation = reservation;
          return answer;
        },
        [this](ci::jit_atom, const ci::TicketPtr&, const std::string& address) {
          return ci::domain::JitAnswer{verdict(address), "eyJhIjoiYiJ9"};
        },
        [this](ci::boot_atom, const ci::TicketPtr&, const std::string& address) {
          auto promise = make_response_promise<ci::domain::BootAnswer>();
          if (!script_->deaf)
            promise.deliver(ci::domain::BootAnswer{
                verdict(address), std::make_shared<const std::string>("#!/bin/sh\n\xc3\xa4")});
          return promise;
        },
        [this](ci::lever_atom, const ci::TicketPtr& ticket, const ci::domain::Lever& asked) {
          ticket->take_up();
          {
            std::lock_guard lock(script_->mutex);
            script_->last_lever = asked;
          }
          script_->asked.happen();
          ci::domain::LeverAnswer answer{{script_->refusal, {}, {}}, {}};
          if (auto* start = std::get_if<ci::domain::lever::StartOverride>(&asked))
            answer.granted = start->counts;
          return answer;
        },
        [this](ci::notice_atom, const ci::NoticePtr& notice) {
          {
            std::lock_guard lock(script_->mutex);
            script_->notices.push_back(*notice);
          }
          script_->noticed.happen();
        },
        [](ci::guest_atom, const ci::domain::GuestObservation&) {},
        [](ci::host_atom, const ci::HostConnection&) {},
        [](ci::store_atom, const ci::StoreHealth&) {},
        [](ci::policy_atom, const ci::domain::PolicyPtr&) {},
        [](ci::token_atom) {},
        [this](ci::crank_atom, std::uint64_t) { settle(); },
        [](ci::stop_atom) { return caf::unit; },
    };
  }
  void on_exit() override {
    std::lock_guard lock(script_->mutex);
    script_->held.clear();
  }

 private:
  ci::domain::Verdict verdict(const std::string& text) {
    {
      std::lock_guard lock(script_->mutex);
      script_->last_text = text;
    }
    script_->asked.happen();
    return {script_->refusal, {}, {}};
  }
  /// A crank: what is held and was not abandoned is taken up and answered.
  void settle() {
    std::lock_guard lock(script_->mutex);
    for (auto& [promise, ticket] : script_->held)
      if (!ticket || ticket->take_up()) {
        script_->taken_up.happen();
        promise.deliver(ci::domain::TakeAnswer{{}, {make_runner(7)}});
      } else {
        script_->not_taken_up.happen();
        promise.deliver(ci::domain::TakeAnswer{{ci::domain::Refusal::not_taken_up, {}, {}}, {}});
      }
    script_->held.clear();
  }

  caf::typed_response_promise<ci::domain::TakeAnswer> take(const ci::TicketPtr& ticket,
                                                           const ci::domain::TakeRequest& request) {
    auto promise = make_response_promise<ci::domain::TakeAnswer>();
    const Script::Take mode = script_->take;
    {
      std::lock_guard lock(script_->mutex);
      script_->last_take = request;
      if (mode == Script::Take::hold)
        script_->held.emplace_back(promise, nullptr);
      if (mode == Script::Take::hold_untaken)
        script_->held.emplace_back(promise, ticket);
    }
    if (mode != Script::Take::hold_untaken)
      ticket->take_up();
    ci::domain::TakeAnswer answer{{script_->refusal, {}, {}}, {}};
    if (mode == Script::Take::answer)
      for (int i = 0; i < request.count; ++i)
        answer.runners.push_back(make_runner(7 + i));
    if (mode == Script::Take::answer || mode == Script::Take::null || mode == Script::Take::refuse)
      promise.deliver(answer);
    else if (mode == Script::Take::die)
      quit(caf::exit_reason::kill);
    else if (mode == Script::Take::fail)
      promise.deliver(caf::make_error(caf::sec::runtime_error));
    script_->asked.happen();
    return promise;
  }

  ScriptPtr script_;
};

} // namespace test
