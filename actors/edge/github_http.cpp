#include "actors/edge/github_http.hpp"

#include "actors/domain/visible_ascii.hpp"
#include "actors/edge/github_transfer.hpp"

#include <atomic>
#include <csignal>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <pthread.h>

namespace ci::edge {

using domain::Duration;
using domain::Steady;

namespace {

Steady steady_now() { return std::chrono::steady_clock::now(); }

/// How much later than an urgent one of the same moment it goes.
Duration handicap(HttpUrgency urgency) {
  switch (urgency) {
  case HttpUrgency::urgent:
    return Duration{0};
  case HttpUrgency::normal:
    return Duration{1'000};
  case HttpUrgency::leisurely:
    return Duration{3'000};
  }
  return Duration{0};
}

/// A secret out of an environment may end in a line break, which would end the header as well.
std::string header_safe(const std::string& token) {
  std::string result;
  for (const char c : token)
    if (domain::is_visible_ascii(c))
      result += c;
  return result;
}

HttpAnswer given_up(const char* why) {
  HttpAnswer answer;
  answer.fault = HttpAnswer::Fault::unreachable;
  answer.trouble = why;
  return answer;
}

HttpAnswer never_sent(const char* why) {
  auto answer = given_up(why);
  answer.unsent = true;
  return answer;
}

/// A callback that throws must not end the thread that all others depend on.
void give_answer(const HttpDone& done, HttpAnswer answer) noexcept {
  try {
    done(std::move(answer));
  } catch (...) {
  }
}

} // namespace

/// All state but the inbox, the token and the flag belongs to the thread.
struct GithubHttp::Loop {
  struct Waiting {
    HttpRequest request;
    HttpDone done;
  };
  using Transfers = std::map<CURL*, std::pair<std::unique_ptr<GithubTransfer>, HttpDone>>;

  Loop(HttpLimits l, std::string token, Observer o)
      : limits(l), observer(std::move(o)), token_(header_safe(token)), multi(curl_multi_init()) {
    curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, static_cast<long>(limits.max_in_flight));
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, static_cast<long>(limits.max_in_flight));
    start_thread();
  }

  ~Loop() { curl_multi_cleanup(multi); }

  /// While this still is whole, since callbacks may submit more.
  void stop() {
    stopping = true;
    curl_multi_wakeup(multi);
    thread.join();
  }

