/// Programs that are run, and the checkout that git keeps up to date: real programs, real repositories.
#include "actors/edge/checkout.hpp"
#include "actors/edge/command.hpp"

#include "tests/support/private_libvirtd.hpp"

#include <doctest/doctest.h>

#include <sys/wait.h>
#include <unistd.h>

namespace fs = std::filesystem;
using namespace ci;
using namespace std::chrono_literals;
using ci::test::eventually;
using ci::test::read_file;
using ci::test::write_file;

namespace {

void git(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"git", "-c", "user.name=x", "-c", "user.email=x@x"});
  REQUIRE(edge::run_command(arguments, 60s) == "");
}

/// A repository with one commit, and a clone of it.
struct Clone {
  test::TempFolder folder;
  std::string upstream = (folder.path() / "upstream").string();
  std::string checkout = (folder.path() / "checkout").string();

  Clone() {
    git({"init", "-q", "-b", "main", upstream});
    write_file(fs::path(upstream) / "file", "first");
    git({"-C", upstream, "add", "file"});
    git({"-C", upstream, "commit", "-q", "-m", "first"});
    git({"clone", "-q", upstream, checkout});
  }
  void commit(const std::string& text) {
    write_file(fs::path(upstream) / "file", text);
    git({"-C", upstream, "commit", "-q", "-a", "-m", text});
  }
};

/// A program that says when it is up, and what it does when it is asked to end.
std::vector<std::string> shell(const std::string& on_term, const fs::path& up) {
  return {"sh", "-c", "trap '" + on_term + "' TERM; touch '" + up.string() + "'; while :; do sleep 0.05; done"};
}

/// What run_command() says of a program that is stopped once it is up.
std::string run_until_up(const std::string& on_term, const fs::path& up) {
  std::atomic<bool> stop{false};
  std::thread stopper([&] { stop = eventually([&] { return fs::exists(up); }); });
  auto error = edge::run_command(shell(on_term, up), 60s, &stop);
  stopper.join();
  return error;
}

} // namespace

TEST_CASE("a program is run, judged by its status, and ended when its time is over") {
  CHECK(edge::run_command({"true"}, 10s) == "");
  CHECK(edge::run_command({"false"}, 10s).find("ended with 1") != std::string::npos);
  CHECK(edge::run_command({"no-such-program"}, 10s).find("No such file") != std::string::npos);
  CHECK(edge::run_command({"sleep", "60"}, 0s).find("longer") != std::string::npos);
  std::atomic<bool> stop{true};
  CHECK(edge::run_command({"sleep", "60"}, 60s, &stop) != "");
}

TEST_CASE("G6: a program inherits no file that is open here") {
  int ends[2];
  REQUIRE(pipe(ends) == 0); // as asio's sockets: no close-on-exec
  for (int end : ends)
    CHECK(edge::run_command({"test", "-e", "/proc/self/fd/" + std::to_string(end)}, 10s).find("ended with 1") !=
          std::string::npos);
  close(ends[0]);
  close(ends[1]);
}

TEST_CASE("a program that is interrupted is asked to end before it is made to") {
  test::TempFolder folder;
  const auto tidied = folder.path() / "tidied";
  CHECK(run_until_up("touch \"" + tidied.string() + "\"; exit 0", folder.path() / "up") != "");
  CHECK(fs::exists(tidied));
  const auto begin = std::chrono::steady_clock::now();
  CHECK(run_until_up("", folder.path() / "deaf") != "");
  CHECK(std::chrono::steady_clock::now() - begin < 30s);
}

TEST_CASE("G6: a program that is run ends with the process that runs it") {
  test::TempFolder folder;
  const auto up = folder.path() / "up", ended = folder.path() / "ended";
  const pid_t runner = fork();
  if (runner == 0) {
    edge::run_command(shell("touch \"" + ended.string() + "\"; exit 0", up), 60s);
    _exit(0);
  }
  REQUIRE(eventually([&] { return fs::exists(up); }));
  ::kill(runner, SIGKILL);
  waitpid(runner, nullptr, 0);
  CHECK(eventually([&] { return fs::exists(ended); }, 5s));
}

TEST_CASE("a checkout follows its remote's main branch, whatever was done to it") {
  Clone clone;
  clone.commit("second");
  write_file(fs::path(clone.checkout) / "file", "changed by hand");
  REQUIRE(edge::update_checkout(clone.checkout) == "");
  CHECK(read_file(fs::path(clone.checkout) / "file") == "second");
  CHECK(fs::exists(fs::path(clone.checkout) / ".git" / "info" / "refs"));
  CHECK(edge::update_checkout(clone.folder.path().string()).find("git reset") != std::string::npos);
}

TEST_CASE("G12: what an interrupted git leaves behind is removed, and holds up no later one") {
  Clone clone;
  clone.commit("second");
  const auto git_folder = fs::path(clone.checkout) / ".git";
  const std::vector<std::string> left{"index.lock",
                                      "HEAD.lock",
                                      "shallow.lock",
                                      "packed-refs.lock",
                                      "refs/remotes/origin/main.lock",
                                      "objects/pack/tmp_pack_a1b2c3",
                                      "objects/pack/tmp_idx_a1b2c3",
                                      "objects/tmp_obj_a1b2c3"};
  for (auto& name : left)
    write_file(git_folder / name, "");
  write_file(fs::path(clone.checkout) / "index.lock", "not git's");
  REQUIRE(edge::update_checkout(clone.checkout) == "");
  CHECK(read_file(fs::path(clone.checkout) / "file") == "second");
  for (auto& name : left)
    CHECK_MESSAGE(!fs::exists(git_folder / name), name);
  CHECK(fs::exists(fs::path(clone.checkout) / "index.lock"));
}
