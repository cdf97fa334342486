/// Name look-ups that hang, as they do where the resolvers are away.
#include "tests/edge/github_support.hpp"

#include <dlfcn.h>
#include <netdb.h>

using namespace github_test;
using namespace std::chrono_literals;

namespace {

const std::string hanging_name = "hanging.invalid";

/// Look-ups of that name wait until they are let go. Outlives every test, as a thread of libcurl may.
struct Lookups {
  std::mutex mutex;
  std::condition_variable changed;
  int waiting = 0;
  bool held = false;

  void wait() {
    std::unique_lock lock(mutex);
    ++waiting;
    changed.notify_all();
    changed.wait(lock, [this] { return !held; });
    --waiting;
    changed.notify_all();
  }
  bool wait_for_one() {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, 10s, [this] { return waiting > 0; });
  }
};
Lookups& lookups() {
  static auto& one = *new Lookups;
  return one;
}

/// While it lives, the name hangs; its end lets all go.
struct Hang {
  Hang() {
    std::lock_guard lock(lookups().mutex);
    lookups().held = true;
  }
  Hang(const Hang&) = delete;
  ~Hang() {
    std::unique_lock lock(lookups().mutex);
    lookups().held = false;
    lookups().changed.notify_all();
    lookups().changed.wait(lock, [] { return lookups().waiting == 0; });
  }
};

GithubOptions nowhere() {
  GithubOptions o;
  o.api_url = "http://" + hanging_name;
  o.scope = "/repos/o/r";
  o.token = token;
  o.http.exchange_timeout = 100ms;
  return o;
}

} // namespace

/// What libcurl calls instead of the C library's, in this program.
extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints, addrinfo** result) {
  using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto real = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  if (name == nullptr || name != hanging_name)
    return real(name, service, hints, result);
  lookups().wait();
  return EAI_AGAIN;
}

TEST_CASE("a look-up that outlasts its call holds up neither its answer nor other calls") {
  GithubClient client(nowhere());
  const Hang hang; // ends before the client, which would wait for its thread
  auto first = reply_of<Registration>([&](auto done) { client.get(7, done); });
  CHECK(lookups().wait_for_one());
  CHECK(first.error.kind == Kind::unreachable);
  CHECK(get(client, 8).error.kind == Kind::unreachable);
}

TEST_CASE("stopping does not wait for a look-up") {
  const Hang hang;
  auto o = nowhere();
  o.http.exchange_timeout = 60s;
  std::promise<GithubReply<Registration>> reply;
  {
    GithubClient client(o);
    client.get(7, [&](GithubReply<Registration> got) { reply.set_value(std::move(got)); });
    CHECK(lookups().wait_for_one());
  }
  CHECK(reply.get_future().get().error.kind == Kind::unreachable);
}
