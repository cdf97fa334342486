#include "actors/github_link.hpp"
#include "tests/edge/scripted_server.hpp"

#include <doctest/doctest.h>

#include <mutex>

using namespace ci;
using namespace ci::domain;
using namespace std::chrono_literals;
using ci::detail::DoneReply;
using ci::detail::FetchReply;
using scripted::answer;
using scripted::Request;
using scripted::Server;
using Kind = GithubError::Kind;

namespace {

/// What was counted, as "family label=value".
struct Seen {
  std::mutex mutex;
  std::vector<std::string> lines;

  void add(const std::string& family, const MetricLabels& labels) {
    auto line = family;
    for (const auto& [name, value] : labels)
      line += " " + name + "=" + value;
    std::lock_guard lock(mutex);
    lines.push_back(line);
  }
  bool contains(const std::string& line) {
    std::lock_guard lock(mutex);
    return std::find(lines.begin(), lines.end(), line) != lines.end();
  }
};

class FakeMetrics : public metrics_actor::base {
 public:
  FakeMetrics(caf::actor_config& config, std::shared_ptr<Seen> seen)
      : metrics_actor::base(config), seen_(seen) {}
  behavior_type make_behavior() override {
    const auto add = [this](const std::string& family, const MetricLabels& labels) {
      seen_->add(family, labels);
    };
    return {[=](count_atom, const std::string& f, const MetricLabels& l, double) { add(f, l); },
            [=](time_atom, const std::string& f, const MetricLabels& l, double) { add(f, l); },
            [=](gauge_atom, const std::string& f, const MetricLabels& l, double) { add(f, l); }};
  }

 private:
  std::shared_ptr<Seen> seen_;
};

/// A link to a scripted server.
struct Fixture {
  caf::actor_system_config config;
  caf::actor_system system{config};
  std::shared_ptr<Seen> seen = std::make_shared<Seen>();
  metrics_actor metrics = system.spawn<FakeMetrics>(seen);
  caf::scoped_actor self{system};

  github_link_root_actor spawn(const Server& server) {
    edge::GithubOptions options;
    options.api_url = server.url();
    options.scope = "/orgs/o";
    options.token = "secret";
    return system.spawn<GithubLink>(std::make_shared<Meter>("github_link"), metrics, options);
  }
  void stop(const github_link_root_actor& link) {
    caf::anon_send_exit(link, caf::exit_reason::user_shutdown);
    self->wait_for(link);
  }
  template <class Reply, class... Args>
  Reply ask(const github_link_actor& link, Args... args) {
    Reply result;
    self->request(link, 10s, args...)
        .receive([&](Reply& reply) { result = std::move(reply); },
                 [&](const caf::error& error) { FAIL(system.render(error)); });
    return result;
  }
  ~Fixture() { caf::anon_send_exit(metrics, caf::exit_reason::user_shutdown); }
};

std::string runner(const std::string& name) {
  return R"({"id":7,"name":")" + name + R"(","status":"online","busy":true,"labels":[]})";
}

} // namespace

TEST_CASE_FIXTURE(Fixture, "every call has its answer from GitHub, and its metrics") {
  Server server([](const Request& request) {
    if (request.target.find("generate-jitconfig") != std::string::npos)
      return answer(201, R"({"encoded_jit_config":"abc","runner":)" + runner("n") + "}");
    if (request.target.find("/labels") != std::string::npos)
      return answer(200, R"({"labels":[]})");
    if (request.method == "DELETE")
      return scripted::no_content();
    if (request.target.find("per_page") != std::string::npos)
      return answer(200, R"({"total_count":1,"runners":[)" + runner("n") + "]}");
    return answer(200, runner("n"),
                  "X-RateLimit-Limit: 60\r\nX-RateLimit-Remaining: 5\r\nX-RateLimit-Reset: 1\r\n");
  });
  const auto link = spawn(server);
  CHECK(ask<detail::ListReply>(link, list_atom::value, Steady{}).value->runners.size() == 1);
  CHECK(ask<FetchReply>(link, fetch_atom::value, RegistrationId{7}).value->busy);
  CHECK(ask<detail::FindReply>(link, find_atom::value, std::string{"n"}).value->size() == 1);
  CHECK(ask<detail::RegisterReply>(link, register_atom::value, JitRequest{"n", {"l"}, "_work", 1}));
  CHECK(ask<detail::LabelReply>(link, label_atom::value, RegistrationId{7}, std::vector<std::string>{"l"}));
  CHECK(ask<DoneReply>(link, unlabel_atom::value, RegistrationId{7}, std::vector<std::string>{"l"}));
  CHECK(ask<DoneReply>(link, delete_atom::value, RegistrationId{7}));
  self->send(link, token_atom::value, std::string{"other"});
  CHECK(ask<FetchReply>(link, fetch_atom::value, RegistrationId{7}));
  CHECK(server.requests().back().header("authorization") == "Bearer other");
  stop(link);
  caf::anon_send_exit(metrics, caf::exit_reason::user_shutdown);
  self->wait_for(metrics);
  CHECK(seen->contains("ci_monitor_github_calls_total operation=delete status=204"));
  CHECK(seen->contains("ci_monitor_github_call_seconds operation=register"));
  CHECK(seen->contains("ci_monitor_github_rate_limit_remaining"));
}

TEST_CASE_FIXTURE(Fixture, "when the link ends, open calls are answered") {
  Server server([](const Request&) { return scripted::silence(); });
  const auto link = spawn(server);
  auto handle = self->request(link, 10s, fetch_atom::value, RegistrationId{7});
  CHECK(server.wait_for_requests(1, 5s));
  caf::anon_send_exit(link, caf::exit_reason::user_shutdown);
  handle.receive([](const FetchReply& reply) { CHECK(reply.error.message == "stopping"); },
                 [&](const caf::error& error) { FAIL(system.render(error)); });
}
