#include "http/body_stream.hpp"

#include <doctest/doctest.h>

using namespace ci::http;
using namespace std::chrono_literals;

namespace {

/// Two pieces, at once.
class TwoPieces : public BodySource {
 public:
  std::int64_t size() const override { return 2; }
  ci::domain::Steady begin_by() const override { return std::chrono::steady_clock::now() + 1h; }
  void next(Take take) override { take(std::make_shared<const std::string>("x")); }
};

} // namespace

TEST_CASE("G12: a transfer keeps nothing of its request when its answer has begun") {
  const auto io = std::make_shared<asio::io_context>(1);
  BodyStreams streams(io, 1h);
  auto request = std::make_shared<int>();
  const std::weak_ptr<int> kept = request;
  auto source = std::make_shared<TwoPieces>();
  const std::weak_ptr<BodySource> under_way = source;
  // To no connection: what goes out is never taken in.
  const auto begin = [](const auto&) {
    return BodyStreams::Builder(restinio::http_status_line_t(restinio::status_ok()), nullptr, 0, true);
  };
  streams.send([begin, request] { return begin(request); }, [request] {}, std::move(source), nullptr);
  request.reset();
  CHECK(!kept.expired());
  io->poll(); // the first piece comes
  CHECK(!under_way.expired());
  CHECK(kept.expired());
  streams.clear();
}
