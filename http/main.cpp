/// The composition root: settings in, actors up, signals handled, everything down again in order.
///
/// Threads: this one waits for signals; one serves HTTP, one talks to GitHub, one runs libvirt's events;
/// CAF's two workers run the cooperative actors; the journal and each libvirt host have a thread of their
/// own.

#include "actors/edge/libvirt_loop.hpp"
#include "actors/edge/store.hpp"
#include "actors/files.hpp"
#include "actors/github_link.hpp"
#include "actors/host.hpp"
#include "actors/hypervisor.hpp"
#include "actors/journal.hpp"
#include "actors/metrics.hpp"
#include "actors/monitor.hpp"
#include "actors/policy.hpp"
#include "actors/registrations.hpp"
#include "config/command_line.hpp"
#include "config/load.hpp"
#include "config/reload.hpp"
#include "http/api.hpp"
#include "http/main_check.hpp"
#include "http/served.hpp"
#include "http/server.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <random>
#include <unistd.h>

extern char** environ;

namespace {

using namespace ci;
using namespace std::chrono_literals;

/// SIGTERM ends the process within 10 s; this is what the orders under way get of it.
constexpr auto grace = 6s;
constexpr auto actors_patience = 2s;
/// A monitor that has not turned its crank for so long is stuck: systemd is to start the service anew.
constexpr auto stuck_after = 60s;

/// So many files can be opened or read at once: disks that hang hold up no more than that many requests each.
constexpr int file_readers = 2;

/// A value that one thread replaces and others read.
template <class T>
class Box {
 public:
  void set(T value) {
    std::lock_guard lock(mutex_);
    value_ = std::move(value);
  }
  T get() const {
    std::lock_guard lock(mutex_);
    return value_;
  }

 private:
  mutable std::mutex mutex_;
  T value_;
};

struct Files {
  config::CommandLine arguments;

  config::LoadResult load() const {
    config::LoadResult failed;
    auto read = config::disk_reader();
    auto toml = read(arguments.config_file);
    if (!toml)
      failed.complaints.push_back(
          {arguments.config_file, 0, "", "can't be read; name the file with --config"});
    config::Environment from_file;
    auto env = read(arguments.env_file);
    if (env)
      from_file = config::parse_env_file(*env, arguments.env_file, failed.complaints);
    else if (arguments.env_file_given)
      failed.complaints.push_back({arguments.env_file, 0, "", "can't be read"});
    if (!failed.complaints.empty())
      return failed;
    return config::load({*toml, arguments.config_file,
                         config::merge(config::process_environment(environ), from_file), std::move(read)});
  }
};

void set_up_logging() {
  auto logger =
      std::make_shared<spdlog::logger>("ci-monitor", std::make_shared<spdlog::sinks::stdout_sink_mt>());
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ level=%l %v", spdlog::pattern_time_type::utc);
  logger->flush_on(spdlog::level::debug);
  spdlog::set_default_logger(std::move(logger));
}

http::Options http_options(const config::Settings& s, const config::Secrets& secrets) {
  http::Options o;
  o.listen_on = s.listen_on;
  o.port = s.port;
  o.external_base_url = s.external_base_url;
  o.api_token = secrets.monitor_api_token.reveal();
  o.trusted_proxies = s.trusted_proxies;
  o.guest_network = s.guest_network;
  o.limits.connections_per_source = s.max_connections_per_source;
  o.limits.selects_per_minute = s.tokenless_selects_per_minute;
  o.limits.pictures_now_per_minute = s.screenshots_now_per_minute;
  o.public_pictures = s.public_screenshots;
  o.waits.send = s.monitor_thread_send_timeout;
  o.waits.receive = s.monitor_thread_recv_timeout;
  o.ready_within = std::max<domain::Duration>(30s, 3 * s.policy.timings.poll_interval);
  return o;
}

edge::GithubOptions github_options(const config::Settings& s, const config::Secrets& secrets) {
  edge::GithubOptions o;
  o.api_url = s.github_api_url;
  o.scope = s.github_api_scope.path();
  o.token = secrets.github_token.reveal();
  o.http.max_in_flight = s.github_max_in_flight;
  return o;
}

domain::Time wall_now() { return std::chrono::floor<domain::Duration>(std::chrono::system_clock::now()); }

/// Bound ports, one `<address> <port>` a line, for whoever started us with port 0. Written anew as a whole.
void write_port_file(const std::string& path, const http::Server& server) {
  auto part = path + ".part";
  {
    std::ofstream out(part);
    for (auto& bound : server.bound())
      out << domain::to_string(bound.address) << ' ' << bound.port << '\n';
  }
  if (std::rename(part.c_str(), path.c_str()) != 0)
    spdlog::warn("event=port_file_failed file=\"{}\"", path);
}

/// Everything that runs, from the settings to the sockets.
class Service {
 public:
  Service(Files files, config::Loaded loaded)
      : files_(std::move(files)), settings_(loaded.settings), meters_(std::make_shared<MeterBoard>()),
        board_(std::make_shared<Board>()), registry_(std::make_shared<prometheus::Registry>()),
        system_(caf_config_) {
    policy_box_.set(settings_.policy_ptr());
    store_ = std::make_shared<edge::Store>(settings_.data_path, [](const std::string& text) {
      spdlog::warn("event=store_warning text=\"{}\"", text);
    });
    loop_ = std::make_unique<edge::EventLoop>();
    spawn_actors(loaded.secrets);
    start_http(loaded.secrets);
  }

