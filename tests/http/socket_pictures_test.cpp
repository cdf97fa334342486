/// Pictures of guests over real sockets.
#include "tests/http/service.hpp"

using namespace test;
using ci::domain::PictureOutcome;
using ci::domain::PictureState;

namespace {

/// Answers every request for a picture alike.
class FakeScreenshots : public ci::screenshots_actor::base {
 public:
  FakeScreenshots(caf::actor_config& config, PictureOutcome outcome)
      : ci::screenshots_actor::base(config), outcome_(std::move(outcome)) {}
  behavior_type make_behavior() override {
    return {
        [this](ci::shot_atom, ci::domain::RunnerId, const ci::PicturedTo& to) { to(outcome_); },
        [](ci::pace_atom, ci::domain::Duration) {},
    };
  }

 private:
  const PictureOutcome outcome_;
};

void write_picture(Service& service, const std::string& text) {
  std::filesystem::create_directories(service.folder.path() / "data" / "runners" / "7");
  ci::test::write_file(service.folder.path() / "data" / "runners" / "7" / "screenshot.png", text);
}

} // namespace

TEST_CASE("a runner's last picture is served, with validators, and 404 where there is none") {
  Service service;
  auto client = service.client();
  check_problem(client.get("/runner/7/screenshot.png"), 404);
  write_picture(service, "a picture");
  const auto answer = client.get("/runner/7/screenshot.png");
  CHECK(answer.status == 200);
  CHECK(answer.body == "a picture");
  CHECK(answer.header("content-type") == "image/png");
  CHECK(!answer.header("last-modified").empty());
  CHECK(client.get("/runner/7/screenshot.png", "If-None-Match: " + answer.header("etag") + "\r\n").status ==
        304);
  write_picture(service, "another one");
  CHECK(client.get("/runner/7/screenshot.png", "If-None-Match: " + answer.header("etag") + "\r\n").body ==
        "another one");
  check_problem(client.get("/runner/8/screenshot.png"), 404); // no such runner
  check_problem(client.get("/runner/seven/screenshot.png"), 400);
  check_problem(client.get("/runner/07/screenshot.png"), 400);
  CHECK(client.ask("HEAD", "/runner/7/screenshot.png").answer(true).header("content-length") == "11");
}

TEST_CASE("the picture's page leads to the picture") {
  Service service;
  const auto answer = service.client().get("/runner/7/screenshot");
  CHECK(answer.status == 302);
  CHECK(answer.header("location") == "http://ci.example/runner/7/screenshot.png");
  check_problem(service.client().get("/runner/8/screenshot"), 404);
}

TEST_CASE("a picture of a build is the profile's") {
  Service service;
  auto client = service.client();
  check_problem(client.get("/profile/linux/screenshot.png"), 404);
  check_problem(client.get("/profile/other/screenshot.png"), 404);
  std::filesystem::create_directories(service.folder.path() / "data" / "profiles" / "linux");
  ci::test::write_file(service.folder.path() / "data" / "profiles" / "linux" / "screenshot.png", "building");
  CHECK(client.get("/profile/linux/screenshot.png").body == "building");
  check_problem(client.get("/profile/a%20b%2fc/screenshot.png"), 404); // a key with a slash is no folder
}

TEST_CASE(
    "a picture taken now is served afresh; a guest that is off, and one that can't be pictured, are 503") {
  Service service;
  write_picture(service, "now");
  auto client = service.client();
  check_problem(client.get("/runner/7/screenshot/now"), 503); // nobody takes pictures yet
  for (const auto state : {PictureState::taken, PictureState::off, PictureState::failed}) {
    service.screenshots =
        service.system().spawn<FakeScreenshots>(PictureOutcome{state, "/a/path/of/the/server"});
    const auto answer = client.get("/runner/7/screenshot/now");
    caf::anon_send_exit(service.screenshots, caf::exit_reason::user_shutdown);
    service.screenshots = nullptr;
    if (state == PictureState::taken) {
      CHECK(answer.body == "now");
      CHECK(answer.header("content-type") == "image/png");
      CHECK(answer.header("cache-control") == "no-store");
    } else {
      check_problem(answer, 503);
      CHECK(!answer.header("retry-after").empty());
      CHECK(answer.body.find("/a/path") == std::string::npos);
    }
  }
  check_problem(client.get("/runner/8/screenshot/now"), 404);
}

TEST_CASE("the page shows pictures where they are public") {
  auto options = test_options();
  for (const bool open : {true, false}) {
    options.public_pictures = open;
    Service service(options);
    const auto text = service.client().get("/dashboard.html").body;
    CHECK((text.find("<img class=\"screen\" src=\"runner/7/screenshot.png\"") != std::string::npos) == open);
    CHECK((text.find("<th>Screen</th>") != std::string::npos) == open);
    options.public_pictures = !open;
    service.api.adjust(options);
    CHECK((service.client().get("/dashboard.html").body.find("<img") != std::string::npos) == !open);
  }
}
