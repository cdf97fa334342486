#pragma once
/// The actors that run, who knows whom among them, and what they share.

#include "actors/board.hpp"
#include "actors/edge/images_folder.hpp"
#include "actors/edge/libvirt_loop.hpp"
#include "actors/edge/store.hpp"
#include "actors/github_link.hpp"
#include "actors/messages.hpp"
#include "actors/registrations.hpp"
#include "actors/supervisor.hpp"
#include "http/gateway.hpp"
#include "http/main_settings.hpp"

#include <prometheus/registry.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

namespace ci::http {

/// Everything that is an actor, from the settings on. Made, told and ended by the main thread; the supervisor
/// begins actors in a thread of its own, so what both use is behind a lock.
class Cast {
 public:
  /// Locks the images folder, and opens the store. \p adopt: what an older monitor left is taken over. \throws edge::StoreError, and what
  /// starting threads throws.
  Cast(const config::Settings&, const config::Secrets&, bool adopt = false);
  ~Cast();

  /// Begins everyone. \p on_gateway gets the gateway, each time that one is begun.
  void begin(std::function<void(gateway_actor)> on_gateway);
  /// SIGHUP brought these.
  void reloaded(const config::Settings&, const config::Secrets&);
  /// No more requests; whether all orders under way ended in time.
  bool drain(std::chrono::milliseconds patience);
  /// Ends everyone. False where some have not ended in time: then this object must not be destroyed.
  bool end(std::chrono::milliseconds patience);

  /// Whether an actor died and nothing more could be done about it.
  bool lost() const { return *lost_; }
  const BoardPtr& board() const { return board_; }
  const MeterBoardPtr& meters() const { return meters_; }
  const std::shared_ptr<prometheus::Registry>& registry() const { return registry_; }
  domain::PolicyPtr policy() const { return policy_.get(); }
  /// Of that folder; another one each time; none at first.
  files_actor file_reader(domain::ServedFolder);
  /// None at first.
  screenshots_actor screenshots() const { return known().screenshots; }
  /// None at first.
  historian_actor historian() const { return known().historian; }
  /// None at first.
  metrics_actor metrics() const { return known().metrics; }

 private:
  struct CafConfig : caf::actor_system_config {
    CafConfig();
  };
  /// Those that live now; null: not begun yet.
  struct Handles {
    metrics_actor metrics;
    journal_actor journal;
    github_link_root_actor link;
    registrations_root_actor registrations;
    hypervisor_actor hypervisor;
    images_actor images;
    monitor_actor monitor;
    policy_actor policy;
    selector_actor selector;
    gateway_actor gateway;
    std::map<domain::ServedFolder, std::vector<files_actor>> readers;
    screenshots_actor screenshots;
    historian_actor historian;
  };
  using Members = std::vector<Role::Member>;

  Handles known() const {
    std::lock_guard lock(mutex_);
    return handles_;
  }
  template <class F>
  void note(F change) {
    std::lock_guard lock(mutex_);
    change(handles_);
  }
  template <class Class, caf::spawn_options Options = caf::no_spawn_options, class... Args>
  auto spawn(Members&, const char* name, Args&&...);
  /// So many of them, each in a thread of its own.
  template <class Handle, class Class, class... Args>
  std::vector<Handle> spawn_detached(Members&, const char* name, int count, const Args&...);

  Supervision supervision();
  Members begin_metrics();
  Members begin_journal();
  Members begin_github();
  Members begin_libvirt();
  Members begin_monitor();
  Members begin_files();
  Members begin_screenshots();
  Members begin_historian();
  Members begin_policy();
  Members begin_selector();
  Members begin_gateway();

  const bool adopt_;
  MeterBoardPtr meters_;
  BoardPtr board_;
  std::shared_ptr<prometheus::Registry> registry_;
  Box<config::Settings> settings_;
  Box<config::Secrets> secrets_;
  Box<domain::PolicyPtr> policy_;
  std::function<void(gateway_actor)> on_gateway_;
  std::shared_ptr<std::atomic<bool>> lost_ = std::make_shared<std::atomic<bool>>(false);
  /// Tells copies of disks to give up; one for each life of the libvirt actors.
  std::shared_ptr<std::atomic<bool>> copies_end_;
  std::shared_ptr<std::atomic<std::int64_t>> min_free_disk_;
  edge::ImagesFolder images_folder_;
  std::shared_ptr<edge::Store> store_;
  edge::EventLoop loop_;
  CafConfig caf_config_;
  caf::actor_system system_;
  std::map<domain::ServedFolder, std::size_t> next_reader_;
  mutable std::mutex mutex_;
  Handles handles_;
  supervisor_actor supervisor_;
};

/// Wall time in milliseconds.
domain::Time wall_time();

} // namespace ci::http