  /// Waits for signals until one says to end.
  void run(const sigset_t& signals) {
    bool told_ready = false;
    for (;;) {
      timespec tick{1, 0};
      auto signal = sigtimedwait(&signals, nullptr, &tick);
      if (signal == SIGTERM || signal == SIGINT)
        return;
      if (signal == SIGHUP)
        reload();
      auto [cranked, last] = board_->last_crank();
      if (cranked && !told_ready && !server_->bound().empty()) {
        sd_notify(0, "READY=1");
        told_ready = true;
      }
      if (!cranked || std::chrono::steady_clock::now() - last < stuck_after)
        sd_notify(0, "WATCHDOG=1");
    }
  }

  /// Answers what waits with 503, lets orders in flight end or stay in the store as intents, leaves guests
  /// running.
  void stop() {
    sd_notify(0, "STOPPING=1");
    spdlog::info("event=stopping");
    server_->stop_accepting();
    caf::scoped_actor self{system_};
    self->request(monitor_, grace, stop_atom::value)
        .receive([](caf::unit_t) { spdlog::info("event=orders_ended"); },
                 [](const caf::error&) { spdlog::warn("event=orders_still_under_way"); });
    server_->stop(1s);
    *stopping_ = true;
    // Those that ask go before those that are asked; the journal writes last.
    for (auto& actor : actors_)
      caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
    auto deadline = std::chrono::steady_clock::now() + actors_patience;
    for (auto& actor : actors_)
      self->monitor(actor);
    for (std::size_t i = 0; i < actors_.size(); ++i) {
      bool ended = false;
      auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
      self->receive([&](caf::down_msg&) { ended = true; },
                    caf::after(std::max(left, std::chrono::milliseconds(1))) >> [] {});
      if (!ended) {
        // libvirt may be frozen: its calls end after 20 s, and nothing of ours is lost by not waiting.
        spdlog::warn("event=stopped clean=no");
        spdlog::shutdown();
        std::_Exit(EXIT_SUCCESS);
      }
    }
    actors_.clear();
    monitor_ = nullptr;
    policy_ = nullptr;
    metrics_ = nullptr;
    readers_.clear();
    server_.reset();
    link_ = nullptr;
    registrations_ = nullptr;
    spdlog::info("event=stopped clean=yes");
  }

 private:
  struct CafConfig : caf::actor_system_config {
    CafConfig() {
      set("scheduler.policy", caf::atom("sharing")); // wakes in microseconds, and does not poll when idle
      set("scheduler.max-threads", std::size_t{2});
      set("scheduler.max-throughput", std::size_t{64});
    }
  };

  template <class Class, caf::spawn_options Options = caf::no_spawn_options, class... Args>
  auto spawn(const char* name, Args&&... args) {
    auto handle = system_.spawn<Class, Options>(meters_->meter(name), std::forward<Args>(args)...);
    actors_.push_back(caf::actor_cast<caf::actor>(handle));
    return handle;
  }

