#pragma once
/// The real server, API and gateway around a monitor that does what the test says.

#include "actors/files.hpp"
#include "http/api.hpp"
#include "http/server.hpp"
#include "tests/http/fake_monitor.hpp"
#include "tests/http/raw_client.hpp"
#include "tests/support/temp_folder.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <functional>
#include <mutex>
#include <thread>

namespace test {

using namespace std::chrono_literals;

constexpr auto token = "a-token-of-the-tests";
constexpr auto with_token = "Authorization: Bearer a-token-of-the-tests\r\n";
constexpr auto id = "0f0e0d0c-0b0a-4908-8706-050403020100";
inline const std::string take_query =
    std::string("?unique_id=") + id + "&qualified_repo=servo/servo&run_id=5000000000";

inline std::string take_target(const std::string& path = "/profile/linux/take") { return path + take_query; }

inline void check_problem(const RawAnswer& answer, int status) {
  CHECK(answer.status == status);
  CHECK(answer.header("content-type") == "application/problem+json");
  const auto body = nlohmann::json::parse(answer.body);
  CHECK(body["status"] == status);
  for (const auto* key : {"type", "title", "detail", "instance"})
    CHECK_MESSAGE(body[key].is_string(), key);
}

/// Options for a test: one loopback address, any port, loopback being no guest.
inline ci::http::Options test_options() {
  ci::http::Options options;
  options.listen_on = {*ci::domain::parse_address("127.0.0.1")};
  options.port = 0;
  options.external_base_url = "http://ci.example/";
  options.api_token = token;
  options.limits.connections_per_source = 1000;
  options.waits.bind_again = 20ms;
  return options;
}

inline ci::domain::SnapshotPtr make_snapshot(std::uint64_t version = 1) {
  auto snapshot = std::make_shared<ci::domain::Snapshot>();
  snapshot->version = version;
  snapshot->profiles["linux"].target = 3;
  snapshot->runners = {make_runner(7)};
  auto reservation = std::make_shared<ci::domain::ReservationView>();
  reservation->unique_id = id;
  reservation->profile = "linux";
  reservation->qualified_repo = "servo/servo";
  reservation->state = "reserved";
  reservation->slots = {{7, ci::domain::SlotState::confirmed}, {8, ci::domain::SlotState::finished}};
  snapshot->reservations[id] = reservation;
  snapshot->github.well = snapshot->libvirt.well = snapshot->store.well = true;
  return snapshot;
}

struct CafConfig : caf::actor_system_config {
  CafConfig() {
    set("scheduler.max-threads", std::size_t{2});
    set("scheduler.policy", caf::atom("sharing"));
  }
};

/// Runs from its construction to its destruction. `cranked` false: the first crank is not over.
class Service {
 public:
  explicit Service(ci::http::Options options = test_options(), bool cranked = true)
      : system_(config_), script(std::make_shared<Script>()), board(std::make_shared<ci::Board>()),
        api(options, surroundings()), server(options, hooks()) {
    auto meters = std::make_shared<ci::MeterBoard>();
    gateway_ = system_.spawn<ci::http::Gateway>(meters->meter("gateway"), options.waits,
                                                options.limits.requests_in_flight);
    api.set_gateway(gateway_);
    new_monitor();
    auto trees = std::make_shared<ci::FileTrees>();
    for (const auto& [tree, name] : {std::pair(ci::domain::ServedFolder::image_deps, "deps"),
                                     std::pair(ci::domain::ServedFolder::repository, "repo"),
                                     std::pair(ci::domain::ServedFolder::pictures, "data")}) {
      std::filesystem::create_directory(folder.path() / name);
      trees->trees.try_emplace(tree, folder.path() / name, ci::edge::FileTree::Links::inside,
                               ci::edge::FileTree::Etag::by_content);
    }
    files_ = system_.spawn<ci::Files, caf::detached>(meters->meter("files"), trees);
    if (cranked) {
      board->publish(make_snapshot());
      board->beat(std::chrono::steady_clock::now());
    }
    server.start();
  }
  ~Service() {
    server.stop(0ms);
    caf::anon_send_exit(gateway_, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(monitor_, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(files_, caf::exit_reason::user_shutdown);
    files_ = nullptr;
    for (const auto& actor : others_)
      caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
    others_.clear();
    api.set_gateway({});
    gateway_ = nullptr;
    monitor_ = nullptr;
    system_.await_all_actors_done();
  }

  void new_monitor() {
    monitor_ = system_.spawn<FakeMonitor>(script);
    caf::anon_send(gateway_, ci::watch_atom::value, monitor_);
  }
  template <class Class, class... Args>
  auto spawn(Args&&... args) {
    auto handle = system_.spawn<Class>(std::forward<Args>(args)...);
    others_.push_back(caf::actor_cast<caf::actor>(handle));
    return handle;
  }
  void watch_selector(const ci::selector_actor& selector) {
    caf::anon_send(gateway_, ci::watch_atom::value, selector);
  }
  void kill_monitor() { caf::anon_send_exit(monitor_, caf::exit_reason::kill); }
  void kill_files() { caf::anon_send_exit(files_, caf::exit_reason::kill); }
  void kill_gateway() { caf::anon_send_exit(gateway_, caf::exit_reason::kill); }
  /// Has the fake monitor settle the takes it holds.
  void crank() { caf::anon_send(monitor_, ci::crank_atom::value, std::uint64_t{0}); }

  /// The first address's port, once it listens.
  std::uint16_t port() {
    listening.wait();
    return server.bound().at(0).port;
  }
  RawClient client() { return RawClient(port()); }

 public:
  caf::actor_system& system() { return system_; }

 private:
  ci::http::Surroundings surroundings() {
    ci::http::Surroundings around;
    around.board = board;
    around.registry = std::make_shared<prometheus::Registry>();
    around.policy = [policy = make_policy()] { return policy; };
    around.screenshots = [this] { return screenshots; };
    around.files = [this](ci::domain::ServedFolder folder) {
      const auto own = readers.find(folder);
      return own == readers.end() ? files_ : own->second;
    };
    around.historian = [this] { return historian; };
    return around;
  }
  static ci::domain::PolicyPtr make_policy() {
    auto policy = std::make_shared<ci::domain::Policy>();
    policy->profiles["linux"].key = "linux";
    policy->profiles["a b/c"].key = "a b/c";
    return policy;
  }
  ci::http::ServerHooks hooks() {
    ci::http::ServerHooks hooks;
    hooks.handle = [this](ci::http::Request request, const ci::http::ResponderPtr& responder, bool crowded) {
      api.handle(std::move(request), responder, crowded);
    };
    hooks.served = [this](const ci::http::Served& one) {
      {
        std::lock_guard lock(mutex);
        served.push_back(one);
      }
      answered.happen();
    };
    hooks.listening = [this](const auto&) { listening.happen(); };
    hooks.not_listening = [this](const auto&, const std::string&) { not_listening.happen(); };
    return hooks;
  }

  CafConfig config_;
  caf::actor_system system_;
  ci::files_actor files_;

 public:
  /// Files in `deps/`, `repo/` and `data/` there are served.
  ci::test::TempFolder folder;
  Event listening, not_listening, answered;
  std::mutex mutex;
  std::vector<ci::http::Served> served;
  ScriptPtr script;
  ci::BoardPtr board;
  /// Who reads a folder instead of the usual one. They are the test's to end.
  std::map<ci::domain::ServedFolder, ci::files_actor> readers;
  /// Takes the pictures; none unless the test sets one. It is the test's to end.
  ci::screenshots_actor screenshots;
  /// Reads the history; none unless the test sets one. It is the test's to end.
  ci::historian_actor historian;
  ci::http::Api api;
  ci::http::Server server;

 private:
  ci::http::gateway_actor gateway_;
  ci::monitor_actor monitor_;
  std::vector<caf::actor> others_;
};

} // namespace test
