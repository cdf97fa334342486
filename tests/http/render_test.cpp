#include "http/dashboard.hpp"
#include "http/html.hpp"
#include "http/render_json.hpp"
#include "http/time_text.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <set>

using namespace ci::http;
using namespace ci::domain;
using nlohmann::json;
using namespace std::chrono_literals;

namespace {

const Time noon{1'795'428'000'000ms}; // 2026-11-23T10:00:00Z

RunnerView runner(RunnerId id = 7) {
  RunnerView view;
  view.id = id;
  view.profile = "linux";
  view.created_at = noon;
  return view;
}

struct Readers {
  ci::BoardPtr board = std::make_shared<ci::Board>();
  Time now = noon;
  Dashboard dashboard{board, {"http://ci.example/", "https://github.com/", "1.2.3"}, [this] { return now; }};
};

std::set<std::string> keys(const json& object) {
  std::set<std::string> result;
  for (const auto& [key, value] : object.items())
    result.insert(key);
  return result;
}

} // namespace

TEST_CASE("times read as RFC 3339 and as HTTP dates") {
  CHECK(http_date(noon) == "Mon, 23 Nov 2026 10:00:00 GMT");
  CHECK(readable_time(noon + 999ms) == "2026-11-23 10:00:00");
}

TEST_CASE("a runner has the contract's names, and null where there is nothing") {
  const auto bare = json::parse(runner_json(runner()));
  CHECK(bare["id"] == 7);
  CHECK(bare["created_time"] == "2026-11-23T10:00:00Z");
  CHECK(bare["status"] == "StartedOrCrashed");
  CHECK(bare["details"] == json::object());
  for (const auto* key : {"registration", "guest_name", "ipv4_address"})
    CHECK_MESSAGE((bare.contains(key) && bare[key].is_null()), key);
  auto full = runner();
  full.registration =
      Registration{9'412'000'000'000, "ci-runner-linux.7@ci0", "online", true, {"self-hosted"}};
  full.guest_name = "ci-runner-linux.7";
  full.ipv4_address = "192.168.100.7";
  full.details["reason"] = "because";
  const auto parsed = json::parse(runner_json(full));
  CHECK(parsed["registration"] ==
        json::parse(R"({"id":9412000000000,"busy":true,"name":"ci-runner-linux.7@ci0","status":"online",
                        "labels":[{"name":"self-hosted"}]})"));
  CHECK(parsed["guest_name"] == "ci-runner-linux.7");
  CHECK(parsed["ipv4_address"] == "192.168.100.7");
  CHECK(parsed["details"]["reason"] == "because");
}

TEST_CASE("the dashboard has the contract's names") {
  Readers readers;
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->profiles["linux"].target = 3;
  snapshot->profiles["linux"].image_made_at = noon - 8123400ms;
  snapshot->profiles["bare"];
  snapshot->runners = {std::make_shared<RunnerView>(runner(7)), std::make_shared<RunnerView>(runner(8))};
  readers.board->publish(snapshot);
  const auto body = json::parse(*readers.dashboard.json()->text);
  const auto counts = body["profile_runner_counts"]["linux"];
  for (const auto* key :
       {"target", "healthy", "started_or_crashed", "idle", "reserved", "busy", "excess_healthy", "wanted"})
    CHECK_MESSAGE(counts[key].is_number_integer(), key);
  CHECK(counts["image_age"] == 8123.4);
  CHECK(body["profile_runner_counts"]["bare"]["image_age"].is_null());
  CHECK(body["runners"].size() == 2);
  CHECK(keys(body["runners"][0]) == std::set<std::string>{"id", "screenshot_url", "runner"});
  CHECK(body["runners"][0]["screenshot_url"] == "http://ci.example/runner/7/screenshot");
  CHECK(body["runners"][0]["runner"]["id"] == 7);
  for (const auto* key : {"reservations", "health", "budget", "strangers", "version"})
    CHECK_MESSAGE(body.contains(key), key);
}

TEST_CASE("an empty dashboard is well formed") {
  Readers readers;
  CHECK(!readers.dashboard.json());
  CHECK(!readers.dashboard.page());
  readers.board->publish(std::make_shared<Snapshot>());
  const auto body = json::parse(*readers.dashboard.json()->text);
  CHECK(body["runners"] == json::array());
  CHECK(body["profile_runner_counts"] == json::object());
  CHECK(readers.dashboard.contents()->text->find("There are no runners.") != std::string::npos);
}

TEST_CASE("a document is assembled once a snapshot, and its ETag follows its contents") {
  Readers readers;
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->runners = {std::make_shared<RunnerView>(runner(7))};
  readers.board->publish(snapshot);
  const auto first = readers.dashboard.json();
  CHECK(readers.dashboard.json()->text == first->text); // the same object
  readers.board->publish(std::make_shared<Snapshot>(*snapshot));
  CHECK(readers.dashboard.json()->text != first->text);
  CHECK(readers.dashboard.json()->etag == first->etag);
  auto changed = std::make_shared<Snapshot>(*snapshot);
  changed->runners = {std::make_shared<RunnerView>(runner(8))};
  readers.board->publish(changed);
  CHECK(readers.dashboard.json()->etag != first->etag);
}

