#include "actors/host.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

/// The life of a host's connection, and the events that come over it.

namespace ci {

void HostActor::watch(hypervisor_actor watcher) {
  watcher_ = std::move(watcher);
  connection_ = {};
  host_ = std::make_unique<edge::Host>(setup_.uri, callbacks());
  next_try_ = {};
  open();
}

/// Runs in libvirt's thread: copies and leaves. The actor is held weakly: it owns the connection.
edge::HostCallbacks HostActor::callbacks() {
  auto weak = caf::actor_cast<caf::weak_actor_ptr>(this);
  auto me = [weak] { return caf::actor_cast<caf::strong_actor_ptr>(weak); };
  edge::HostCallbacks result;
  result.changed = [me, inbox = inbox_](const std::string& name, const std::string& uuid,
                                        edge::GuestEvent event) {
    bool first = false;
    {
      std::lock_guard lock(inbox->mutex);
      first = inbox->changed.empty();
      auto& change = inbox->changed[name];
      change.uuid = uuid;
      if (event != edge::GuestEvent::other)
        change.by_host = event == edge::GuestEvent::shutdown_by_host;
    }
    if (auto actor = first ? me() : nullptr)
      caf::anon_send(caf::actor_cast<host_self>(actor), changed_atom::value);
  };
  result.closed = [me](const std::string& reason) {
    if (auto actor = me())
      caf::anon_send(caf::actor_cast<host_self>(actor), closed_atom::value, reason);
  };
  return result;
}

void HostActor::report_changes() {
  std::map<std::string, Inbox::Change> changed;
  {
    std::lock_guard lock(inbox_->mutex);
    changed.swap(inbox_->changed);
  }
  for (auto& [name, change] : changed) {
    auto& uuid = change.uuid;
    if (change.by_host)
      *change.by_host ? (void)ended_by_host_.insert(uuid) : (void)ended_by_host_.erase(uuid);
    auto reply = look(name);
    if (!reply.observation) {
      spdlog::warn("event=look_failed guest={} error=\"{}\"", name, reply.error);
      continue;
    }
    if (reply.observation->uuid.empty())
      reply.observation->uuid = uuid; // gone: the event says who it was
    if (reply.observation->state == domain::GuestState::absent)
      ended_by_host_.erase(uuid);
    if (watcher_)
      send(watcher_, guest_atom::value, *reply.observation);
  }
}

bool HostActor::connected() {
  if (connection_.up && host_->alive())
    return true;
  if (connection_.up)
    lost("the connection broke");
  return clock().now() >= next_try_ && open();
}

bool HostActor::open() {
  auto begin = clock().now();
  auto status = host_->open();
  measure("open", bool(status), begin);
  if (status) {
    pause_ = first_pause;
    next_try_ = {};
    tell(true, {});
    return true;
  }
  next_try_ = clock().now() + pause_;
  pause_ = std::min(pause_ * 2, longest_pause);
  tell(false, status.error().message);
  plan_reopening();
  return false;
}

void HostActor::lost(const std::string& reason) {
  host_->close();
  tell(false, reason);
  plan_reopening();
}

void HostActor::closed(const std::string& reason) {
  if (connection_.up && !host_->alive()) // else it speaks of an earlier connection
    lost(reason);
}

/// Workers wait until they are asked; the control host's watcher has to hear.
void HostActor::plan_reopening() {
  if (!watcher_ || std::exchange(reopening_planned_, true))
    return;
  auto wait = std::max(next_try_ - clock().now(), domain::Steady::duration(first_pause));
  delayed_send(this, wait, reopen_atom::value);
}

void HostActor::reopen() {
  reopening_planned_ = false;
  if (!connected())
    plan_reopening();
}

void HostActor::tell(bool up, const std::string& trouble) {
  if (connection_.up == up && connection_.trouble == trouble)
    return;
  spdlog::log(up ? spdlog::level::info : spdlog::level::warn, "event=libvirt_{} uri=\"{}\" trouble=\"{}\"",
              up ? "connected" : "lost", setup_.uri, trouble);
  connection_ = {up, trouble};
  if (watcher_)
    send(watcher_, host_atom::value, connection_);
}

} // namespace ci
