#pragma once
/// The actor that makes images.

#include "actors/messages.hpp"
#include "actors/metered.hpp"
#include "actors/workers.hpp"

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace ci {

/// Carries out the orders for all images by asking a worker for one blocking call at a time.
///
///   prepare: (look at a hand-made guest: on is an error -> its definition ->) the disk -> the firmware's variables -> the config ISO
///   start:   the rebuild guest's definition, made from guest.xml -> define -> start
///   seal:    rename
///   remove:  is its disk in use by another guest (an error) -> under both names: look (another UUID: not ours, left alone) -> halt -> undefine; then the files
///
/// Orders for one image wait for each other. An order has a worker for itself, and waits until there is one:
/// what its calls are given of time is not spent behind another image's copy. Copies leave one worker to orders
/// that take a moment. Each step is safe to repeat. After a call that was not answered in time, further orders of
/// that image go to the same worker, behind that call (see Guest), until that worker answers something.
class ImagesActor : public Metered<images_actor::base> {
 public:
  ImagesActor(caf::actor_config&, MeterPtr, WorkersPtr);

  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  enum class Kind { prepare, start, seal, remove, update };
  struct Work {
    Kind kind;
    domain::ImageSpec spec; ///< of an update: the checkout's path is its folder
    caf::typed_response_promise<domain::HostReply> answer;
    std::size_t worker = 0;
    std::string disk_from, nvram_from; ///< what the image begins as a copy of
    std::string format_from;           ///< of that disk, where a definition states it
    std::vector<std::string> names;    ///< of guests that are to be removed yet
  };
  using WorkPtr = std::shared_ptr<Work>;

  caf::result<domain::HostReply> accept(Kind, domain::ImageSpec);
  /// Begins what waits and has a worker now.
  void begin_waiting();
  bool borrow_worker(Work&);
  void begin(const WorkPtr&);
  void conclude(const WorkPtr&, const std::string& error, bool cut_short = false);
  void ended(const WorkPtr& work, domain::HostReply& reply) { conclude(work, reply.error); }

  void prepare(const WorkPtr&);
  void prepare_seen(const WorkPtr&, ObservationReply&);
  void prepare_from(const WorkPtr&, XmlReply&);
  void make_disk(const WorkPtr&);
  void disk_made(const WorkPtr&, domain::HostReply&);
  void nvram_copied(const WorkPtr&, domain::HostReply&);
  void start(const WorkPtr&);
  void defined(const WorkPtr&, domain::HostReply&);
  void remove_unused(const WorkPtr&, domain::HostReply&);
  void remove_next(const WorkPtr&);
  void remove_seen(const WorkPtr&, ObservationReply&);
  void remove_halted(const WorkPtr&, domain::HostReply&);
  void remove_undefined(const WorkPtr&, domain::HostReply&);

  /// Asks the worker; the answer goes to `next`, silence ends the order.
  template <class Reply, class... Parts>
  void ask(const WorkPtr&, domain::Duration timeout, void (ImagesActor::*next)(const WorkPtr&, Reply&),
           Parts... parts);

  WorkersPtr workers_;
  std::map<std::string, std::deque<WorkPtr>> queues_; ///< by image; the first of each is under way, or waiting_
  std::deque<WorkPtr> waiting_;                       ///< for a worker
  std::map<std::string, std::size_t> pinned_; ///< images whose last call may be under way at that worker
};

} // namespace ci