TEST_CASE("ages of images move on without a new snapshot") {
  Readers readers;
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->profiles["linux"].image_made_at = noon - 10s;
  readers.board->publish(snapshot);
  const auto age = [&] {
    return json::parse(*readers.dashboard.json()->text)["profile_runner_counts"]["linux"]["image_age"]
        .get<double>();
  };
  CHECK(age() == 10);
  readers.now += 60s;
  CHECK(age() == 70);
}

TEST_CASE("ended reservations are left to those who ask for them") {
  Readers readers;
  auto snapshot = std::make_shared<Snapshot>();
  ReservationView live;
  live.unique_id = "live-one";
  live.state = "reserved";
  auto ended = live;
  ended.unique_id = "ended-one";
  ended.ended_at = noon;
  snapshot->reservations["live-one"] = std::make_shared<ReservationView>(live);
  snapshot->reservations["ended-one"] = std::make_shared<ReservationView>(ended);
  readers.board->publish(snapshot);
  CHECK(json::parse(*readers.dashboard.json()->text)["reservations"].size() == 1);
  CHECK(readers.dashboard.contents()->text->find("ended-one") == std::string::npos);
}

TEST_CASE("nothing that others have named becomes markup") {
  const std::string evil = "<script>alert(1)</script>\"'&";
  auto view = runner();
  view.profile = evil;
  view.guest_name = evil;
  view.ipv4_address = evil;
  view.registration = Registration{1, evil, evil, false, {evil}};
  view.details = {{evil, evil}, {"reason", evil}};
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->runners = {std::make_shared<RunnerView>(view)};
  snapshot->profiles[evil].trouble = evil;
  snapshot->github.trouble = snapshot->libvirt.trouble = snapshot->store.trouble = evil;
  snapshot->strangers = {evil};
  ReservationView reservation;
  reservation.unique_id = reservation.profile = reservation.qualified_repo = reservation.state = evil;
  snapshot->reservations[evil] = std::make_shared<ReservationView>(reservation);
  Readers readers;
  readers.board->publish(snapshot);
  const auto text = *readers.dashboard.contents()->text;
  CHECK(text.find("<script") == std::string::npos);
  CHECK(text.find("alert(1)</") == std::string::npos);
  CHECK(text.find("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;") != std::string::npos);
  // The shell has its own script and no other.
  const auto page = *readers.dashboard.page()->text;
  CHECK(page.find("<script") == page.rfind("<script"));
}

TEST_CASE("text that is not UTF-8 does not break a rendering") {
  auto view = runner();
  view.details["reason"] = "\xff\xfe";
  CHECK(json::parse(runner_json(view))["details"]["reason"] == "\xef\xbf\xbd\xef\xbf\xbd");
}

TEST_CASE("trouble is said in words on the page") {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->github.trouble = "GitHub answers 502";
  snapshot->libvirt.well = snapshot->store.well = true;
  snapshot->profiles["linux"].trouble = "no image";
  snapshot->draining = true;
  Readers readers;
  readers.board->publish(snapshot);
  const auto text = *readers.dashboard.contents()->text;
  for (const auto* words :
       {"GitHub is not answering", "GitHub answers 502", "no image", "is stopping", "Needs attention"})
    CHECK_MESSAGE(text.find(words) != std::string::npos, words);
  CHECK(text.find("libvirt is not answering") == std::string::npos);
}

TEST_CASE("the page allows its own style and script alone") {
  const auto& policy = content_security_policy();
  CHECK(policy.find("default-src 'none'") != std::string::npos);
  CHECK(policy.find("script-src 'sha256-") != std::string::npos);
  CHECK(policy.find("unsafe") == std::string::npos);
  Readers readers;
  readers.board->publish(std::make_shared<Snapshot>());
  const auto page = *readers.dashboard.page()->text;
  CHECK(page.find(" style=\"") == std::string::npos); // the policy would refuse it
  CHECK(page.find(" onclick=") == std::string::npos);
}

TEST_CASE("small pieces") {
  CHECK(readable_size(0) == "0 B");
  CHECK(readable_size(std::int64_t{16} << 30) == "16 GiB");
  CHECK(readable_size(std::int64_t{3} << 29) == "1.5 GiB");
  CHECK(readable_key("not_busy_since") == "not busy since");
  CHECK(bar({{"a", 1}, {"b", 0}, {"c", 9}}, 4).find("width=\"75\"") !=
        std::string::npos); // never past the end
  CHECK(bar({{"a", 1}}, 0).find("rect") == std::string::npos);
}

TEST_CASE("a reservation shows its runners where they still exist") {
  ReservationView view;
  view.unique_id = "ID";
  view.state = "started";
  view.run_id = 5'000'000'000;
  view.slots = {{7, SlotState::started}, {8, SlotState::finished}};
  view.deadline = noon;
  Snapshot snapshot;
  snapshot.runners = {std::make_shared<RunnerView>(runner(7))};
  auto body = json::parse(reservation_json(view, &snapshot));
  CHECK(body["unique_id"] == "ID");
  CHECK(body["run_id"] == 5'000'000'000);
  CHECK(body["deadline"] == "2026-11-23T10:00:00Z");
  CHECK(body["runners"][0]["runner"]["id"] == 7);
  CHECK(body["runners"][1]["runner"].is_null());
  CHECK(body["ended_time"].is_null());
  body = json::parse(reservation_json(view, nullptr));
  CHECK(body["runners"].size() == 2);
}