  void spawn_actors(const config::Secrets& secrets) {
    metrics_actor metrics = metrics_ = spawn<Metrics>("metrics", registry_);
    journal_actor journal = spawn<Journal, caf::detached>("journal", store_, metrics);
    link_ = spawn<GithubLink>("github_link", metrics, github_options(settings_, secrets));
    registrations_ = spawn<Registrations>("registrations", github_link_actor(link_));
    HostSetup host{settings_.libvirt_uri, settings_.guest_network, stopping_, settings_.policy.min_free_disk};
    host_actor control = spawn<HostActor, caf::detached>("libvirt_control", host, metrics);
    std::vector<host_actor> workers;
    for (int i = 0; i < settings_.policy.max_parallel_creates + 2; ++i)
      workers.push_back(spawn<HostActor, caf::detached>("libvirt_worker", host, metrics));
    hypervisor_actor hypervisor = spawn<Hypervisor>(
        "hypervisor",
        HypervisorSetup{settings_.policy.prefixes, control, std::move(workers), meters_->meter("guest"), {}});
    spawn_files();
    policy_ = spawn<PolicyActor>("policy");
    monitor_ = spawn<Monitor>(
        "monitor", MonitorParts{board_, registrations_actor(registrations_), hypervisor, journal, metrics,
                                wall_now, [device = std::make_shared<std::random_device>()] {
                                  return (std::uint64_t{(*device)()} << 32) | (*device)();
                                }});
    caf::anon_send(policy_, policy_atom::value, policy_box_.get());
    caf::anon_send(policy_, watch_atom::value, monitor_);
    std::reverse(actors_.begin(), actors_.end());
  }

  void spawn_files() {
    using edge::FileTree;
    using domain::ServedFolder;
    auto trees = std::make_shared<FileTrees>();
    trees->trees.try_emplace(ServedFolder::image_deps, settings_.image_deps_dir, FileTree::Links::followed);
    trees->trees.try_emplace(ServedFolder::repository, settings_.main_repo_path, FileTree::Links::inside);
    trees->trees.try_emplace(ServedFolder::pictures, settings_.data_path, FileTree::Links::inside,
                             FileTree::Etag::by_content);
    for (int i = 0; i < file_readers; ++i)
      readers_.push_back(spawn<ci::Files, caf::detached>("files", trees));
  }

  void start_http(const config::Secrets& secrets) {
    auto options = http_options(settings_, secrets);
    http::Surroundings around;
    around.board = board_;
    around.meters = meters_;
    around.registry = registry_;
    around.policy = [this] { return policy_box_.get(); };
    around.wall_now = wall_now;
    around.files = [this] { return readers_[next_reader_++ % readers_.size()]; };
    api_ = std::make_unique<http::Api>(options, std::move(around));
    auto gateway = system_.spawn<http::Gateway>(meters_->meter("gateway"), options.waits,
                                                options.limits.requests_in_flight);
    actors_.insert(actors_.begin(), caf::actor_cast<caf::actor>(gateway));
    caf::anon_send(gateway, watch_atom::value, monitor_);
    api_->set_gateway(gateway);
    http::ServerHooks hooks;
    hooks.handle = [this](http::Request request, const http::ResponderPtr& responder, bool crowded) {
      api_->handle(std::move(request), responder, crowded);
    };
    hooks.served = [metrics = metrics_](const http::Served& s) {
      http::log(s);
      http::report(metrics, s);
    };
    hooks.listening = [this](const http::ListenAddress& at) {
      spdlog::info("event=listening address={} port={}", domain::to_string(at.address), at.port);
      if (!files_.arguments.port_file.empty())
        write_port_file(files_.arguments.port_file, *server_);
    };
    hooks.not_listening = [](const http::ListenAddress& at, const std::string& reason) {
      spdlog::warn("event=not_listening address={} port={} reason=\"{}\"", domain::to_string(at.address),
                   at.port, reason);
    };
    server_ = std::make_unique<http::Server>(options, std::move(hooks));
    server_->start();
  }

