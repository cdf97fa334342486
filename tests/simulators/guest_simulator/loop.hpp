#pragma once
/// The one thread in which all guests are played: HTTP transfers, timers, and calls from other threads.

#include <curl/curl.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace ci::guest_simulator {

using Duration = std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

struct Request {
  std::string method = "GET";
  std::string url;
  std::string body;
  /// Sent as a bearer token where it is not empty. A secret.
  std::string token;
  /// The local address to call from; empty: any.
  std::string from;
  Duration patience{5'000};
};

struct Reply {
  int status = 0; ///< 0: no answer
  std::string body;
  Duration retry_after{0}; ///< 0: nothing was asked for
  std::string trouble;     ///< where there is no answer
};

/// Of a transfer or timer; never used twice.
using Ticket = std::uint64_t;

/// All but call() and stop() from within the loop's own thread.
class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Until stop().
  void run();
  /// From any thread, and from signal handlers' threads.
  void stop();
  void call(std::function<void()> what);

  Ticket send(const Request& request, std::function<void(Reply)> done);
  Ticket after(Duration time, std::function<void()> what);
  /// Nothing is called back then; a transfer is cut off at once.
  void cancel(Ticket ticket);

 private:
  struct Transfer;
  void run_calls();
  void run_timers();
  void end_transfers();
  int pause() const;

  CURLM* multi_;
  std::mutex mutex_;
  std::vector<std::function<void()>> calls_;
  bool stop_ = false;
  Ticket tickets_ = 0;
  std::map<Ticket, std::unique_ptr<Transfer>> transfers_;
  std::map<std::pair<Clock::time_point, Ticket>, std::function<void()>> timers_;
  std::map<Ticket, Clock::time_point> timer_times_;
};

} // namespace ci::guest_simulator
