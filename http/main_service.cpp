#include "http/main_service.hpp"

#include "config/reload.hpp"
#include "http/api.hpp"
#include "http/main_cast.hpp"
#include "http/main_check.hpp"
#include "http/main_log.hpp"
#include "http/readiness.hpp"
#include "http/served.hpp"
#include "http/server.hpp"

#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace ci::http {
namespace {

using namespace std::chrono_literals;

/// SIGTERM ends the process within 10 s; this is what the orders under way get of it.
constexpr auto grace = 5s;
constexpr auto actors_patience = 2s;

/// Bound ports, one `<address> <port>` a line, for whoever started us with port 0. Written anew as a whole.
void write_port_file(const std::string& path, const Server& server) {
  auto part = path + ".part";
  {
    std::ofstream out(part);
    for (auto& bound : server.bound())
      out << domain::to_string(bound.address) << ' ' << bound.port << '\n';
  }
  if (std::rename(part.c_str(), path.c_str()) != 0)
    spdlog::warn("event=port_file_failed file=\"{}\"", path);
}

} // namespace

Service::Service(config::CommandLine arguments, const config::Loaded& loaded)
    : arguments_(std::move(arguments)), secrets_file_(arguments_.env_file), settings_(loaded.settings),
      options_(http_options(loaded.settings, loaded.secrets)),
      cast_(std::make_unique<Cast>(loaded.settings, loaded.secrets, arguments_.adopt)) {
  Surroundings around;
  around.board = cast_->board();
  around.meters = cast_->meters();
  around.registry = cast_->registry();
  around.policy = [this] { return cast_->policy(); };
  around.wall_now = wall_time;
  around.screenshots = [this] { return cast_->screenshots(); };
  around.historian = [this] { return cast_->historian(); };
  around.files = [this](domain::ServedFolder folder) { return cast_->file_reader(folder); };
  api_ = std::make_unique<Api>(options_, std::move(around));
}

Service::~Service() = default;

void Service::begin() {
  if (auto lack = lack_of_filter(settings_.libvirt_uri, settings_.policy.guest_filter); !lack.empty())
    throw std::runtime_error(lack);
  cast_->begin([this](gateway_actor gateway) { api_->set_gateway(std::move(gateway)); });
  start_http();
}

void Service::start_http() {
  ServerHooks hooks;
  hooks.handle = [this](Request request, const ResponderPtr& responder, bool crowded) {
    api_->handle(std::move(request), responder, crowded);
  };
  hooks.served = [this](const Served& s) {
    log(s);
    if (auto metrics = cast_->metrics())
      report(metrics, s);
  };
  hooks.listening = [this](const ListenAddress& at) {
    spdlog::info("event=listening address={} port={}", domain::to_string(at.address), at.port);
    if (!arguments_.port_file.empty())
      write_port_file(arguments_.port_file, *server_);
  };
  hooks.not_listening = [](const ListenAddress& at, const std::string& reason) {
    spdlog::warn("event=not_listening address={} port={} reason=\"{}\"", domain::to_string(at.address),
                 at.port, reason);
  };
  server_ = std::make_unique<Server>(options_, std::move(hooks));
  server_->start();
}

int Service::run(const sigset_t& signals) {
  bool told_ready = false;
  for (;;) {
    timespec tick{1, 0};
    auto signal = sigtimedwait(&signals, nullptr, &tick);
    if (signal == SIGTERM || signal == SIGINT)
      return EXIT_SUCCESS;
    if (signal == SIGHUP)
      reload();
    else if (secrets_file_.changed())
      renew_secrets();
    if (cast_->lost())
      return EXIT_FAILURE;
    flush_log();
    tell_systemd(told_ready);
  }
}

void Service::tell_systemd(bool& told_ready) {
  auto [cranked, last] = cast_->board()->last_crank();
  if (cranked && !told_ready && !server_->bound().empty()) {
    sd_notify(0, "READY=1");
    told_ready = true;
  }
  const auto age = cranked ? std::optional(std::chrono::steady_clock::now() - last) : std::nullopt;
  if (!is_stuck(age, options_.ready_within))
    sd_notify(0, "WATCHDOG=1");
}

void Service::stop(int status) {
  sd_notify(0, "STOPPING=1");
  spdlog::info("event=stopping");
  server_->stop_accepting();
  if (cast_->drain(grace))
    spdlog::info("event=orders_ended");
  else
    spdlog::warn("event=orders_still_under_way");
  server_->stop(1s);
  if (!cast_->end(actors_patience)) {
    // libvirt may be frozen: its calls end after 20 s, and nothing of ours is lost by not waiting.
    spdlog::warn("event=stopped clean=no");
    drain_log();
    std::_Exit(status);
  }
  server_.reset();
  api_.reset();
  spdlog::info("event=stopped clean=yes");
}

void Service::apply(const config::Secrets& secrets) {
  const auto options = http_options(settings_, secrets);
  options_.ready_within = options.ready_within;
  api_->adjust(options);
  api_->set_token(secrets.monitor_api_token.reveal());
  const auto& webhook_secret = secrets.github_webhook_secret;
  api_->set_webhook_secret(webhook_secret ? webhook_secret->reveal() : std::string_view());
  cast_->reloaded(settings_, secrets);
}

void Service::renew_secrets() {
  std::vector<config::Complaint> complaints;
  if (auto secrets = load_secrets(arguments_, settings_, complaints)) {
    apply(*secrets);
    spdlog::info("event=secrets_renewed file=\"{}\"", arguments_.env_file);
  }
  for (auto& complaint : complaints)
    spdlog::error("event=secrets_refused complaint=\"{}\"", config::to_string(complaint));
}

void Service::reload() {
  sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld",
             static_cast<long long>(std::chrono::duration_cast<std::chrono::microseconds>(
                                        std::chrono::steady_clock::now().time_since_epoch())
                                        .count()));
  try {
    read_settings_again();
  } catch (const std::exception& e) {
    spdlog::error("event=reload_refused complaint=\"{}\"", e.what());
  }
  sd_notify(0, "READY=1");
}

/// A wrong file changes nothing. What may throw comes before the first change.
void Service::read_settings_again() {
  const auto secrets_file = secrets_file_.look();
  auto fresh = load_settings(arguments_, &settings_);
  for (auto& warning : fresh.warnings)
    spdlog::warn("event=settings_warning text=\"{}\"", config::to_string(warning));
  if (fresh.loaded) {
    auto result = config::reload(settings_, fresh.loaded->settings, arguments_.config_file);
    fresh.complaints = result.complaints;
    if (result.settings.policy.guest_filter != settings_.policy.guest_filter)
      if (auto lack = lack_of_filter(settings_.libvirt_uri, result.settings.policy.guest_filter);
          !lack.empty())
        fresh.complaints.push_back({arguments_.config_file, 0, "guest_filter", lack});
    if (fresh.complaints.empty()) {
      settings_ = result.settings;
      spdlog::set_level(spdlog::level::from_str(settings_.log_level));
      server_->set_connections_per_source(settings_.max_connections_per_source);
      apply(fresh.loaded->secrets);
      secrets_file_.known(secrets_file);
      for (auto& key : result.need_restart)
        spdlog::warn("event=needs_restart key={}", key);
      spdlog::info("event=reloaded applied={} need_restart={}", result.applied.size(),
                   result.need_restart.size());
    }
  }
  for (auto& complaint : fresh.complaints)
    spdlog::error("event=reload_refused complaint=\"{}\"", config::to_string(complaint));
}

} // namespace ci::http
