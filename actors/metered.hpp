#pragma once
/// Mailbox depth, messages and handling time of every actor: Debian's CAF has its profiler compiled out, so two
/// virtuals are overridden instead.

#include "actors/death_point.hpp"

#include <caf/all.hpp>

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace ci {

/// Readings of all actors of one kind (all guest actors share one). Any thread.
class Meter {
 public:
  struct PerMessage {
    std::uint64_t handled = 0;
    double seconds = 0;
  };
  explicit Meter(std::string actor) : actor_(std::move(actor)) {}

  void enqueued() noexcept { enqueued_.fetch_add(1, std::memory_order_relaxed); }
  void taken() noexcept { taken_.fetch_add(1, std::memory_order_relaxed); }
  void handled(const std::string& message, double seconds) {
    std::lock_guard lock(mutex_);
    auto& entry = messages_[message];
    ++entry.handled;
    entry.seconds += seconds;
  }
  void restarted() noexcept { restarts_.fetch_add(1, std::memory_order_relaxed); }

  const std::string& actor() const noexcept { return actor_; }
  /// Messages in the mailbox; never negative.
  std::uint64_t depth() const noexcept {
    auto taken = taken_.load(std::memory_order_relaxed);
    auto enqueued = enqueued_.load(std::memory_order_relaxed);
    return enqueued > taken ? enqueued - taken : 0;
  }
  std::uint64_t restarts() const noexcept { return restarts_.load(std::memory_order_relaxed); }
  std::map<std::string, PerMessage> messages() const {
    std::lock_guard lock(mutex_);
    return messages_;
  }

 private:
  std::string actor_;
  std::atomic<std::uint64_t> enqueued_{0}, taken_{0}, restarts_{0};
  mutable std::mutex mutex_;
  std::map<std::string, PerMessage> messages_; ///< by the message's atom: bounded by messages.hpp
};
using MeterPtr = std::shared_ptr<Meter>;

/// All meters, by actor kind. Any thread.
class MeterBoard {
 public:
  /// The meter of that kind; made on first use.
  MeterPtr meter(const std::string& actor) {
    std::lock_guard lock(mutex_);
    auto& m = meters_[actor];
    if (!m)
      m = std::make_shared<Meter>(actor);
    return m;
  }
  std::vector<MeterPtr> all() const {
    std::lock_guard lock(mutex_);
    std::vector<MeterPtr> result;
    for (auto& [name, meter] : meters_)
      result.push_back(meter);
    return result;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, MeterPtr> meters_;
};
using MeterBoardPtr = std::shared_ptr<MeterBoard>;

/// Put between an actor class and its CAF base: `class Monitor : public Metered<monitor_actor::base>`.
template <class Base>
class Metered : public Base {
 public:
  Metered(caf::actor_config& config, MeterPtr meter) : Base(config), meter_(std::move(meter)) {}

  void enqueue(caf::mailbox_element_ptr message, caf::execution_unit* unit) override {
    meter_->enqueued();
    Base::enqueue(std::move(message), unit);
  }
  caf::invoke_message_result consume(caf::mailbox_element& message) override {
    auto name = name_of(message);
    if (DeathPoint::here().armed() && DeathPoint::here().reached(meter_->actor(), name)) [[unlikely]] {
      meter_->taken();
      this->quit(caf::exit_reason::kill);
      return caf::invoke_message_result::dropped;
    }
    auto begin = std::chrono::steady_clock::now();
    auto result = Base::consume(message);
    if (result != caf::invoke_message_result::skipped) {
      meter_->taken();
      meter_->handled(name, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    }
    return result;
  }
  const char* name() const override { return meter_->actor().c_str(); }

 protected:
  const MeterPtr& meter() const { return meter_; }

 private:
  static std::string name_of(caf::mailbox_element& element) {
    auto& content = element.content();
    if (element.mid.is_response())
      return "response";
    if (content.size() > 0 && content.template match_element<caf::atom_value>(0))
      return caf::to_string(content.template get_as<caf::atom_value>(0));
    return "other";
  }
  MeterPtr meter_;
};

} // namespace ci
