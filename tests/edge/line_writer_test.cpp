#include "actors/edge/line_writer.hpp"

#include "actors/edge/descriptor.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <string>
#include <thread>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace ci::edge;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t line_size = 200;

std::string line(int number) {
  auto text = "line " + std::to_string(number);
  return text + std::string(line_size - 1 - text.size(), '.') + "\n";
}

std::string lines(int from, int to) {
  std::string result;
  for (int i = from; i < to; ++i)
    result += line(i);
  return result;
}

std::string gap(std::uint64_t lost) { return std::to_string(lost) + " lost\n"; }

/// What is written into `out` and not yet read from `in` fills it.
struct Channel {
  explicit Channel(std::array<int, 2> ends) : in(ends[0]), out(ends[1]) {}
  /// At most what it holds: 64 KiB for a pipe.
  std::string read_some() {
    std::string got(std::size_t{1} << 16, '\0');
    const auto size = ::read(in.get(), got.data(), got.size());
    got.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    return got;
  }
  Descriptor in, out;
};

Channel a_channel(bool socket) {
  std::array<int, 2> ends{};
  REQUIRE((socket ? ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data())
                  : ::pipe2(ends.data(), O_CLOEXEC)) == 0);
  return Channel(ends);
}

} // namespace

TEST_CASE("lines that nobody reads hold up nobody, and come when somebody does") {
  bool socket = false;
  SUBCASE("a pipe") {}
  SUBCASE("a socket, as journald's") { socket = true; }
  auto channel = a_channel(socket);
  LineWriter writer(channel.out.get(), gap);
  constexpr int many = 3'000; // more than either holds, and less than is kept
  for (int i = 0; i < many; ++i)
    writer.write(line(i)); // would never return if it waited
  CHECK_FALSE(writer.drain(1ms));
  std::string seen;
  while (seen.size() < many * line_size) {
    seen += channel.read_some();
    writer.flush();
  }
  CHECK(seen == lines(0, many));
  CHECK(writer.drain(0ms));
  writer.write("and on\n");
  CHECK(channel.read_some() == "and on\n");
}

TEST_CASE("past a bound lines are lost, and where they are missing it is said how many") {
  bool socket = false;
  SUBCASE("a pipe") {}
  SUBCASE("a socket, as journald's") { socket = true; }
  auto channel = a_channel(socket);
  LineWriter writer(channel.out.get(), gap, 10 * line_size);
  constexpr int many = 3'000;
  for (int i = 0; i < many; ++i)
    writer.write(line(i));
  std::string seen;
  while (!writer.drain(0ms) || seen.find("lost") == seen.npos)
    seen += channel.read_some();
  const auto kept = static_cast<int>((seen.find(" lost") / line_size));
  CHECK(kept > 10);
  CHECK(kept < many);
  CHECK(seen == lines(0, kept) + gap(static_cast<std::uint64_t>(many - kept)));
  writer.write(line(many));
  CHECK(channel.read_some() == line(many));
}

TEST_CASE("a line that is larger than what a pipe holds arrives whole") {
  auto channel = a_channel(false);
  LineWriter writer(channel.out.get(), gap, 1);
  const auto large = std::string(std::size_t{1} << 18, 'x') + "\n";
  writer.write(large);
  std::string seen;
  while (seen.size() < large.size()) {
    seen += channel.read_some();
    writer.flush();
  }
  CHECK(seen == large);
}

TEST_CASE("whoever ends waits a while for a reader, and no longer") {
  auto channel = a_channel(false);
  LineWriter writer(channel.out.get(), gap);
  writer.write(lines(0, 1'000));
  const auto begin = std::chrono::steady_clock::now();
  CHECK_FALSE(writer.drain(20ms));
  CHECK(std::chrono::steady_clock::now() - begin >= 20ms);
  std::string seen;
  std::thread reader([&] {
    while (seen.size() < 1'000 * line_size)
      seen += channel.read_some();
  });
  CHECK(writer.drain(60s));
  reader.join();
  CHECK(seen == lines(0, 1'000));
}

TEST_CASE("a reader that is gone ends nothing") {
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  Descriptor out(ends[1]);
  ::close(ends[0]);
  LineWriter writer(out.get(), gap, 10 * line_size);
  for (int i = 0; i < 100; ++i)
    writer.write(line(i));
  CHECK_FALSE(writer.drain(1ms));
}
