#include "http/gateway.hpp"

#include "http/answers.hpp"

#include <spdlog/spdlog.h>

namespace ci::http {

namespace {
/// CAF's own time-out comes after ours, so that ours decide.
constexpr domain::Duration slack{5'000};
/// The selector's own patience is 8 s.
constexpr domain::Duration select_patience{10'000};
} // namespace

Gateway::behavior_type Gateway::make_behavior() {
  set_exception_handler([](caf::scheduled_actor*, std::exception_ptr& error) -> caf::error {
    // CAF ends the actor, whatever is returned: on_exit answers the requests that it holds, and the one at hand
    // lost its responder, which answered 503.
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& e) {
      spdlog::error("event=gateway_exception text=\"{}\"", e.what());
    } catch (...) {
      spdlog::error("event=gateway_exception");
    }
    return caf::none;
  });
  set_down_handler([this](const caf::down_msg& down) {
    if (down.source == monitor_.address())
      lost_monitor();
  });
  return {
      [this](watch_atom, const monitor_actor& monitor) { watch(monitor); },
      [this](watch_atom, const selector_actor& selector) { selector_ = selector; },
      [this](select_atom, ResponderPtr& responder, const domain::SelectRequest& asked) {
        select(std::move(responder), asked);
      },
      [this](take_atom, ResponderPtr& responder, domain::TakeRequest& asked, bool list) {
        auto place = admit(*responder, Asker::with_token);
        take(std::move(place), std::move(responder), std::move(asked), list);
      },
      [this](release_atom, ResponderPtr& responder, std::string& unique_id) {
        auto place = admit(*responder, Asker::with_token);
        carry<domain::ReleaseAnswer>(std::move(place), std::move(responder), usual(), release_atom::value,
                                     std::move(unique_id), answer_release);
      },
      [this](jit_atom, ResponderPtr& responder, std::string& address) {
        auto place = admit(*responder, Asker::guest, address);
        carry<domain::JitAnswer>(std::move(place), std::move(responder), guests(), jit_atom::value,
                                 std::move(address), answer_jit);
      },
      [this](boot_atom, ResponderPtr& responder, std::string& address) {
        auto place = admit(*responder, Asker::guest, address);
        carry<domain::BootAnswer>(std::move(place), std::move(responder), guests(), boot_atom::value,
                                  std::move(address), answer_boot);
      },
      [this](lever_atom, ResponderPtr& responder, domain::Lever& asked, const LeverWriter& write) {
        auto place = admit(*responder, Asker::with_token);
        carry<domain::LeverAnswer>(std::move(place), std::move(responder), usual(), lever_atom::value,
                                   std::move(asked),
                                   [write](auto& to, const auto& answer) { answer_lever(to, answer, write); });
      },
      [](expire_atom, const ResponderRef& waiting) {
        if (const auto responder = waiting.lock())
          responder->refuse(unavailable("The answer is not there in time; try again."));
      },
      [this](notice_atom, const NoticePtr& notice) {
        if (monitor_) // else it is lost, as webhooks may be
          send(monitor_, notice_atom::value, notice);
      },
      [this](policy_atom, const Waits& waits) { waits_ = waits; },
      [this](tick_atom, std::uint64_t id) { time_out(id); },
  };
}

void Gateway::on_exit() {
  for (auto& [id, call] : calls_) {
    call.ticket->abandon();
    call.responder->refuse(unavailable("The service is stopping; try again."));
  }
  calls_.clear();
  for (auto& [id, select] : selects_)
    select.responder->refuse(unavailable("The service is stopping; try again."));
  selects_.clear();
  monitor_ = nullptr;
  selector_ = nullptr;
}

void Gateway::watch(const monitor_actor& monitor) {
  if (monitor_)
    demonitor(monitor_.address());
  monitor_ = monitor;
  if (monitor_)
    this->monitor(monitor_);
}

void Gateway::lost_monitor() {
  monitor_ = nullptr;
  auto lost = std::move(calls_);
  calls_.clear();
  for (auto& [id, call] : lost) {
    call.ticket->abandon();
    call.responder->refuse(unavailable("The monitor was restarted; try again."));
  }
}

Places::Place Gateway::admit(Responder& responder, Asker asker, const std::string& address) {
  if (!monitor_) {
    responder.refuse(not_ready());
    return nullptr;
  }
  auto place = places_.take(asker, address);
  if (!place)
    responder.refuse(unavailable("Too many requests are under way; try again."));
  return place;
}

void Gateway::take(Places::Place place, ResponderPtr responder, domain::TakeRequest asked, bool list) {
  carry<domain::TakeAnswer>(std::move(place), std::move(responder), usual(), take_atom::value, std::move(asked),
                            [list](auto& to, const auto& answer) { answer_take(to, answer, list); });
}

void Gateway::select(ResponderPtr responder, const domain::SelectRequest& asked) {
  auto place = admit(*responder, Asker::stranger);
  if (!place)
    return;
  if (!selector_)
    return responder->refuse(not_ready());
  const auto id = ++last_call_;
  auto named = asked;
  named.request_id = responder->request_id();
  selects_.emplace(id, Select{std::move(place), std::move(responder)});
  request(selector_, select_patience, select_atom::value, std::move(named))
      .then(
          [this, id](const domain::SelectAnswer& answer) {
            auto select = close_select(id);
            if (select && answer.verdict.refusal != domain::Refusal::none)
              select->responder->refuse(problem_of(answer.verdict));
            else if (select)
              take(std::move(select->place), std::move(select->responder), answer.take, true);
          },
          [this, id](const caf::error&) {
            if (const auto select = close_select(id))
              select->responder->refuse(problem_of({domain::Refusal::github_away, {}, {}}));
          });
}

std::optional<Gateway::Select> Gateway::close_select(std::uint64_t id) {
  auto found = selects_.extract(id);
  return found ? std::optional(std::move(found.mapped())) : std::nullopt;
}

template <class Answer, class Atom, class Argument>
void Gateway::carry(Places::Place place, ResponderPtr responder, Patience patience, Atom atom, Argument argument,
                    std::function<void(Responder&, const Answer&)> finish) {
  if (!place)
    return;
  if (!monitor_) // lost while the selector was asked
    return responder->refuse(not_ready());
  const auto id = ++last_call_;
  auto ticket = std::make_shared<Ticket>(responder->request_id());
  calls_.emplace(id, Call{std::move(place), std::move(responder), ticket, patience.receive});
  delayed_send(this, patience.send, tick_atom::value, id);
  request(monitor_, patience.send + patience.receive + slack, atom, std::move(ticket), std::move(argument))
      .then(
          [this, id, finish = std::move(finish)](const Answer& answer) {
            if (const auto to = close(id))
              finish(*to, answer);
          },
          [this, id](const caf::error& error) { fail(id, error); });
}

ResponderPtr Gateway::close(std::uint64_t id) {
  const auto call = calls_.find(id);
  if (call == calls_.end())
    return nullptr;
  auto responder = std::move(call->second.responder);
  calls_.erase(call);
  return responder;
}

void Gateway::fail(std::uint64_t id, const caf::error& error) {
  const auto call = calls_.find(id);
  if (call == calls_.end())
    return;
  call->second.ticket->abandon();
  const auto responder = close(id);
  spdlog::warn("event=monitor_did_not_answer request_id={} text=\"{}\"", responder->request_id(),
               system().render(error));
  responder->refuse(unavailable("The monitor did not answer; try again."));
}

void Gateway::time_out(std::uint64_t id) {
  const auto call = calls_.find(id);
  if (call == calls_.end())
    return;
  if (call->second.ticket->abandon()) {
    close(id)->refuse(problem_of({domain::Refusal::not_taken_up, {}, {}}));
    return;
  }
  const auto more = std::exchange(call->second.receive, domain::Duration::zero());
  if (more > domain::Duration::zero())
    delayed_send(this, more, tick_atom::value, id);
  else
    close(id)->refuse(unavailable("The request is still being worked on; repeat it to get its outcome."));
}

} // namespace ci::http
