#pragma once
/// Which guests run, by libvirt's word, and from what address; and shutting them down.

#include <libvirt/libvirt.h>

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace ci::guest_simulator {

/// One start of one guest.
struct Run {
  std::string name;
  std::string uuid;
  int id = 0; ///< libvirt's, another one at each start
  friend auto operator<=>(const Run&, const Run&) = default;
};

/// A thread that keeps a connection and compares what runs with what ran: after each event, after each
/// reconnect and every few seconds. Guests of a libvirt that went away count as running until it says
/// otherwise.
class Hypervisor {
 public:
  struct Listener {
    std::function<void()> connected;
    std::function<void(const Run&, const std::string& address)> started;
    std::function<void(const Run&)> ended;
  };
  /// The listener is called in this thread.
  Hypervisor(std::string uri, std::vector<std::string> prefixes, Listener listener);
  ~Hypervisor();
  Hypervisor(const Hypervisor&) = delete;
  Hypervisor& operator=(const Hypervisor&) = delete;

  /// From any thread. As if the guest had shut itself down.
  void shut_down(const Run& run) { order({run, false}); }
  /// From any thread. As if it had died.
  void crash(const Run& run) { order({run, true}); }

 private:
  struct Order {
    Run run;
    bool hard;
  };
  void order(Order order);
  void watch();
  bool connect();
  void disconnect();
  void look();
  void carry_out(const Order& order);
  std::string address_of(virDomainPtr domain);
  std::map<Run, std::string> running(bool& well);
  static int on_event(virConnectPtr, virDomainPtr, int, int, void* self);
  static void on_closed(virConnectPtr, int, void* self);

  std::string uri_;
  std::vector<std::string> prefixes_;
  Listener listener_;
  virConnectPtr connection_ = nullptr;
  int events_ = -1;
  std::map<Run, std::string> known_; ///< with addresses; empty: not told of yet, since it has none

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Order> orders_;
  bool changed_ = true, stop_ = false;

  std::thread events_thread_, thread_;
};

} // namespace ci::guest_simulator
