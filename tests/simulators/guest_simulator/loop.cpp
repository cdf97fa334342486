#include "tests/simulators/guest_simulator/loop.hpp"

#include <algorithm>
#include <stdexcept>

namespace ci::guest_simulator {
namespace {

constexpr std::size_t max_body = std::size_t{4} << 20;

std::size_t take_body(char* data, std::size_t, std::size_t size, void* to) {
  auto& body = *static_cast<std::string*>(to);
  if (body.size() + size > max_body)
    return CURL_WRITEFUNC_ERROR;
  body.append(data, size);
  return size;
}

} // namespace

struct Loop::Transfer {
  CURL* easy = nullptr;
  curl_slist* headers = nullptr;
  CURLM* multi = nullptr;
  Ticket ticket = 0;
  Request request;
  std::string body;
  std::function<void(Reply)> done;

  ~Transfer() {
    if (multi)
      curl_multi_remove_handle(multi, easy);
    curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
  }
  void prepare();
  Reply reply(CURLcode code);
};

void Loop::Transfer::prepare() {
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.patience.count()));
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &body);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, this);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  if (!request.from.empty())
    curl_easy_setopt(easy, CURLOPT_INTERFACE, ("host!" + request.from).c_str());
  if (request.method == "POST") {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.c_str());
    headers = curl_slist_append(headers, "Content-Type: application/json");
    headers = curl_slist_append(headers, "Expect:");
  }
  if (!request.token.empty())
    headers = curl_slist_append(headers, ("Authorization: Bearer " + request.token).c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
}

Reply Loop::Transfer::reply(CURLcode code) {
  Reply result;
  if (code != CURLE_OK) {
    result.trouble = curl_easy_strerror(code);
    return result;
  }
  long status = 0;
  curl_off_t seconds = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &seconds);
  result.status = static_cast<int>(status);
  result.retry_after = std::chrono::seconds(std::clamp<curl_off_t>(seconds, 0, 3600));
  result.body = std::move(body);
  return result;
}

Loop::Loop() : multi_(curl_multi_init()) {
  if (!multi_)
    throw std::runtime_error("curl");
}

Loop::~Loop() {
  transfers_.clear();
  curl_multi_cleanup(multi_);
}

void Loop::run() {
  for (int running = 0;;) {
    {
      std::lock_guard lock(mutex_);
      if (stop_)
        return;
    }
    run_calls();
    run_timers();
    curl_multi_perform(multi_, &running);
    end_transfers();
    curl_multi_poll(multi_, nullptr, 0, pause(), nullptr);
  }
}

void Loop::stop() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  curl_multi_wakeup(multi_);
}

void Loop::call(std::function<void()> what) {
  {
    std::lock_guard lock(mutex_);
    calls_.push_back(std::move(what));
  }
  curl_multi_wakeup(multi_);
}

Ticket Loop::send(const Request& request, std::function<void(Reply)> done) {
  auto transfer = std::make_unique<Transfer>();
  transfer->easy = curl_easy_init();
  transfer->ticket = ++tickets_;
  transfer->request = request;
  transfer->done = std::move(done);
  transfer->prepare();
  curl_multi_add_handle(multi_, transfer->easy);
  transfer->multi = multi_;
  transfers_.emplace(tickets_, std::move(transfer));
  return tickets_;
}

Ticket Loop::after(Duration time, std::function<void()> what) {
  auto at = Clock::now() + time;
  timer_times_[++tickets_] = at;
  timers_[{at, tickets_}] = std::move(what);
  return tickets_;
}

void Loop::cancel(Ticket ticket) {
  transfers_.erase(ticket);
  auto timer = timer_times_.find(ticket);
  if (timer == timer_times_.end())
    return;
  timers_.erase({timer->second, ticket});
  timer_times_.erase(timer);
}

void Loop::run_calls() {
  std::vector<std::function<void()>> calls;
  {
    std::lock_guard lock(mutex_);
    calls.swap(calls_);
  }
  for (auto& call : calls)
    call();
}

void Loop::run_timers() {
  auto now = Clock::now();
  while (!timers_.empty() && timers_.begin()->first.first <= now) {
    auto timer = timers_.extract(timers_.begin());
    timer_times_.erase(timer.key().second);
    timer.mapped()();
  }
}

void Loop::end_transfers() {
  int left = 0;
  while (auto message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE)
      continue;
    Transfer* ended = nullptr;
    auto code = message->data.result; // the message is gone with the handle
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &ended);
    auto transfer = std::move(transfers_.extract(ended->ticket).mapped());
    auto reply = transfer->reply(code);
    auto done = std::move(transfer->done);
    transfer.reset();
    done(std::move(reply));
  }
}

int Loop::pause() const {
  if (timers_.empty())
    return 60'000;
  auto left = std::chrono::ceil<Duration>(timers_.begin()->first.first - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
}

} // namespace ci::guest_simulator
