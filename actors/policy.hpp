#pragma once
/// The actor that says what is wanted.

#include "actors/messages.hpp"
#include "actors/metered.hpp"

namespace ci {

/// Owns the policy in force: the settings' profiles and targets, and (with an override) what they are steered to.
///
/// Life: gets the settings from main, at start and at each reload, and publishes to whoever watches.
class PolicyActor : public Metered<policy_actor::base> {
 public:
  PolicyActor(caf::actor_config& config, MeterPtr meter) : Metered(config, std::move(meter)) {}

  behavior_type make_behavior() override {
    return {
        [this](watch_atom, const monitor_actor& monitor) {
          watcher_ = monitor;
          publish();
        },
        [this](policy_atom, const domain::PolicyPtr& settings) {
          policy_ = settings;
          publish();
        },
        [this](policy_atom) { return policy_; },
    };
  }
  void on_exit() override { watcher_ = nullptr; }

 private:
  void publish() {
    if (watcher_ && policy_)
      send(watcher_, policy_atom::value, policy_);
  }
  monitor_actor watcher_;
  domain::PolicyPtr policy_;
};

} // namespace ci
