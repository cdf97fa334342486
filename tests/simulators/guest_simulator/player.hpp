#pragma once
/// One guest, played.

#include "tests/simulators/guest_simulator/behaviour.hpp"
#include "tests/simulators/guest_simulator/blob.hpp"
#include "tests/simulators/guest_simulator/hypervisor.hpp"
#include "tests/simulators/guest_simulator/loop.hpp"
#include "tests/simulators/guest_simulator/options.hpp"

#include <set>
#include <string>

namespace ci::guest_simulator {

/// Fetches its boot script and its JIT config, opens a session, waits for a job, runs it, reports it, and
/// shuts the guest down. Stops at once when it is destroyed. Lives in the loop's thread.
class Player {
 public:
  Player(Loop& loop, Hypervisor& hypervisor, Behaviours& behaviours, const Options& options, Run run,
         std::string address);
  ~Player();
  Player(const Player&) = delete;
  Player& operator=(const Player&) = delete;

 private:
  using Step = void (Player::*)();
  using Take = void (Player::*)(const Reply&);

  void boot();
  void booted(const Reply&);
  void build();
  void end_build();
  void fetch();
  void fetched(const Reply&);
  void open_session();
  void session_opened(const Reply&);
  void poll();
  void polled(const Reply&);
  void begin_job(const std::string& text);
  void say_alive();
  void said_alive(const Reply&);
  void end_job();
  void report();
  void reported(const Reply&);
  void session_closed(const Reply&);
  /// The runner's program has ended; the guest goes off where it should.
  void power_off(const char* why);

  bool hangs_at(const char* step);
  void from_monitor(const std::string& path, Take take);
  void to_github(const char* method, const std::string& what, const std::string& body, Duration patience,
                 Take take);
  void send(const Request& request, Take take);
  void later(Duration time, Step step);
  /// After the pause that was asked for, else after one of our own, which grows.
  void again(const Reply& reply, Step step);

  Loop& loop_;
  Hypervisor& hypervisor_;
  Behaviours& behaviours_;
  const Options& options_;
  Run run_;
  std::string address_;
  JitConfig config_;
  std::string conclusion_ = "success";
  Duration pause_{250};
  bool working_ = false;
  std::set<Ticket> pending_;
};

} // namespace ci::guest_simulator
