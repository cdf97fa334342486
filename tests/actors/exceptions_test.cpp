#include "actors/exceptions.hpp"

#include "tests/support/fake_host.hpp"

#include <doctest/doctest.h>
#include <spdlog/sinks/ostream_sink.h>

#include <sstream>
#include <stdexcept>

using namespace ci;

namespace {

using thrower_actor = caf::typed_actor<caf::replies_to<std::string>::with<int>>;

/// Throws what it is told to.
class Thrower : public thrower_actor::base {
 public:
  explicit Thrower(caf::actor_config& config) : thrower_actor::base(config) {
    set_exception_handler(log_exception(spdlog::level::critical, "thrower_exception"));
  }
  behavior_type make_behavior() override {
    return {[](const std::string& what) -> int {
      if (what == "text")
        throw std::runtime_error("no such thing");
      throw 7;
    }};
  }
};

/// What is logged as long as it lives.
struct Log {
  std::ostringstream text;
  std::shared_ptr<spdlog::logger> before = spdlog::default_logger();
  Log() {
    auto logger = std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_st>(text));
    logger->set_pattern("level=%l %v");
    spdlog::set_default_logger(logger);
  }
  ~Log() { spdlog::set_default_logger(before); }
};

} // namespace

TEST_CASE("an exception is logged and ends its actor, and whoever asked gets an error") {
  Log log;
  test::Stage stage;
  caf::scoped_actor self{stage.system};
  const auto ask = [&](const std::string& what) {
    auto thrower = stage.system.spawn<Thrower>();
    self->monitor(thrower);
    auto request = self->request(thrower, caf::infinite, what);
    stage.run();
    bool refused = false;
    request.receive([](int) {}, [&](const caf::error&) { refused = true; });
    CHECK(refused);
    self->receive([](const caf::down_msg& down) { CHECK(down.reason == caf::sec::runtime_error); });
  };
  ask("text");
  CHECK(log.text.str() == "level=critical event=thrower_exception what=\"no such thing\"\n");
  log.text.str({});
  ask("number");
  CHECK(log.text.str() == "level=critical event=thrower_exception what=unknown\n");
}