  /// SIGHUP: a wrong file changes nothing.
  void reload() {
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld",
               static_cast<long long>(std::chrono::duration_cast<std::chrono::microseconds>(
                                          std::chrono::steady_clock::now().time_since_epoch())
                                          .count()));
    auto fresh = files_.load();
    for (auto& warning : fresh.warnings)
      spdlog::warn("event=settings_warning text=\"{}\"", config::to_string(warning));
    if (fresh.loaded) {
      auto result = config::reload(settings_, fresh.loaded->settings, files_.arguments.config_file);
      fresh.complaints = result.complaints;
      if (result.complaints.empty()) {
        settings_ = result.settings;
        policy_box_.set(settings_.policy_ptr());
        caf::anon_send(policy_, policy_atom::value, policy_box_.get());
        api_->adjust(http_options(settings_, fresh.loaded->secrets));
        server_->set_connections_per_source(settings_.max_connections_per_source);
        api_->set_token(fresh.loaded->secrets.monitor_api_token.reveal());
        caf::anon_send(link_, token_atom::value, fresh.loaded->secrets.github_token.reveal());
        caf::anon_send(registrations_, token_atom::value);
        for (auto& key : result.need_restart)
          spdlog::warn("event=needs_restart key={}", key);
        spdlog::info("event=reloaded applied={} need_restart={}", result.applied.size(),
                     result.need_restart.size());
      }
    }
    for (auto& complaint : fresh.complaints)
      spdlog::error("event=reload_refused complaint=\"{}\"", config::to_string(complaint));
    sd_notify(0, "READY=1");
  }

  Files files_;
  config::Settings settings_;
  MeterBoardPtr meters_;
  BoardPtr board_;
  std::shared_ptr<prometheus::Registry> registry_;
  Box<domain::PolicyPtr> policy_box_;
  std::shared_ptr<std::atomic<bool>> stopping_ = std::make_shared<std::atomic<bool>>(false);
  std::shared_ptr<edge::Store> store_;
  std::unique_ptr<edge::EventLoop> loop_;
  CafConfig caf_config_;
  caf::actor_system system_;
  std::vector<caf::actor> actors_; ///< in the order in which they are told to exit
  monitor_actor monitor_;
  policy_actor policy_;
  metrics_actor metrics_;
  std::vector<files_actor> readers_;
  std::atomic<std::size_t> next_reader_{0};
  github_link_root_actor link_;
  registrations_root_actor registrations_;
  std::unique_ptr<http::Api> api_;
  std::unique_ptr<http::Server> server_;
};

int run(const Files& files) {
  auto loaded = files.load();
  std::cerr << config::to_string(loaded.warnings);
  if (!loaded.loaded) {
    std::cerr << config::to_string(loaded.complaints)
              << "ci-monitor: not started: " << loaded.complaints.size()
              << " thing(s) to mend in the settings\n";
    return 2;
  }
  if (files.arguments.check)
    return http::check_host(loaded.loaded->settings, std::cout) ? 0 : 1;
  set_up_logging();
  spdlog::set_level(spdlog::level::from_str(loaded.loaded->settings.log_level));

  sigset_t signals;
  sigemptyset(&signals);
  for (int signal : {SIGTERM, SIGINT, SIGHUP})
    sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr); // before any thread is made: they all inherit it

  try {
    Service service(files, std::move(*loaded.loaded));
    spdlog::info("event=started version={} pid={}", CI_MONITOR_VERSION, getpid());
    service.run(signals);
    service.stop();
  } catch (const std::exception& e) {
    std::cerr << "ci-monitor: not started: " << e.what() << '\n';
    std::cerr.flush();
    std::_Exit(1); // actors may be up already, and nobody is left to stop them in order
  }
  spdlog::shutdown();
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN); // a client that is gone must not end us
  auto arguments = config::parse_command_line({argv + 1, argv + argc});
  if (!arguments.error.empty()) {
    std::cerr << arguments.error << '\n';
    return 2;
  }
  if (arguments.help) {
    std::cout << config::help_text();
    return 0;
  }
  if (arguments.version) {
    std::cout << "ci-monitor " << CI_MONITOR_VERSION << '\n';
    return 0;
  }
  return run({arguments});
}
