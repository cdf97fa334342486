/// What the history says of the pools' use.
#include "actors/domain/history.hpp"
#include "actors/domain/usage.hpp"

#include "tests/support/bench.hpp"

#include <doctest/doctest.h>

using namespace ci::domain;
using namespace std::chrono_literals;
using doctest::Approx;

namespace {

Time second(double s) { return Time(Duration(1'000'000'000'000 + static_cast<std::int64_t>(s * 1'000))); }
const UsageWindow always{second(0), second(1'000)};

struct Told {
  double at;
  const char* event;
  RunnerId runner;
  const char* detail = "";
  const char* profile = "linux";
};

UsageReport report_of(const std::vector<Told>& events, UsageWindow window = always) {
  UsageTally tally(window);
  for (auto& told : events)
    tally.on({second(told.at), told.event, told.runner, told.profile, told.detail});
  return tally.report();
}

const std::vector<Told> whole_life = {
    {10, "ordered", 1},
    {11, "registered", 1},
    {12, "started", 1},
    {30, "online", 1},
    {100, "reserved", 1},
    {120, "busy", 1},
    {300, "registration_ended", 1},
    {301, "destroying", 1},
    {303, "guest_removed", 1},
    {304, "gone", 1},
};

} // namespace

TEST_CASE("a runner's life is parted into what it was doing") {
  const auto usage = report_of(whole_life).profiles.at("linux");
  CHECK(usage.runners_made == 1);
  CHECK(usage.runners_online == 1);
  CHECK(usage.runners_failed == 0);
  CHECK(usage.jobs == 1);
  CHECK(usage.starting_seconds == Approx(20));
  CHECK(usage.idle_seconds == Approx(70));
  CHECK(usage.reserved_seconds == Approx(20));
  CHECK(usage.busy_seconds == Approx(180));
  CHECK(usage.ending_seconds == Approx(4));
  CHECK(usage.utilisation().value() == Approx(180.0 / 294));
  CHECK(usage.create_to_online.median.value() == Approx(20));
  CHECK(usage.reserved_to_busy.median.value() == Approx(20));
  CHECK(usage.end_to_removed.median.value() == Approx(4));
  CHECK(usage.end_to_replacement.count == 0);
}

TEST_CASE("a window cuts seconds, and counts what happened in it") {
  const auto middle = report_of(whole_life, {second(25), second(200)}).total;
  CHECK(middle.runners_made == 0);
  CHECK(middle.runners_online == 1);
  CHECK(middle.starting_seconds == Approx(5));
  CHECK(middle.busy_seconds == Approx(80));
  CHECK(middle.ending_seconds == 0);
  CHECK(middle.create_to_online.count == 1); // it ended in the window
  CHECK(middle.end_to_removed.count == 0);
  const auto edge = report_of(whole_life, {second(30), second(120)}).total;
  CHECK(edge.runners_online == 1); // the beginning belongs to it
  CHECK(edge.jobs == 0);           // the end does not
  CHECK(edge.idle_seconds + edge.reserved_seconds == Approx(90));
  const auto nothing = report_of(whole_life, {second(400), second(500)}).total;
  CHECK(nothing.runners_made == 0);
  CHECK_FALSE(nothing.utilisation());
  CHECK_FALSE(nothing.create_to_online.median);
}

TEST_CASE("what goes on counts up to the window's end") {
  const auto usage =
      report_of({{10, "ordered", 1}, {20, "online", 1}, {30, "busy", 1}}, {second(0), second(50)}).total;
  CHECK(usage.busy_seconds == Approx(20));
  CHECK(usage.jobs == 1);
}

TEST_CASE("a reservation that is given back makes its runner idle again") {
  const auto usage = report_of({{0, "ordered", 1},
                                {10, "online", 1},
                                {20, "reserved", 1},
                                {50, "unreserved", 1},
                                {60, "destroying", 1},
                                {70, "gone", 1}})
                         .total;
  CHECK(usage.idle_seconds == Approx(20));
  CHECK(usage.reserved_seconds == Approx(30));
  CHECK(usage.reserved_to_busy.count == 0);
  CHECK(usage.end_to_removed.count == 0); // it did not work
}

TEST_CASE("a job's end is followed by the next runner made of its profile") {
  auto events = whole_life;
  events.insert(events.begin() + 8, {302, "ordered", 2, "", "windows"});
  events.insert(events.begin() + 9, {302, "ordered", 3});
  events.push_back({310, "online", 2, "", "windows"});
  events.push_back({325, "online", 3});
  const auto report = report_of(events);
  CHECK(report.profiles.at("linux").end_to_replacement.median.value() == Approx(25));
  CHECK(report.profiles.at("windows").end_to_replacement.count == 0);
  CHECK(report.total.end_to_replacement.count == 1);
  CHECK(report.total.runners_made == 3);
}

TEST_CASE("a replacement that comes to nothing hands its place on, and an hour later nothing is replaced") {
  auto events = whole_life;
  events.push_back({305, "ordered", 2});
  events.push_back({306, "destroying", 2, "could not be made"});
  events.push_back({307, "gone", 2});
  events.push_back({308, "ordered", 3});
  events.push_back({330, "online", 3});
  auto usage = report_of(events).total;
  CHECK(usage.runners_failed == 1);
  CHECK(usage.end_to_replacement.median.value() == Approx(30));
  auto late = whole_life;
  late.push_back({300 + 3'601, "ordered", 2});
  late.push_back({300 + 3'620, "online", 2});
  CHECK(report_of(late, {second(0), second(10'000)}).total.end_to_replacement.count == 0);
}

TEST_CASE("a destroy that was withdrawn leaves the runner at work") {
  const auto usage = report_of({{0, "ordered", 1},
                                {10, "online", 1},
                                {20, "destroying", 1, "more than are wanted"},
                                {25, "destroy_withdrawn", 1},
                                {25, "busy", 1},
                                {125, "registration_ended", 1},
                                {126, "gone", 1}})
                         .total;
  CHECK(usage.ending_seconds == Approx(6));
  CHECK(usage.busy_seconds == Approx(100));
  CHECK(usage.jobs == 1);
  CHECK(usage.end_to_removed.median.value() == Approx(1));
}

TEST_CASE("runners whose beginning was forgotten count from where they are first told of") {
  const auto report =
      report_of({{100, "busy", 7}, {200, "destroying", 7}, {210, "gone", 7}, {220, "gone", 8}});
  const auto& usage = report.total;
  CHECK(report.history_since == second(100));
  CHECK(usage.busy_seconds == Approx(100));
  CHECK(usage.ending_seconds == Approx(10));
  CHECK(usage.runners_made == 0);
  CHECK(usage.runners_failed == 0);
  CHECK(usage.create_to_online.count == 0);
}

TEST_CASE("what came late after its removal is not counted again") {
  auto events = whole_life;
  events.push_back({400, "guest_came_late", 1});
  events.push_back({410, "gone", 1});
  const auto usage = report_of(events).total;
  CHECK(usage.runners_made == 1);
  CHECK(usage.runners_failed == 0);
  CHECK(usage.ending_seconds == Approx(14));
  CHECK(usage.end_to_removed.count == 1);
}

TEST_CASE("a clock that was set back makes no negative durations") {
  const auto usage = report_of({{100, "ordered", 1}, {50, "online", 1}, {60, "gone", 1}}).total;
  CHECK(usage.create_to_online.median.value() == 0);
  CHECK(usage.starting_seconds == 0);
}

TEST_CASE("takes count by outcome, those that share a line, too") {
  const auto usage = report_of({{1, "take_granted", 0, "an id for a/b/actions/runs/1"},
                                {2, "take_null", 0, "1"},
                                {3, "take_null", 0, "17"},
                                {4, "take_github_away", 0, "2"},
                                {5, "rebuild_asked", 0}})
                         .profiles.at("linux");
  CHECK(usage.takes == std::map<std::string, int>{{"granted", 1}, {"null", 18}, {"github_away", 2}});
  CHECK(usage.granted_share().value() == Approx(1.0 / 21));
  CHECK(report_of({{2, "take_null", 0, "1"}}).total.granted_share().value() == 0);
  CHECK_FALSE(report_of({}).total.granted_share());
  CHECK_FALSE(report_of({}).history_since);
}

TEST_CASE("median and 95th percentile lie between the two nearest") {
  CHECK(spread_of({}).count == 0);
  CHECK(spread_of({3}).p95.value() == 3);
  const auto four = spread_of({4, 1, 3, 2});
  CHECK(four.median.value() == Approx(2.5));
  CHECK(four.p95.value() == Approx(3.85));
}

TEST_CASE("a line of the history is cut where it is too long, and not within a character") {
  std::string short_one = "short";
  shorten(short_one);
  CHECK(short_one == "short");
  std::string long_one(499, 'x');
  long_one += "\xc3\xbc and more";
  shorten(long_one);
  CHECK(long_one == std::string(499, 'x'));
  std::string no_text(600, '\x80');
  shorten(no_text);
  CHECK(no_text.empty());
}

// --- what the decisions tell

namespace {
int lines(const ci::test::Bench& b, const std::string& event) {
  return static_cast<int>(
      std::count_if(b.history.begin(), b.history.end(), [&](auto& line) { return line.event == event; }));
}
} // namespace

TEST_CASE("the decisions tell all that the tally needs") {
  ci::test::Bench b;
  b.start();
  b.boot_all();
  const auto begun = b.time;
  b.take(b.ask("linux", 1));
  b.advance(10s);
  const auto guest = b.runner(1).rec.guest_name;
  b.world.begin_job(guest);
  b.advance(60s);
  b.world.end_job(guest);
  b.power_off(guest);
  b.boot_all();
  b.take(b.ask("linux", 9, 2));
  UsageTally tally({begun - 1h, b.time + 1ms});
  for (auto& line : b.history)
    tally.on(line);
  const auto usage = tally.report().profiles.at("linux");
  CHECK(usage.runners_made == 4);
  CHECK(usage.runners_online == 4);
  CHECK(usage.jobs == 1);
  CHECK(usage.takes == std::map<std::string, int>{{"granted", 1}, {"null", 1}});
  CHECK(usage.reserved_to_busy.count == 1);
  CHECK(usage.busy_seconds > 20);
  CHECK(usage.end_to_removed.count == 1);
  CHECK(usage.end_to_replacement.count == 1);
  CHECK(lines(b, "reservation_ended") == 1);
}

TEST_CASE("a release is told of its runner") {
  ci::test::Bench b;
  b.start();
  b.boot_all();
  b.take(b.ask("linux", 2));
  b.release(b.ask("linux", 2).unique_id);
  CHECK(lines(b, "reserved") == 2);
  CHECK(lines(b, "unreserved") == 2);
}

TEST_CASE("G12: refusals by the thousand take a line each ten minutes, and all are counted") {
  ci::test::Bench b;
  b.start();
  b.boot_all();
  for (int i = 0; i < 1'000; ++i)
    b.take(b.ask("linux", 9, 2 + i));
  CHECK(lines(b, "take_null") == 1); // the first is told at once
  b.advance(11min);
  CHECK(lines(b, "take_null") == 2);
  CHECK(b.history.back().detail == "999");
  b.advance(1h);
  CHECK(lines(b, "take_null") == 2);
  b.take(b.ask("linux", 9, 5'000));
  b.take(b.ask("linux", 9, 5'001));
  b.core->stop(b.now()); // nothing is kept back
  b.run();
  CHECK(lines(b, "take_null") == 4);
  CHECK(b.history.back().detail == "1");
}

TEST_CASE("the mistakes of clients are no takes") {
  ci::test::Bench b;
  b.start();
  b.boot_all();
  b.take(b.ask("linux", 1));
  b.take(b.ask("linux", 2)); // other arguments
  b.take(b.ask("bsd", 1, 7));
  CHECK(lines(b, "take_granted") == 1);
  CHECK(std::none_of(b.history.begin(), b.history.end(), [](auto& line) {
    return line.event.starts_with("take_") && line.event != "take_granted";
  }));
}

TEST_CASE("a take that GitHub can't confirm is told with its reason") {
  ci::test::Bench b;
  b.start();
  b.boot_all();
  b.fail = [](const Effect& e) -> std::optional<GithubError> {
    if (std::holds_alternative<effect::Label>(e))
      return ci::test::World::error(GithubError::Kind::server, 502);
    return {};
  };
  b.take(b.ask("linux", 1));
  CHECK(lines(b, "take_github_away") == 1);
}

TEST_CASE("what is told of a runner at work does not end its job, and reserved comes before online at times") {
  const auto usage = report_of({{0, "ordered", 1},
                                {5, "reserved", 1},
                                {10, "online", 1},
                                {20, "busy", 1},
                                {30, "reserved", 1},
                                {40, "unreserved", 1},
                                {50, "online", 1},
                                {60, "registration_ended", 1}})
                         .total;
  CHECK(usage.starting_seconds == Approx(5));
  CHECK(usage.reserved_seconds == Approx(15));
  CHECK(usage.busy_seconds == Approx(40));
  CHECK(usage.idle_seconds == 0);
}

TEST_CASE("what begins after the window, or began before the history, has no part in it") {
  const UsageWindow window{second(0), second(50)};
  const auto later = report_of({{60, "ordered", 1}, {70, "online", 1}, {80, "busy", 1}, {90, "gone", 1},
                                {95, "take_null", 0, "3"}, {99, "ordered", 2}},
                               window)
                         .total;
  CHECK(later.runners_made + later.runners_online + later.jobs + later.runners_failed == 0);
  CHECK(later.takes.empty());
  CHECK(later.starting_seconds == 0);
  const auto unknown = report_of({{10, "online", 7}}, window).total;
  CHECK(unknown.runners_online == 1);
  CHECK(unknown.create_to_online.count == 0);
  CHECK(unknown.idle_seconds == Approx(40));
}