  /// Signals are for the main thread; SIGPIPE, which OpenSSL may raise, is for nobody.
  void start_thread() {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread = std::thread{[this] { run(); }};
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  void push(Waiting waiting) {
    {
      std::lock_guard lock(mutex);
      inbox.push_back(std::move(waiting));
    }
    curl_multi_wakeup(multi);
  }

  std::string token() {
    std::lock_guard lock(mutex);
    return token_;
  }

  void run() {
    pthread_setname_np(pthread_self(), "github");
    while (!stopping) {
      take_inbox();
      expire();
      start_waiting();
      int running = 0;
      curl_multi_perform(multi, &running);
      if (!finish_done())
        curl_multi_poll(multi, nullptr, 0, patience(), nullptr);
    }
    stop_all();
  }

  void take_inbox() {
    std::vector<Waiting> arrived;
    {
      std::lock_guard lock(mutex);
      arrived.swap(inbox);
    }
    for (auto& waiting : arrived) {
      if (queue.size() >= limits.max_queued)
        give_answer(waiting.done, never_sent("too many requests wait for GitHub"));
      else
        queue.emplace(steady_now() + handicap(waiting.request.urgency), std::move(waiting));
    }
  }

  /// Those in flight have libcurl's time-out instead.
  void expire() {
    std::vector<HttpDone> expired;
    for (auto i = queue.begin(); i != queue.end();) {
      if (i->second.request.deadline > steady_now()) {
        ++i;
        continue;
      }
      expired.push_back(std::move(i->second.done));
      i = queue.erase(i);
    }
    for (auto& done : expired)
      give_answer(done, never_sent("waited too long to be sent"));
  }

  void start_waiting() {
    while (!queue.empty() && transfers.size() < static_cast<std::size_t>(limits.max_in_flight)) {
      auto waiting = std::move(queue.begin()->second);
      queue.erase(queue.begin());
      start(std::move(waiting));
    }
  }

  void start(Waiting waiting) {
    auto shown = waiting.request.with_token ? token() : std::string{};
    if (waiting.request.own_token) {
      auto own = waiting.request.own_token();
      if (!own)
        return give_answer(waiting.done, never_sent("no token could be made"));
      shown = header_safe(*own);
    }
    auto transfer = std::make_unique<GithubTransfer>(std::move(waiting.request), limits, std::move(shown));
    auto* easy = transfer->easy();
    if (!easy || curl_multi_add_handle(multi, easy) != CURLM_OK) {
      give_answer(waiting.done, never_sent("libcurl could not start the request"));
      return;
    }
    transfers.emplace(easy, std::pair{std::move(transfer), std::move(waiting.done)});
  }

  /// True where any was finished: its callback may have asked for more.
  bool finish_done() {
    bool any = false;
    int left = 0;
    while (const auto* message = curl_multi_info_read(multi, &left)) {
      if (message->msg != CURLMSG_DONE)
        continue;
      // `message` is gone once its handle is removed.
      const auto code = message->data.result;
      finish(message->easy_handle, code);
      any = true;
    }
    return any;
  }

  void finish(CURL* easy, CURLcode code) {
    const auto found = transfers.find(easy);
    if (found == transfers.end())
      return;
    auto [transfer, done] = std::move(found->second);
    transfers.erase(found);
    curl_multi_remove_handle(multi, easy);
    auto answer = transfer->finish(code);
    observe(transfer->request(), answer);
    give_answer(done, std::move(answer));
  }

  void observe(const HttpRequest& request, const HttpAnswer& answer) noexcept {
    try {
      if (observer)
        observer(request, answer);
    } catch (...) {
    }
  }

  /// Milliseconds to sleep: until woken, or until the next of the queue has waited too long.
  int patience() const {
    Duration result{60'000};
    for (const auto& [when, waiting] : queue)
      result = std::min(result, std::chrono::ceil<Duration>(waiting.request.deadline - steady_now()));
    return static_cast<int>(std::max(result, Duration{0}).count());
  }

  /// What callbacks ask for meanwhile is answered likewise.
  void stop_all() {
    auto ended = std::exchange(transfers, {});
    for (auto& [easy, entry] : ended) {
      curl_multi_remove_handle(multi, easy);
      give_answer(entry.second, given_up("stopping"));
    }
    ended.clear();
    while (true) {
      take_inbox();
      if (queue.empty())
        return;
      for (auto& [when, waiting] : std::exchange(queue, {}))
        give_answer(waiting.done, never_sent("stopping"));
    }
  }

  const HttpLimits limits;
  const Observer observer;
  std::mutex mutex;
  std::vector<Waiting> inbox; ///< guarded by `mutex`
  std::string token_;         ///< guarded by `mutex`
  std::atomic<bool> stopping{false};
  CURLM* multi;
  Transfers transfers;
  std::multimap<Steady, Waiting> queue; ///< by when it is due, see handicap()
  std::thread thread;
};

GithubHttp::GithubHttp(HttpLimits limits, std::string token, Observer observer) {
  static const auto initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  static_cast<void>(initialised);
  loop_ = std::make_unique<Loop>(limits, std::move(token), std::move(observer));
}

GithubHttp::~GithubHttp() { loop_->stop(); }

void GithubHttp::submit(HttpRequest request, HttpDone done) {
  loop_->push({std::move(request), std::move(done)});
}

void GithubHttp::set_token(std::string token) {
  std::lock_guard lock(loop_->mutex);
  loop_->token_ = header_safe(token);
}

} // namespace ci::edge
