/// Core: the operators' levers. Each is answered once what it changed is durable.
#include "actors/domain/core.hpp"

#include <utility>

namespace ci::domain {

void Core::operate(Now now, RequestId request, const Lever& asked) {
  see(now);
  const Because because(*this, request);
  if (!ready() || stopping_)
    return refuse_lever(request,
                        {Refusal::not_ready,
                         "The service is starting or stopping, or libvirt was not heard yet; ask again "
                         "in a moment.",
                         Duration{1'000}});
  struct Visitor {
    Core& core;
    RequestId request;
    void operator()(const lever::StartOverride& ask) const { core.start_override(request, ask); }
    void operator()(const lever::CancelOverride&) const { core.cancel_override(request); }
    void operator()(const lever::SetPaused& ask) const { core.set_paused(request, ask); }
    void operator()(const lever::DestroyRunner& ask) const { core.destroy_by_hand(request, ask.runner); }
    void operator()(const lever::RebuildImage& ask) const { core.rebuild(request, ask); }
  };
  std::visit(Visitor{*this, request}, asked);
}

void Core::refuse_lever(RequestId request, Verdict verdict) {
  order(effect::AnswerLever{request, {std::move(verdict), std::nullopt}});
}

void Core::load_notes(const StoreImage& image) {
  for (auto& [key, value] : image.notes)
    if (key == override_note) {
      override_ = parse_override(value);
      if (override_)
        override_->created_at = std::min(override_->created_at, now_.time);
      else {
        log(LogLevel::warn, "override_unreadable", "");
        write(store::SetNote{override_note, ""});
      }
    } else if (key.starts_with(pause_note))
      paused_.insert(key.substr(std::string_view(pause_note).size()));
}

void Core::set_paused(RequestId request, const lever::SetPaused& ask) {
  if (!policy_->profiles.count(ask.profile))
    return refuse_lever(request, {Refusal::unknown_profile, "There is no such profile.", {}});
  if (ask.paused)
    paused_.insert(ask.profile);
  else
    paused_.erase(ask.profile);
  write(store::SetNote{pause_note + ask.profile, ask.paused ? "yes" : ""}, [this, request] {
    order(effect::AnswerLever{request, {}});
  });
  auto* event = ask.paused ? "profile_paused" : "profile_resumed";
  write(store::AppendHistory{{now_.time, event, 0, ask.profile, ""}});
  log(LogLevel::info, event, "profile=" + ask.profile);
}

/// What GitHub does not know of yet is found out by the rules of every destruction (release.hpp).
void Core::destroy_by_hand(RequestId request, RunnerId id) {
  auto* r = find(id);
  if (!r)
    return refuse_lever(request, {Refusal::unknown_runner, "There is no such runner.", {}});
  if (r->rec.phase != Phase::destroying) {
    auto s = status(*r);
    if (s == Status::Busy || s == Status::Reserved)
      return refuse_lever(request,
                          {Refusal::runner_busy,
                           s == Status::Busy ? "A job may be running on this runner; wait for its end."
                                             : "This runner is reserved; release its reservation first.",
                           {}});
    destroy(*r, "an operator asked for it");
  }
  save(*r, [this, request] { order(effect::AnswerLever{request, {}}); });
}

} // namespace ci::domain
