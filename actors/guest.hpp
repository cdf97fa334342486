#pragma once
/// The actor of one guest of ours.

#include "actors/messages.hpp"
#include "actors/metered.hpp"
#include "actors/workers.hpp"

#include <deque>
#include <string>
#include <vector>

namespace ci {

/// Carries out the orders for one guest, one after the other, by asking a worker for one blocking call at a
/// time.
///
/// Life: spawned by the hypervisor when the first order for its name comes, ended by it after a remove that
/// succeeded.
///   prepare: template's definition -> its disk -> clone -> its NVRAM, if it has one -> copy
///   start:   template's definition -> the runner's, with the disk that prepare told -> define -> start
///   remove:  look (another UUID: ours is gone, on to its disk) -> halt -> look (still on: an error) ->
///   undefine -> erase disk
/// An order that comes while another is under way waits for its end; one that repeats the newest order gets
/// that one's answer. Each step is safe to repeat, so an order that failed halfway is simply given again.
///
/// Each order goes to the worker that is the least busy. When one did not answer in time, its call may still
/// happen later; then all further orders of this guest go to the same worker, behind that call, so that a
/// late "define" can't bring back what a "remove" took away.
class Guest : public Metered<guest_actor::base> {
 public:
  Guest(caf::actor_config&, MeterPtr, WorkersPtr);
  ~Guest() override;

  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  enum class Kind { prepare, start, remove };
  using Answer = caf::typed_response_promise<domain::HostReply>;
  struct Order {
    Kind kind;
    domain::GuestSpec spec;
    std::vector<Answer> answers;
  };

  caf::result<domain::HostReply> accept(Kind, domain::GuestSpec&);
  void begin();
  void finish(const domain::HostReply&);
  void finish(const std::string& error, domain::Steady at) { finish(domain::HostReply{error, at}); }

  void prepare_from(XmlReply&);
  void prepare_nvram(domain::HostReply& cloned);
  void start_from(XmlReply&);
  void start_defined(domain::HostReply&);
  void prepared(domain::HostReply&);
  void started(domain::HostReply&);
  void remove_seen(ObservationReply&);
  /// The guest of that name is someone else's: of ours there may be a disk, which is theirs if they use it.
  void remove_beside(XmlReply& stranger);
  void remove_halted(domain::HostReply&);
  void remove_stopped(ObservationReply&);
  void remove_undefined(domain::HostReply&);
  void erase_disk(domain::Steady undefined_at);
  void ended(domain::HostReply& reply) { finish(reply); }

  /// Asks the worker; the answer goes to `next`, silence ends the order.
  template <class Reply, class... Parts>
  void ask(domain::Duration timeout, void (Guest::*next)(Reply&), Parts... parts);
  void unanswered(const caf::error&);
  void choose_worker();
  void leave_worker();
  const domain::GuestSpec& spec() const { return orders_.front().spec; }

  WorkersPtr workers_;
  /// Of the template that is being cloned; empty: it has none.
  std::string template_nvram_;
  domain::ClonedDisk disk_;   ///< made by the prepare that is under way
  domain::Steady defined_at_; ///< of the start that is under way
  std::deque<Order> orders_;  ///< the first is under way
  std::size_t worker_ = 0;
  bool borrowed_ = false;
  bool copying_ = false; ///< the worker was told so
  /// A call that nobody waits for any more may still be under way at `worker_`.
  bool pinned_ = false;
  std::string last_error_;
};

} // namespace ci
