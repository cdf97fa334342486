/// The history and the pools' use over real sockets, with a historian that answers what the test says.
#include "tests/http/service.hpp"

using namespace test;
using namespace ci::domain;

namespace {

Time at(int second) { return Time(1'795'428'000'000ms) + std::chrono::seconds(second) + 5ms; }

struct Reader {
  enum class Way { answer, fail, keep_silent } way = Way::answer;
  std::mutex mutex;
  HistoryQuery query;
  UsageWindow window;
  Event asked;
  std::vector<ci::RecalledTo> kept;
};

class FakeHistorian : public ci::historian_actor::base {
 public:
  FakeHistorian(caf::actor_config& config, std::shared_ptr<Reader> reader)
      : ci::historian_actor::base(config), reader_(std::move(reader)) {}
  behavior_type make_behavior() override {
    return {
        [this](ci::recall_atom, const HistoryQuery& query, const ci::RecalledTo& to) {
          std::lock_guard lock(reader_->mutex);
          reader_->query = query;
          if (reader_->way == Reader::Way::keep_silent)
            reader_->kept.push_back(to);
          else if (reader_->way == Reader::Way::fail)
            to({{}, "a secret of the disk"});
          else
            to({HistoryPage{{{9, {at(0), "busy", 3, "linux", "caf\xe9"}},
                             {8, {at(-1), "override_granted", 0, "", ""}}},
                            8},
                {}});
          reader_->asked.happen();
        },
        [this](ci::tally_atom, const UsageWindow& window, const ci::TalliedTo& to) {
          std::lock_guard lock(reader_->mutex);
          reader_->window = window;
          if (reader_->way == Reader::Way::fail)
            return to({{}, "a secret of the disk"});
          UsageTally tally(window);
          tally.on({window.since, "ordered", 1, "linux", ""});
          tally.on({window.since + 20'250ms, "online", 1, "linux", ""});
          to({tally.report(), {}});
        },
    };
  }

 private:
  const std::shared_ptr<Reader> reader_;
};

struct Library {
  std::shared_ptr<Reader> reader = std::make_shared<Reader>();
  Service service;
  Library() { service.historian = service.spawn<FakeHistorian>(reader); }
  RawAnswer get(const std::string& target) { return service.client().get(target); }
};

} // namespace

TEST_CASE("a page of the history says who, what and when, and where the next one begins") {
  Library l;
  const auto answer = l.get("/history.json");
  REQUIRE(answer.status == 200);
  CHECK(answer.header("content-type") == "application/json");
  CHECK(answer.header("cache-control") == "no-store");
  const auto body = nlohmann::json::parse(answer.body);
  CHECK(body["next"] == 8);
  CHECK(body["events"][0] == nlohmann::json{{"number", 9},
                                            {"time", "2026-11-23T10:00:00.005Z"},
                                            {"event", "busy"},
                                            {"runner", 3},
                                            {"profile", "linux"},
                                            {"detail", "caf\xef\xbf\xbd"}});
  CHECK(body["events"][1]["runner"].is_null());
  CHECK(body["events"][1]["profile"].is_null());
}

TEST_CASE("what is asked of the history is what the historian is asked") {
  Library l;
  CHECK(l.get("/history.json").status == 200);
  CHECK(l.reader->query.limit == 100);
  CHECK_FALSE(l.reader->query.before);
  CHECK(
      l.get("/history.json?before=70&limit=1000&runner=5&profile=a%20b&event=busy&since=2026-11-23T10:00:00Z"
            "&until=2026-11-23T10:00:01Z&other=1")
          .status == 200);
  const auto& query = l.reader->query;
  CHECK(query.before == 70);
  CHECK(query.limit == 1'000);
  CHECK(query.runner == 5);
  CHECK(query.profile == "a b");
  CHECK(query.event == "busy");
  CHECK(query.until.value() - query.since.value() == 1s);
}

TEST_CASE("each parameter of the history has its bounds, and all that are wrong are named") {
  Library l;
  for (const auto* wrong :
       {"before=0", "before=-1", "before=x", "before=9223372036854775808", "limit=0", "limit=1001",
        "limit=", "runner=a", "runner=1&runner=1", "since=yesterday", "since=2026-11-23",
        "since=2026-11-23T10:00:00%2B01:00", "until=2026-13-01T00:00:00Z", "event=a&event=b", "profile=%ff"})
    check_problem(l.get(std::string("/history.json?") + wrong), 400);
  const auto answer = l.get("/history.json?before=0&limit=0&runner=0&since=a&until=b");
  CHECK(nlohmann::json::parse(answer.body)["errors"].size() == 5);
  CHECK(l.reader->asked.count() == 0);
}

TEST_CASE("the pools' use is that of the last day, or of the span that was asked for") {
  Library l;
  const auto before = std::chrono::floor<Duration>(std::chrono::system_clock::now());
  const auto answer = l.get("/usage.json");
  REQUIRE(answer.status == 200);
  CHECK(l.reader->window.until - l.reader->window.since == 24h);
  CHECK(l.reader->window.until >= before);
  const auto body = nlohmann::json::parse(answer.body);
  CHECK(body["profiles"]["linux"] == body["total"]);
  CHECK(body["total"]["runners_made"] == 1);
  CHECK(body["total"]["starting_seconds"] == 20.25);
  CHECK(body["total"]["create_to_online"] == nlohmann::json{{"count", 1}, {"median", 20.25}, {"p95", 20.25}});
  CHECK(body["total"]["reserved_to_busy"] ==
        nlohmann::json{{"count", 0}, {"median", nullptr}, {"p95", nullptr}});
  CHECK(body["total"]["takes"] == nlohmann::json::object());
  CHECK(body["history_since"] == body["since"]);
  CHECK(l.get("/usage.json?hours=2&until=2026-01-01T02:00:00Z").status == 200);
  CHECK(l.reader->window.since == std::chrono::sys_days(std::chrono::year(2026) / 1 / 1));
  CHECK(l.get("/usage.json?since=2026-01-01T00:00:00Z&until=9999-01-01T00:00:00Z").status == 200);
  CHECK(l.reader->window.until < std::chrono::system_clock::now() + 1s);
}

TEST_CASE("a span of time that is none is refused") {
  Library l;
  for (const auto* wrong :
       {"hours=0", "hours=721", "hours=1.5", "hours=1&since=2026-01-01T00:00:00Z",
        "since=9999-01-01T00:00:00Z", "since=2026-01-02T00:00:00Z&until=2026-01-02T00:00:00Z", "until=soon",
        "hours=1&hours=2"})
    check_problem(l.get(std::string("/usage.json?") + wrong), 400);
}

TEST_CASE("a history that can't be read, and one that nobody reads yet, are told so and to come again") {
  Library l;
  l.reader->way = Reader::Way::fail;
  for (const auto* path : {"/history.json", "/usage.json"}) {
    const auto answer = l.get(path);
    check_problem(answer, 503);
    CHECK(answer.header("retry-after") == "5");
    CHECK(answer.body.find("secret") == std::string::npos);
  }
  l.service.historian = nullptr;
  for (const auto* path : {"/history.json", "/usage.json"})
    check_problem(l.get(path), 503);
}

TEST_CASE("G12: no more wait for the historian than it may have to do, and who dies over them leaves none "
          "waiting") {
  Library l;
  l.reader->way = Reader::Way::keep_silent;
  std::vector<RawClient> waiting;
  for (int i = 0; i < 16; ++i) {
    waiting.push_back(l.service.client());
    waiting.back().ask("GET", "/history.json");
  }
  REQUIRE(l.reader->asked.wait(16));
  check_problem(l.get("/history.json"), 503);
  check_problem(l.get("/usage.json"), 503);
  {
    std::lock_guard lock(l.reader->mutex);
    l.reader->kept.clear();
    l.reader->way = Reader::Way::answer;
  }
  for (auto& client : waiting)
    check_problem(client.answer(), 503);
  CHECK(l.get("/history.json").status == 200);
}
