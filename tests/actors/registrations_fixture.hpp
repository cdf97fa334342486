#pragma once
/// A Registrations over a fake link, with time that is moved by hand.

#include "actors/registrations.hpp"
#include "tests/actors/asker.hpp"

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

/// A Registrations over a fake link, with time that is moved by hand.
struct Fixture : ci::test::Asker {
  LinkCalls calls;
  fake_link_actor link = system.spawn<FakeLink>(&calls);
  registrations_root_actor registrations =
      system.spawn<Registrations>(std::make_shared<Meter>("registrations"), link);

  Fixture() { run(); }
  ~Fixture() {
    // Promises refer to the link.
    calls = {};
    end(registrations);
    end(link);
    run();
  }

  template <class... Args>
  auto ask(Args... args) {
    return ask_of(registrations, args...);
  }
  /// Answers the link's oldest call of that sort.
  void answer(GithubAnswer reply) {
    caf::anon_send(link, start_atom::value, std::move(reply));
    scheduler.run();
  }
};

} // namespace registrations_test
