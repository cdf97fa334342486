#pragma once
/// A Registrations over a fake link, with time that is moved by hand.

#include "actors/registrations.hpp"

#include <caf/scheduler/test_coordinator.hpp>
#include <doctest/doctest.h>

#include <deque>

namespace registrations_test {

using namespace ci;
using namespace ci::domain;
using namespace std::chrono_literals;
using ci::detail::DoneReply;
using ci::detail::FetchReply;
using ci::detail::ListReply;

/// What came to the link and was not answered yet. The test scheduler runs everything in the test's thread.
struct LinkCalls {
  std::deque<caf::typed_response_promise<ListReply>> lists;
  std::deque<caf::typed_response_promise<FetchReply>> fetches;
  std::deque<caf::typed_response_promise<DoneReply>> deletes;
};

/// Also takes the test's word to answer the oldest call of a sort: only an actor that runs may keep its
/// promises.
using fake_link_actor = github_link_actor::extend<caf::reacts_to<start_atom, GithubAnswer>>;

class FakeLink : public fake_link_actor::base {
 public:
  FakeLink(caf::actor_config& config, LinkCalls* calls) : fake_link_actor::base(config), calls_(calls) {}

  behavior_type make_behavior() override {
    using Labels = std::vector<std::string>;
    return {
        [this](list_atom, Steady) { return keep(calls_->lists); },
        [this](fetch_atom, RegistrationId) { return keep(calls_->fetches); },
        [](find_atom, const std::string&) { return detail::FindReply::ok({}); },
        [](register_atom, const JitRequest& request) {
          return detail::RegisterReply::ok({{1, request.name, "offline", false, request.labels}, "secret"});
        },
        [](label_atom, RegistrationId, const Labels& labels) { return detail::LabelReply::ok(labels); },
        [this](unlabel_atom, RegistrationId, const Labels&) { return keep(calls_->deletes); },
        [this](delete_atom, RegistrationId) { return keep(calls_->deletes); },
        [](run_atom, const std::string&, RunId run) { return detail::RunReply::ok({run, "completed", "", ""}); },
        [](jobs_atom, const std::string&, RunId) { return detail::JobsReply::ok({}); },
        [](artifs_atom, const std::string&, RunId, const std::string&) {
          return detail::ArtifactsReply::ok({});
        },
        [](archive_atom, const std::string&, std::int64_t, std::uint64_t) {
          return detail::ArchiveReply::ok({});
        },
        [this](start_atom, const GithubAnswer& answer) { give(answer); },
    };
  }

 private:
  template <class Reply>
  using Promises = std::deque<caf::typed_response_promise<Reply>>;

  template <class Reply>
  caf::typed_response_promise<Reply> keep(Promises<Reply>& where) {
    where.push_back(make_response_promise<Reply>());
    return where.back();
  }
  void give(const GithubAnswer& answer) {
    if (const auto* list = std::get_if<ListReply>(&answer))
      give(calls_->lists, *list);
    if (const auto* fetch = std::get_if<FetchReply>(&answer))
      give(calls_->fetches, *fetch);
  }
  template <class Reply>
  void give(Promises<Reply>& promises, const Reply& reply) {
    promises.front().deliver(reply);
    promises.pop_front();
  }
  LinkCalls* calls_;
};

struct TestConfig : caf::actor_system_config {
  TestConfig() { set("scheduler.policy", caf::atom("testing")); }
};

/// A Registrations over a fake link, with time that is moved by hand.
struct Fixture {
  TestConfig config;
  caf::actor_system system{config};
  caf::scheduler::test_coordinator& scheduler =
      dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());
  LinkCalls calls;
  fake_link_actor link = system.spawn<FakeLink>(&calls);
  registrations_root_actor registrations =
      system.spawn<Registrations>(std::make_shared<Meter>("registrations"), link);
  caf::scoped_actor self{system};

  Fixture() {
    // A clock that begins at its epoch would make every moment look like "never".
    scheduler.advance_time(1h);
    scheduler.run();
  }
  ~Fixture() {
    // Promises refer to the link.
    calls = {};
    caf::anon_send_exit(registrations, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(link, caf::exit_reason::user_shutdown);
    scheduler.run();
  }

  Steady now() { return scheduler.clock().now(); }
  template <class... Args>
  auto ask(Args... args) {
    auto handle = self->request(registrations, caf::infinite, args...);
    scheduler.run();
    return handle;
  }
  template <class Reply, class Handle>
  Reply receive(Handle& handle) {
    Reply result;
    handle.receive([&](Reply& reply) { result = std::move(reply); },
                   [&](const caf::error& error) { FAIL(system.render(error)); });
    return result;
  }
  bool answered() { return !self->mailbox().empty(); }
  /// Answers the link's oldest call of that sort.
  void answer(GithubAnswer reply) {
    caf::anon_send(link, start_atom::value, std::move(reply));
    scheduler.run();
  }
};

} // namespace registrations_test
