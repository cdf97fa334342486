#include "tests/simulators/guest_simulator/player.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace ci::guest_simulator {
namespace {

constexpr Duration guest_patience{5'000}, program_patience{10'000}, poll_patience{60'000};
constexpr Duration first_pause{250}, longest_pause{5'000}, between_signs_of_life{1'500};

} // namespace

Player::Player(Loop& loop, Hypervisor& hypervisor, Behaviours& behaviours, const Options& options, Run run,
               std::string address)
    : loop_(loop), hypervisor_(hypervisor), behaviours_(behaviours), options_(options), run_(std::move(run)),
      address_(std::move(address)) {
  spdlog::info("{}: started at {}", run_.name, address_);
  later(options_.boot_delay, &Player::boot);
}

Player::~Player() {
  for (auto ticket : pending_)
    loop_.cancel(ticket);
}

void Player::boot() {
  if (!hangs_at("boot"))
    from_monitor("/boot", &Player::booted);
}

void Player::booted(const Reply& reply) {
  if (reply.status != 200)
    return again(reply, &Player::boot);
  run_.name.starts_with(options_.rebuild_prefix) ? build() : fetch();
}

/// What the script would do to the disk is nothing here.
void Player::build() {
  if (hangs_at("build"))
    return;
  if (behaviours_.of(run_.name).crash)
    return hypervisor_.crash(run_);
  later(options_.boot_delay, &Player::end_build);
}

void Player::end_build() { power_off("its image is built"); }

void Player::fetch() {
  if (!hangs_at("jit"))
    from_monitor("/github-jitconfig", &Player::fetched);
}

void Player::fetched(const Reply& reply) {
  if (reply.status == 410)
    return power_off("its JIT config is gone");
  auto config = reply.status == 200 ? read_jit_config(reply.body) : std::nullopt;
  if (!config)
    return again(reply, &Player::fetch);
  config_ = *config;
  if (config_.server_url.empty())
    config_.server_url = options_.github;
  pause_ = first_pause;
  open_session();
}

void Player::open_session() {
  if (!hangs_at("session"))
    to_github("POST", "session", R"({"os":"Linux"})", program_patience, &Player::session_opened);
}

void Player::session_opened(const Reply& reply) {
  if (reply.status == 404)
    return power_off("its registration is gone");
  if (reply.status != 201)
    return again(reply, &Player::open_session);
  spdlog::info("{}: listens as {}", run_.name, config_.agent_name);
  pause_ = first_pause;
  poll();
}

void Player::poll() { to_github("GET", "job?wait=25", {}, poll_patience, &Player::polled); }

void Player::polled(const Reply& reply) {
  switch (reply.status) {
  case 200:
    return begin_job(reply.body);
  case 204:
    pause_ = first_pause;
    return poll();
  case 404:
    return power_off("its registration is gone");
  case 409:
    return again(reply, &Player::open_session);
  default:
    return again(reply, &Player::poll);
  }
}

void Player::begin_job(const std::string& text) {
  auto job = nlohmann::json::parse(text, nullptr, false);
  bool well = job.is_object() && job.contains("seconds") && job["seconds"].is_number();
  auto seconds = well ? job["seconds"].get<double>() : 1.0;
  auto time = options_.job_time.value_or(
      std::chrono::round<Duration>(std::chrono::duration<double>(std::clamp(seconds, 0.0, 1e6))));
  spdlog::info("{}: works for {} ms", run_.name, time.count());
  working_ = true;
  pause_ = first_pause;
  if (behaviours_.of(run_.name).crash) {
    pending_.insert(loop_.after(time / 2, [this] { hypervisor_.crash(run_); }));
    return later(between_signs_of_life, &Player::say_alive);
  }
  later(time, &Player::end_job);
  later(between_signs_of_life, &Player::say_alive);
}

void Player::say_alive() {
  if (working_)
    to_github("POST", "alive", {}, program_patience, &Player::said_alive);
}

void Player::said_alive(const Reply& reply) {
  if (!working_)
    return;
  if (reply.status == 404)
    return power_off("its registration is gone");
  auto said = nlohmann::json::parse(reply.body, nullptr, false);
  if (said.is_object() && said.value("cancel", false)) {
    conclusion_ = "cancelled";
    return end_job();
  }
  later(between_signs_of_life, &Player::say_alive);
}

void Player::end_job() {
  if (std::exchange(working_, false))
    report();
}

void Player::report() {
  to_github("POST", "done", R"({"conclusion":")" + conclusion_ + "\"}", program_patience, &Player::reported);
}

void Player::reported(const Reply& reply) {
  if (reply.status == 0 || reply.status >= 500 || reply.status == 429)
    return again(reply, &Player::report);
  to_github("DELETE", "session", {}, program_patience, &Player::session_closed);
}

void Player::session_closed(const Reply&) { power_off("its job is done"); }

void Player::power_off(const char* why) {
  spdlog::info("{}: ends, {}", run_.name, why);
  working_ = false;
  for (auto ticket : std::exchange(pending_, {}))
    loop_.cancel(ticket);
  if (options_.shutdown && !behaviours_.of(run_.name).no_shutdown)
    hypervisor_.shut_down(run_);
}

bool Player::hangs_at(const char* step) {
  bool hangs = behaviours_.of(run_.name).hang_at == step;
  if (hangs)
    spdlog::info("{}: hangs before {}", run_.name, step);
  return hangs;
}

void Player::from_monitor(const std::string& path, Take take) {
  Request request;
  request.url = options_.monitor + path;
  request.from = address_;
  request.patience = guest_patience;
  send(request, take);
}

void Player::to_github(const char* method, const std::string& what, const std::string& body,
                       Duration patience, Take take) {
  Request request;
  request.method = method;
  request.url = config_.server_url + "/_runner/" + std::to_string(config_.agent_id) + "/" + what;
  request.body = body;
  request.token = config_.token;
  request.from = address_;
  request.patience = patience;
  send(request, take);
}

void Player::send(const Request& request, Take take) {
  auto ticket = std::make_shared<Ticket>(0);
  *ticket = loop_.send(request, [this, take, ticket, url = request.url](Reply reply) {
    pending_.erase(*ticket);
    if (reply.status == 0)
      spdlog::debug("{}: {}: {}", run_.name, url, reply.trouble);
    (this->*take)(reply);
  });
  pending_.insert(*ticket);
}

void Player::later(Duration time, Step step) {
  auto ticket = std::make_shared<Ticket>(0);
  *ticket = loop_.after(time, [this, step, ticket] {
    pending_.erase(*ticket);
    (this->*step)();
  });
  pending_.insert(*ticket);
}

void Player::again(const Reply& reply, Step step) {
  later(reply.retry_after.count() > 0 ? reply.retry_after : pause_, step);
  pause_ = std::min(pause_ * 2, longest_pause);
}

} // namespace ci::guest_simulator
