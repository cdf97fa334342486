#pragma once
/// The actor that owns the store.

#include "actors/edge/store.hpp"
#include "actors/messages.hpp"
#include "actors/metered.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <vector>

namespace ci {

// What the journal tells itself; nobody else sends these.
using flush_atom = caf::atom_constant<caf::atom("flush")>;
using tidy_atom = caf::atom_constant<caf::atom("tidy")>;
using journal_self = journal_actor::extend<caf::reacts_to<flush_atom>, caf::reacts_to<tidy_atom>>;

/// Writes batches to the store in the order in which they came, and answers each once it is on disk.
///
/// Life: a batch joins the queue, and a flush is sent if none is on its way. The flush lands behind the
/// batches that are in the mailbox already, so that all of these share one transaction, and one wait for the
/// disk. If it fails, health turns bad and the next flush comes after a pause, which doubles; then one batch
/// is written at a time, so that those in front of a bad one get through.
///
/// No failure is final, not even one that looks like a mistake of ours (a constraint, a value without a
/// word): who skipped a batch would let things come into being that the store knows nothing of, and after a
/// crash they would be nobody's. So the journal stays stuck, says so, and everything that needs a commit
/// waits; guests and jobs go on. The watcher hears of each change.
///
/// Blocks for the disk: spawn it detached. Spawned by main, which has opened the store, and stopped last.
class Journal : public Metered<journal_self::base> {
 public:
  /// `inherit` reads what is to be taken over from an older monitor, and may throw; unset: nothing is.
  Journal(caf::actor_config&, MeterPtr, std::shared_ptr<edge::Store>, metrics_actor,
          std::function<domain::Inheritance()> inherit = {});

  behavior_type make_behavior() override;
  /// Tries once to write what waits; whoever can't be helped gets an error.
  void on_exit() override;

 private:
  struct Waiting {
    domain::StoreBatch batch;
    caf::typed_response_promise<caf::unit_t> answer;
  };

  caf::result<domain::StoreImage> load();
  caf::result<caf::unit_t> commit(domain::StoreBatch&);
  void watch(monitor_actor);
  void flush();
  void tidy();
  ForgottenReply forget(const domain::InheritedFiles&);
  domain::HostReply link(const std::string& profile, const std::string& snapshot);

  /// Writes the first `count` batches of the queue and answers them. Throws StoreError.
  void write(std::size_t count);
  void retry_later(const std::string& why);
  void set_health(StoreHealth);
  void plan_tidying();

  std::shared_ptr<edge::Store> store_;
  metrics_actor metrics_;
  std::function<domain::Inheritance()> inherit_;
  monitor_actor watcher_;
  std::deque<Waiting> queue_;
  bool flush_sent_ = false, tidy_sent_ = false;
  std::size_t group_limit_;
  domain::Duration pause_;
  StoreHealth health_;
};

} // namespace ci
