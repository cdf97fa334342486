#include "http/main_cast.hpp"

#include "actors/album.hpp"
#include "actors/edge/inheritance.hpp"
#include "actors/files.hpp"
#include "actors/historian.hpp"
#include "actors/host.hpp"
#include "actors/hypervisor.hpp"
#include "actors/images.hpp"
#include "actors/journal.hpp"
#include "actors/metrics.hpp"
#include "actors/monitor.hpp"
#include "actors/policy.hpp"
#include "actors/screenshots.hpp"
#include "actors/selector.hpp"

#include <spdlog/spdlog.h>

#include <random>

namespace ci::http {
namespace {

/// So many files of a folder can be opened or read at once. A disk that hangs holds up the readers of its folder
/// alone: who looks at pictures does not wait for a share of guests' files.
constexpr int readers_per_folder = 2;
/// Each takes two threads and a connection to libvirt.
constexpr int pictures_at_once = 2;
/// A copy of an image takes minutes: no runner is to wait behind it, so images have workers of their own. Two can
/// copy at once, see ImagesActor.
constexpr int image_workers = 3;

std::uint64_t random_bits() {
  static thread_local std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

void warn_of_store(const std::string& text) { spdlog::warn("event=store_warning text=\"{}\"", text); }

} // namespace

domain::Time wall_time() { return std::chrono::floor<domain::Duration>(std::chrono::system_clock::now()); }

Cast::CafConfig::CafConfig() {
  set("scheduler.policy", caf::atom("sharing")); // wakes in microseconds, and does not poll when idle
  set("scheduler.max-threads", std::size_t{2});
  set("scheduler.max-throughput", std::size_t{64});
}

Cast::Cast(const config::Settings& settings, const config::Secrets& secrets, bool adopt)
    : adopt_(adopt), meters_(std::make_shared<MeterBoard>()), board_(std::make_shared<Board>()),
      registry_(std::make_shared<prometheus::Registry>()), settings_(settings), secrets_(secrets),
      policy_(settings.policy_ptr()),
      min_free_disk_(std::make_shared<std::atomic<std::int64_t>>(settings.policy.min_free_disk)),
      images_folder_(settings.policy.images_path, warn_of_store),
      store_(std::make_shared<edge::Store>(settings.data_path, warn_of_store, settings.policy.images_path)),
      system_(caf_config_) {}

Cast::~Cast() = default;

void Cast::begin(std::function<void(gateway_actor)> on_gateway) {
  on_gateway_ = std::move(on_gateway);
  supervisor_ = system_.spawn<Supervisor>(meters_->meter("supervisor"), supervision());
  // Nobody watches the supervisor but the process itself.
  caf::actor_cast<caf::actor>(supervisor_)->attach_functor([lost = lost_](const caf::error& reason) {
    if (reason != caf::exit_reason::user_shutdown)
      *lost = true;
  });
}

Supervision Cast::supervision() {
  Supervision s;
  s.roles = {
      {"metrics", {}, {}, [this] { return begin_metrics(); }, {}},
      {"journal", {"metrics"}, {}, [this] { return begin_journal(); }, {}},
      {"github", {"metrics"}, {}, [this] { return begin_github(); }, {}},
      {"libvirt", {"metrics"}, {}, [this] { return begin_libvirt(); }, [this] { *copies_end_ = true; }},
      // A call of GitHub that an earlier monitor ordered must not take effect behind the next one's back.
      // Orders to libvirt may: each guest's actor carries them out in the order in which they came.
      {"monitor",
       {"metrics", "journal", "github", "libvirt"},
       {"github"},
       [this] { return begin_monitor(); },
       {}},
      {"policy", {"monitor"}, {}, [this] { return begin_policy(); }, {}},
      {"selector", {"metrics", "github"}, {}, [this] { return begin_selector(); }, {}},
      {"files", {}, {}, [this] { return begin_files(); }, {}},
      {"historian", {}, {}, [this] { return begin_historian(); }, {}},
      {"screenshots", {"metrics"}, {}, [this] { return begin_screenshots(); }, {}},
      {"gateway", {}, {}, [this] { return begin_gateway(); }, {}},
  };
  s.restarted = [meters = meters_](const std::string& actor) { meters->meter(actor)->restarted(); };
  s.give_up = [lost = lost_](const std::string&) { *lost = true; };
  return s;
}

template <class Class, caf::spawn_options Options, class... Args>
auto Cast::spawn(Members& members, const char* name, Args&&... args) {
  auto handle = system_.spawn<Class, Options>(meters_->meter(name), std::forward<Args>(args)...);
  members.push_back({name, caf::actor_cast<caf::actor>(handle)});
  return handle;
}

template <class Handle, class Class, class... Args>
std::vector<Handle> Cast::spawn_detached(Members& members, const char* name, int count, const Args&... args) {
  std::vector<Handle> handles;
  handles.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i)
    handles.push_back(spawn<Class, caf::detached>(members, name, args...));
  return handles;
}

Cast::Members Cast::begin_metrics() {
  Members members;
  metrics_actor metrics = spawn<Metrics>(members, "metrics", registry_);
  note([&](auto& h) { h.metrics = metrics; });
  return members;
}

Cast::Members Cast::begin_journal() {
  Members members;
  std::function<domain::Inheritance()> inherit;
  if (adopt_)
    inherit = [data = store_->folder(), images = settings_.get().policy.images_path] {
      return edge::read_inheritance(data, images);
    };
  journal_actor journal =
      spawn<Journal, caf::detached>(members, "journal", store_, metrics(), std::move(inherit));
  note([&](auto& h) { h.journal = journal; });
  return members;
}

Cast::Members Cast::begin_github() {
  Members members;
  auto link =
      spawn<GithubLink>(members, "github_link", metrics(), github_options(settings_.get(), secrets_.get()));
  auto registrations = spawn<Registrations>(members, "registrations", github_link_actor(link),
                                            settings_.get().github_points_per_minute);
  note([&](auto& h) { h.link = link, h.registrations = registrations; });
  return members;
}

Cast::Members Cast::begin_libvirt() {
  Members members;
  auto settings = settings_.get();
  copies_end_ = std::make_shared<std::atomic<bool>>(false);
  const HostSetup host{settings.libvirt_uri, settings.guest_network, copies_end_, min_free_disk_,
                       settings.trust_guest_agent};
  host_actor control = spawn<HostActor, caf::detached>(members, "libvirt_control", host, metrics());
  auto workers = spawn_detached<host_actor, HostActor>(
      members, "libvirt_worker", settings.policy.max_parallel_creates + 2, host, metrics());
  hypervisor_actor hypervisor = spawn<Hypervisor>(
      members, "hypervisor",
      HypervisorSetup{settings.policy.prefixes, control, std::move(workers), meters_->meter("guest"), {}});
  auto for_images =
      spawn_detached<host_actor, HostActor>(members, "libvirt_images", image_workers, host, metrics());
  images_actor images =
      spawn<ImagesActor>(members, "images", std::make_shared<ci::Workers>(std::move(for_images)));
  note([&](auto& h) { h.hypervisor = hypervisor, h.images = images; });
  return members;
}

Cast::Members Cast::begin_monitor() {
  Members members;
  auto live = known();
  monitor_actor monitor =
      spawn<Monitor>(members, "monitor",
                     MonitorParts{board_, registrations_actor(live.registrations), live.hypervisor,
                                  live.images, live.journal, live.metrics, wall_time, random_bits});
  note([&](auto& h) { h.monitor = monitor; });
  if (live.gateway)
    caf::anon_send(live.gateway, watch_atom::value, monitor);
  return members;
}

Cast::Members Cast::begin_files() {
  using domain::ServedFolder;
  using edge::FileTree;
  Members members;
  auto settings = settings_.get();
  auto trees = std::make_shared<FileTrees>();
  trees->trees.try_emplace(ServedFolder::image_deps, settings.image_deps_dir, FileTree::Links::followed);
  trees->trees.try_emplace(ServedFolder::repository, settings.main_repo_path, FileTree::Links::inside);
  trees->trees.try_emplace(ServedFolder::pictures, settings.data_path, FileTree::Links::inside,
                           FileTree::Etag::by_content);
  std::map<ServedFolder, std::vector<files_actor>> readers;
  for (const auto& [folder, tree] : trees->trees)
    readers[folder] = spawn_detached<files_actor, Files>(members, "files", readers_per_folder, trees);
  note([&](auto& h) { h.readers = std::move(readers); });
  return members;
}

Cast::Members Cast::begin_screenshots() {
  Members members;
  const auto settings = settings_.get();
  const HostSetup host{settings.libvirt_uri, settings.guest_network, nullptr, nullptr};
  ScreenshotSetup setup;
  setup.lister = spawn<HostActor, caf::detached>(members, "libvirt_camera", host, metrics());
  setup.cameras =
      spawn_detached<host_actor, HostActor>(members, "libvirt_camera", pictures_at_once, host, metrics());
  setup.albums = spawn_detached<album_actor, Album>(members, "album", pictures_at_once, settings.data_path);
  setup.board = board_;
  setup.prefixes = settings.policy.prefixes;
  setup.policy = [this] { return policy(); };
  setup.interval = settings.screenshot_interval;
  screenshots_actor screenshots = spawn<Screenshots>(members, "screenshots", std::move(setup), metrics());
  note([&](auto& h) { h.screenshots = screenshots; });
  return members;
}

Cast::Members Cast::begin_historian() {
  Members members;
  historian_actor historian = spawn<Historian, caf::detached>(members, "historian", settings_.get().data_path);
  note([&](auto& h) { h.historian = historian; });
  return members;
}

Cast::Members Cast::begin_policy() {
  Members members;
  policy_actor policy = spawn<PolicyActor>(members, "policy");
  note([&](auto& h) { h.policy = policy; });
  caf::anon_send(policy, policy_atom::value, policy_.get());
  caf::anon_send(policy, watch_atom::value, known().monitor);
  return members;
}

Cast::Members Cast::begin_selector() {
  Members members;
  auto live = known();
  selector_actor selector =
      spawn<Selector>(members, "selector", registrations_actor(live.registrations), live.metrics);
  note([&](auto& h) { h.selector = selector; });
  caf::anon_send(selector, policy_atom::value, select_rules(settings_.get()));
  if (live.gateway)
    caf::anon_send(live.gateway, watch_atom::value, selector);
  return members;
}

Cast::Members Cast::begin_gateway() {
  Members members;
  auto options = http_options(settings_.get(), secrets_.get());
  gateway_actor gateway =
      spawn<Gateway>(members, "gateway", options.waits, options.limits.requests_in_flight);
  note([&](auto& h) { h.gateway = gateway; });
  caf::anon_send(gateway, watch_atom::value, known().monitor);
  caf::anon_send(gateway, watch_atom::value, known().selector);
  on_gateway_(gateway);
  return members;
}

files_actor Cast::file_reader(domain::ServedFolder folder) {
  std::lock_guard lock(mutex_);
  const auto known = handles_.readers.find(folder);
  return known == handles_.readers.end() ? files_actor()
                                         : known->second[next_reader_[folder]++ % known->second.size()];
}

void Cast::reloaded(const config::Settings& settings, const config::Secrets& secrets) {
  // Whoever is begun from now on reads these; whoever lives is told. What GitHub said of an old token says nothing
  // of a new one; of the same token it goes on to count.
  const bool new_token = secrets_.get().github_token.reveal() != secrets.github_token.reveal();
  settings_.set(settings);
  secrets_.set(secrets);
  policy_.set(settings.policy_ptr());
  *min_free_disk_ = settings.policy.min_free_disk;
  auto live = known();
  if (!live.gateway) // the last of all, so nobody was begun yet
    return;
  caf::anon_send(live.screenshots, pace_atom::value, settings.screenshot_interval);
  caf::anon_send(live.gateway, policy_atom::value, http_options(settings, secrets).waits);
  caf::anon_send(live.policy, policy_atom::value, policy_.get());
  caf::anon_send(live.selector, policy_atom::value, select_rules(settings));
  if (new_token || settings.github_app()) // an App's key may be another one
    caf::anon_send(live.link, token_atom::value, secrets.github_token.reveal());
  if (new_token) {
    caf::anon_send(live.registrations, token_atom::value);
    caf::anon_send(live.monitor, token_atom::value);
  }
}

bool Cast::drain(std::chrono::milliseconds patience) {
  auto monitor = known().monitor;
  if (!monitor)
    return true;
  bool drained = false;
  caf::scoped_actor self{system_};
  self->request(monitor, patience, stop_atom::value)
      .receive([&](caf::unit_t) { drained = true; }, [](const caf::error&) {});
  return drained;
}

bool Cast::end(std::chrono::milliseconds patience) {
  bool ended = false;
  {
    caf::scoped_actor self{system_};
    self->request(supervisor_, patience, end_all_atom::value)
        .receive([&](caf::unit_t) { ended = true; }, [](const caf::error&) {});
    self->send_exit(supervisor_, caf::exit_reason::user_shutdown);
  }
  if (ended) {
    note([](auto& h) { h = {}; });
    supervisor_ = nullptr;
  }
  return ended;
}

} // namespace ci::http
