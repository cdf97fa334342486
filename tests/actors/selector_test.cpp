#include "actors/selector.hpp"
#include "tests/actors/asker.hpp"
#include "tests/edge/zip_support.hpp"

#include <optional>

using namespace ci;
using namespace ci::domain;
using namespace std::chrono_literals;
using ci::detail::ArchiveReply;
using ci::detail::ArtifactsReply;
using ci::detail::RunReply;

namespace {

const std::string id = "0f0e0d0c-0b0a-4908-8706-050403020100";
const std::string artifact_title = "servo-ci-runners_" + id;
const Time noon{std::chrono::hours(500'000)};

/// What GitHub says. A reply that is not there never comes.
struct Github {
  std::optional<ArtifactsReply> artifacts =
      ArtifactsReply::ok({{{42, artifact_title, 100, false, noon - 1s}}, noon});
  std::optional<ArchiveReply> archive;
  std::optional<RunReply> run;
  /// The only run that has artifacts; 0: each has.
  RunId only_run = 0;
  int calls = 0;

  void hold(const std::string& text) {
    archive = ArchiveReply::ok({zip_test::make_zip({{"info", text}}), false});
  }
};

class FakeRegistrations : public registrations_actor::base {
 public:
  FakeRegistrations(caf::actor_config& config, std::shared_ptr<Github> github)
      : registrations_actor::base(config), github_(std::move(github)) {}
  behavior_type make_behavior() override {
    using Labels = std::vector<std::string>;
    return {
        [](list_atom, Steady) { return detail::ListReply::ok({}); },
        [](fetch_atom, RegistrationId) { return detail::FetchReply::ok({}); },
        [](find_atom, const std::string&) { return detail::FindReply::ok({}); },
        [](register_atom, const JitRequest&) { return detail::RegisterReply::ok({}); },
        [](label_atom, RegistrationId, const Labels&) { return detail::LabelReply::ok({}); },
        [](unlabel_atom, RegistrationId, const Labels&) { return detail::DoneReply::ok({}); },
        [](delete_atom, RegistrationId) { return detail::DoneReply::ok({}); },
        [this](run_atom, const std::string&, RunId) { return reply(github_->run); },
        [](jobs_atom, const std::string&, RunId) { return detail::JobsReply::ok({}); },
        [this](artifs_atom, const std::string&, RunId run, const std::string& wanted) {
          CHECK(wanted == artifact_title);
          if (github_->only_run != 0 && run != github_->only_run)
            return reply(std::optional(ArtifactsReply::ok({{}, noon})));
          return reply(github_->artifacts);
        },
        [this](archive_atom, const std::string&, std::int64_t artifact, std::uint64_t) {
          CHECK(artifact == 42);
          return reply(github_->archive);
        },
    };
  }

 private:
  template <class Reply>
  caf::typed_response_promise<Reply> reply(const std::optional<Reply>& what) {
    ++github_->calls;
    auto promise = make_response_promise<Reply>();
    if (what)
      promise.deliver(*what);
    return promise;
  }
  std::shared_ptr<Github> github_;
};

class SilentMetrics : public metrics_actor::base {
 public:
  using metrics_actor::base::base;
  behavior_type make_behavior() override {
    return {[](count_atom, const std::string&, const MetricLabels&, double) {},
            [](time_atom, const std::string&, const MetricLabels&, double) {},
            [](gauge_atom, const std::string&, const MetricLabels&, double) {}};
  }
};

/// A selector over a GitHub that says what the test wants, with time that is moved by hand.
struct Fixture : ci::test::Asker {
  std::shared_ptr<Github> github = std::make_shared<Github>();
  registrations_actor registrations = system.spawn<FakeRegistrations>(github);
  metrics_actor metrics = system.spawn<SilentMetrics>();
  selector_actor selector =
      system.spawn<Selector>(std::make_shared<Meter>("selector"), registrations, metrics);
  SelectRules rules;

  Fixture() {
    rules.allowed_qualified_repo_prefix = "octo/";
    rules.artifact_name_prefix = "servo-ci-runners_";
    rules.profiles = {{"linux", Tokenless::all}, {"own", Tokenless::same_repo}};
    apply();
    github->hold(text());
  }
  ~Fixture() {
    end(selector);
    end(registrations);
    end(metrics);
    scheduler.run();
  }

  void apply() {
    caf::anon_send(selector, policy_atom::value, rules);
    scheduler.run();
  }
  static std::string text(const std::string& profile = "linux") {
    return "unique_id=" + id + "\nqualified_repo=octo/repo\nrun_id=7\nself_hosted_image_name=" + profile +
           "\n";
  }
  static SelectRequest asked(RunId run = 7, std::uint32_t source = 1) {
    return {id, id, "octo/repo", run, "", Address::v4(source)};
  }
  auto send(const SelectRequest& request = asked()) {
    return ask_of(selector, select_atom::value, request);
  }
  template <class Handle>
  SelectAnswer receive(Handle& handle) {
    return Asker::receive<SelectAnswer>(handle);
  }
  SelectAnswer select(const SelectRequest& request = asked()) {
    auto handle = send(request);
    return receive(handle);
  }
  Refusal refusal() { return select().verdict.refusal; }
};

} // namespace

TEST_CASE_FIXTURE(Fixture, "a proof that holds becomes a take") {
  const auto answer = select();
  REQUIRE(answer.verdict.refusal == Refusal::none);
  CHECK(answer.take.profile == "linux");
  CHECK(answer.take.artifact_id == 42);
  CHECK(github->calls == 2);
}

TEST_CASE_FIXTURE(Fixture, "GitHub is not asked where the rules alone refuse") {
  rules.queue_member = true;
  apply();
  CHECK(refusal() == Refusal::select_disabled);
  CHECK(github->calls == 0);
}

TEST_CASE_FIXTURE(Fixture, "each word of GitHub that is no proof has its refusal") {
  github->artifacts = ArtifactsReply::ok({{}, noon});
  CHECK(refusal() == Refusal::no_artifact);
  scheduler.advance_time(6s);
  github->artifacts = ArtifactsReply::failed({GithubError::Kind::not_found, 404, "", {}});
  CHECK(refusal() == Refusal::no_artifact);
  scheduler.advance_time(6s);
  github->artifacts = ArtifactsReply::ok({{{42, artifact_title, 100, false, noon}}, noon});
  github->archive = ArchiveReply::ok({"", true});
  CHECK(refusal() == Refusal::artifact_too_large);
  scheduler.advance_time(6s);
  github->archive = ArchiveReply::ok({"no zip", false});
  CHECK(refusal() == Refusal::artifact_unreadable);
  scheduler.advance_time(6s);
  github->archive = ArchiveReply::ok({zip_test::make_zip({{"info", std::string(100'000, 'x')}}), false});
  CHECK(refusal() == Refusal::artifact_too_large);
  scheduler.advance_time(6s);
  github->archive = ArchiveReply::failed({GithubError::Kind::not_found, 410, "", {}});
  CHECK(refusal() == Refusal::artifact_expired);
}

TEST_CASE_FIXTURE(Fixture, "a run from a fork does not get what is the repository's own") {
  github->hold(text("own"));
  github->run = RunReply::ok({7, "queued", "", "fork/repo"});
  CHECK(refusal() == Refusal::foreign_head);
  scheduler.advance_time(6s);
  github->run = RunReply::ok({7, "queued", "", "octo/repo"});
  CHECK(refusal() == Refusal::none);
}

TEST_CASE_FIXTURE(Fixture, "a GitHub that can't be asked is a reason to come again, and says when") {
  github->artifacts = ArtifactsReply::failed({GithubError::Kind::limited, 429, "", 17s});
  const auto answer = select();
  CHECK(answer.verdict.refusal == Refusal::github_away);
  CHECK(answer.verdict.retry_after == 17s);
  github->artifacts = ArtifactsReply::ok({{{42, artifact_title, 100, false, noon}}, noon});
  CHECK(refusal() == Refusal::none); // not remembered
}

TEST_CASE_FIXTURE(Fixture, "G10: all of GitHub's answers together get 8 s") {
  github->archive.reset();
  auto handle = send();
  scheduler.advance_time(7999ms);
  scheduler.run();
  CHECK(self->mailbox().empty());
  scheduler.advance_time(1ms);
  scheduler.run();
  CHECK(receive(handle).verdict.refusal == Refusal::github_away);
}

TEST_CASE_FIXTURE(Fixture, "equal selects that overlap are one, and others are not") {
  github->archive.reset();
  auto first = send(), second = send();
  CHECK(github->calls == 2);
  auto other = send(asked(8));
  CHECK(github->calls == 4);
  scheduler.advance_time(8s);
  scheduler.run();
  for (auto* handle : {&first, &second, &other})
    CHECK(receive(*handle).verdict.refusal == Refusal::github_away);
}

TEST_CASE_FIXTURE(Fixture, "a refusal is remembered for 5 s") {
  github->artifacts = ArtifactsReply::ok({{}, noon});
  CHECK(refusal() == Refusal::no_artifact);
  scheduler.advance_time(4999ms);
  CHECK(refusal() == Refusal::no_artifact);
  CHECK(github->calls == 1);
  scheduler.advance_time(1ms);
  CHECK(refusal() == Refusal::no_artifact);
  CHECK(github->calls == 2);
}

TEST_CASE_FIXTURE(Fixture, "G11: selects make no more calls a minute than they may") {
  rules.github_calls_per_minute = 3;
  apply();
  CHECK(select(asked(7)).verdict.refusal == Refusal::none);
  const auto spent = select(asked(8, 2));
  CHECK(spent.verdict.refusal == Refusal::github_away);
  CHECK(spent.verdict.retry_after == 60s);
  CHECK(github->calls == 3);
  scheduler.advance_time(60s);
  CHECK(select(asked(7)).verdict.refusal == Refusal::none);
}

TEST_CASE_FIXTURE(Fixture, "G11: who makes up runs leaves GitHub to others") {
  github->only_run = 7;
  RunId made_up = 1'000;
  for (std::uint32_t source = 1; source <= 6; ++source)
    for (int i = 0; i < 10; ++i)
      select(asked(++made_up, source));
  CHECK(select(asked(7, 7)).verdict.refusal == Refusal::none);
}

TEST_CASE_FIXTURE(Fixture, "G11: a run that gave a proof is served for an hour, however many make up others") {
  github->only_run = 7;
  RunId made_up = 1'000;
  const auto flood = [&] {
    for (std::uint32_t source = 100; source < 200; ++source)
      select(asked(++made_up, source));
  };
  CHECK(select(asked(7)).verdict.refusal == Refusal::none);
  scheduler.advance_time(Selector::proof_memory - 1s);
  flood();
  CHECK(select(asked(8, 2)).verdict.refusal == Refusal::github_away);
  CHECK(select(asked(7, 3)).verdict.refusal == Refusal::none); // and is known for another hour
  scheduler.advance_time(Selector::proof_memory);
  flood();
  CHECK(select(asked(7, 4)).verdict.refusal == Refusal::github_away);
}

TEST_CASE_FIXTURE(Fixture, "only so many selects are under way") {
  github->artifacts.reset();
  rules.github_calls_per_minute = 1'000;
  apply();
  std::vector<decltype(send())> handles;
  for (std::size_t i = 0; i < Selector::most_under_way; ++i)
    handles.push_back(send(asked(static_cast<RunId>(i + 1))));
  CHECK(select(asked(1'000)).verdict.refusal == Refusal::busy);
  scheduler.advance_time(8s);
  scheduler.run();
  for (auto& handle : handles)
    receive(handle);
}

TEST_CASE_FIXTURE(Fixture, "a selector that ends answers those who wait") {
  github->artifacts.reset();
  auto handle = send();
  caf::anon_send_exit(selector, caf::exit_reason::user_shutdown);
  scheduler.run();
  CHECK(receive(handle).verdict.refusal == Refusal::not_ready);
}
