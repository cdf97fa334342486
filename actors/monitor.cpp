#include "actors/monitor.hpp"

#include "actors/exceptions.hpp"

#include <spdlog/spdlog.h>

namespace ci {
namespace {

using namespace std::chrono_literals;

/// Of what an earlier monitor of this process published.
std::uint64_t last_version(const Board& board) {
  auto snapshot = board.snapshot();
  return snapshot ? snapshot->version : 0;
}

domain::Verdict stopping() {
  return {domain::Refusal::not_ready, "The service is stopping; ask again in a moment.",
          domain::Duration{1'000}};
}

} // namespace

Monitor::Monitor(caf::actor_config& config, MeterPtr meter, MonitorParts parts)
    : Metered(config, std::move(meter)), parts_(std::move(parts)), core_(parts_.random, last_version(*parts_.board)) {}

Monitor::behavior_type Monitor::make_behavior() {
  set_exception_handler(log_exception(spdlog::level::err, "monitor_exception"));
  load();
  return {
      [this](take_atom, const TicketPtr& ticket, const domain::TakeRequest& ask) {
        return admit(takes_, ticket, [&](auto id) { core_.take(now(), id, ask); });
      },
      [this](release_atom, const TicketPtr& ticket, const std::string& unique_id) {
        return admit(releases_, ticket, [&](auto id) { core_.release(now(), id, unique_id); });
      },
      [this](jit_atom, const TicketPtr& ticket, const std::string& address) {
        return admit(jits_, ticket, [&](auto id) { core_.jitconfig(now(), id, address); });
      },
      [this](boot_atom, const TicketPtr& ticket, const std::string& address) {
        return admit(boots_, ticket, [&](auto id) { core_.boot(now(), id, address); });
      },
      [this](lever_atom, const TicketPtr& ticket, const domain::Lever& asked) {
        return admit(levers_, ticket, [&](auto id) { core_.operate(now(), id, asked); });
      },
      [this](notice_atom, const NoticePtr& notice) {
        core_.on_notice(now(), *notice);
        nudge();
      },
      [this](guest_atom, const domain::GuestObservation& seen) {
        core_.on_guest(now(), seen);
        nudge();
      },
      [this](host_atom, const HostConnection& connection) {
        core_.on_host(now(), connection.up, connection.trouble);
        nudge();
      },
      [this](store_atom, const StoreHealth& health) {
        core_.on_store(now(), health.well, health.trouble);
        nudge();
      },
      [this](policy_atom, const domain::PolicyPtr& policy) {
        core_.on_policy(now(), policy);
        nudge();
      },
      [this](token_atom) {
        core_.on_new_token(now());
        nudge();
      },
      [this](crank_atom, std::uint64_t generation) {
        if (generation == 0) {
          nudged_ = false;
        } else {
          if (generation != timer_generation_)
            return;
          timer_due_.reset();
        }
        crank();
      },
      [this](stop_atom) -> caf::result<caf::unit_t> {
        core_.stop(now());
        stoppers_.push_back(make_response_promise<caf::unit_t>());
        nudge();
        return stoppers_.back();
      },
  };
}

void Monitor::on_exit() {
  for (auto& [id, promise] : takes_)
    promise.deliver(domain::TakeAnswer{stopping(), {}});
  for (auto& [id, promise] : releases_)
    promise.deliver(domain::ReleaseAnswer{stopping(), nullptr});
  for (auto& [id, promise] : jits_)
    promise.deliver(domain::JitAnswer{stopping(), {}});
  for (auto& [id, promise] : boots_)
    promise.deliver(domain::BootAnswer{stopping(), nullptr});
  for (auto& [id, promise] : levers_)
    promise.deliver(domain::LeverAnswer{stopping(), {}});
  // An unanswered promise and who waits for it would hold each other for ever.
  for (auto& promise : std::exchange(stoppers_, {}))
    answer_unit(promise);
  parts_ = {};
}

void Monitor::load() {
  request(parts_.journal, caf::infinite, load_atom::value)
      .then(
          [this](domain::StoreImage& image) {
            core_.on_loaded(now(), std::move(image));
            send(parts_.hypervisor, watch_atom::value, caf::actor_cast<monitor_actor>(this));
            send(parts_.journal, watch_atom::value, caf::actor_cast<monitor_actor>(this));
            nudge();
          },
          [this](const caf::error& error) {
            spdlog::error("event=load_failed error=\"{}\"", system().render(error));
            load_again_ = true; // by the next crank
            delayed_send(this, 1s, crank_atom::value, std::uint64_t{0});
          });
}

domain::Now Monitor::now() {
  auto steady = clock().now();
  auto reading = clock_.read(steady, parts_.wall());
  domain::Now result{reading.time, steady};
  if (reading.jump != domain::Duration{0})
    core_.on_clock_jump(result, reading.jump);
  return result;
}

void Monitor::nudge() {
  if (nudged_)
    return;
  nudged_ = true;
  send(this, crank_atom::value, std::uint64_t{0});
}

void Monitor::crank() {
  auto begin = std::chrono::steady_clock::now();
  if (std::exchange(load_again_, false))
    load();
  core_.crank(now());
  for (auto& effect : core_.drain())
    carry_out(std::move(effect));
  if (parts_.board->snapshot()) // until then the service is not ready
    parts_.board->beat(clock().now());
  if (!stoppers_.empty() && !core_.orders_under_way() && uncommitted_.empty())
    for (auto& promise : std::exchange(stoppers_, {}))
      answer_unit(promise);
  plan_timer();
  send(parts_.metrics, time_atom::value, std::string("ci_monitor_crank_seconds"), MetricLabels{},
       std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
}

void Monitor::plan_timer() {
  auto present = now().time;
  auto due = std::max(core_.wake_at(), present + domain::Duration{1});
  if (timer_due_ && *timer_due_ <= due && *timer_due_ >= present)
    return; // a timer that falls due earlier will plan anew
  timer_due_ = due;
  delayed_send(this, due - present, crank_atom::value, ++timer_generation_);
}

template <class Answer, class F>
caf::result<Answer> Monitor::admit(Promises<Answer>& promises, const TicketPtr& ticket, F&& hand_over) {
  if (!ticket->take_up()) {
    Answer late{};
    late.verdict = {domain::Refusal::not_taken_up, "It waited too long.", domain::Duration{1'000}};
    return late;
  }
  auto id = next_request_++;
  auto promise = this->template make_response_promise<Answer>();
  promises.emplace(id, promise);
  request_ids_.emplace(id, ticket->request_id());
  spdlog::debug("event=taken_up request_id={} request={}", ticket->request_id(), id);
  hand_over(id);
  nudge();
  return promise;
}

} // namespace ci
