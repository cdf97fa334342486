/// Core: what guests ask for.
#include "actors/domain/core.hpp"

#include <utility>

namespace ci::domain {
namespace {

/// Guests give up after 5 s.
constexpr Duration guest_patience{3'500};
/// Fetches of one JIT config after the first (spec/api.md).
constexpr int most_repeats = 5;
const std::string no_profile;

} // namespace

void Core::jitconfig(Now now, RequestId request, const std::string& address) {
  see(now);
  if (!ready() || stopping_) {
    order(effect::AnswerJit{
        request,
        {{Refusal::not_ready, "The service is starting or stopping; ask again.", Duration{1'000}}, {}}});
    return;
  }
  // Always looked up afresh: an address may have passed to another guest since the last look (G7).
  guest_requests_.push_back({request, address, true, next_seq(), now.time + guest_patience});
}

void Core::boot(Now now, RequestId request, const std::string& address) {
  see(now);
  if (!ready() || stopping_) {
    order(effect::AnswerBoot{
        request,
        {{Refusal::not_ready, "The service is starting or stopping; ask again.", Duration{1'000}}, nullptr}});
    return;
  }
  guest_requests_.push_back({request, address, false, next_seq(), now.time + guest_patience});
}

void Core::answer_guest(const GuestRequest& request) {
  Runner* owner = nullptr;
  const std::string* rebuild = nullptr; ///< its profile, where a rebuild guest asks
  int claims = 0;
  // What an older look-up said is no answer: the address may be another guest's by now (G7).
  if (request.seq <= addresses_seq_ && !addressing_ && addresses_known_)
    for (auto& [guest, address] : addresses_.ipv4_by_guest)
      if (address == request.address && addresses_.serves(guest)) {
        ++claims;
        owner = find_by_guest(guest);
        rebuild = images_.profile_of_rebuild(guest);
      }
  bool known = claims == 1 && owner && !owner->guest_off() && !owner->rec.guest_removed;
  if (request.jit) {
    if (known)
      answer_jit(request, *owner);
    else
      order(effect::AnswerJit{
          request.request,
          {{Refusal::guest_unknown, "No guest is known by this address yet; ask again.", Duration{1'000}},
           {}}});
    return;
  }
  BootAnswer answer{
      {Refusal::guest_unknown, "No guest is known by this address yet; ask again.", Duration{1'000}},
      nullptr};
  auto& profile = known ? owner->rec.profile : claims == 1 && rebuild ? *rebuild : no_profile;
  if (auto it = policy_->profiles.find(profile); it != policy_->profiles.end() && it->second.boot_script) {
    answer = {{}, it->second.boot_script};
    if (known)
      measure_step(*owner, "boot");
  }
  order(effect::AnswerBoot{request.request, std::move(answer)});
}

void Core::answer_jit(const GuestRequest& request, Runner& r) {
  auto refuse = [&](Refusal why, const char* detail) {
    order(effect::AnswerJit{request.request, {{why, detail, Duration{1'000}}, {}}});
  };
  if (r.rec.phase == Phase::destroying || r.rec.online_at || r.rec.registration_ended)
    return refuse(Refusal::jit_gone, "The JIT config of this runner was used, or is not given any more.");
  if (r.rec.jit_config.empty() || !r.rec.registration_id)
    return refuse(Refusal::not_registered, "This runner's registration is not there yet; ask again.");
  if (!r.rec.jit_served_at)
    return serve_jit(request.request, r);
  if (r.rec.jit_fetches > most_repeats)
    return refuse(Refusal::jit_gone, "The JIT config of this runner was fetched too often.");
  r.jit_waiters.push_back({request.request, next_seq(), request.deadline});
}

void Core::serve_jit(RequestId request, Runner& r) {
  const Because because(*this, request);
  measure_step(r, "jitconfig");
  // From here on the guest may be running a job; that is durable before it has what it needs (G1).
  if (!r.rec.jit_served_at)
    r.rec.jit_served_at = now_.time;
  ++r.rec.jit_fetches;
  save(r, [this, request, config = r.rec.jit_config] { order(effect::AnswerJit{request, {{}, config}}); });
  remember("jitconfig_served", r);
}

void Core::answer_jit_waiters(Runner& r, const GithubReply<Registration>& reply) {
  for (auto& waiter : std::exchange(r.jit_waiters, {})) {
    const auto request = waiter.request;
    if (waiter.seq > r.look_seq) {
      r.jit_waiters.push_back(waiter); // asked while that look was under way: it may be online by now
      continue;
    }
    bool offline = reply && !reply.value->online() && !reply.value->busy;
    if (offline && now_.time >= waiter.deadline) // an answer that nobody hears must not use up a repeat
      order(effect::AnswerJit{
          request, {{Refusal::github_away, "GitHub did not answer in time; ask again.", Duration{1'000}}, {}}});
    else if (offline && r.rec.phase != Phase::destroying && !r.rec.jit_config.empty() &&
        r.rec.jit_fetches <= most_repeats)
      serve_jit(request, r);
    else if (!reply && reply.error.general())
      order(effect::AnswerJit{
          request, {{Refusal::github_away, "GitHub could not be asked; ask again.", Duration{1'000}}, {}}});
    else
      order(effect::AnswerJit{
          request,
          {{Refusal::jit_gone, "The JIT config of this runner was used, or is not given any more.", {}},
           {}}});
  }
}

} // namespace ci::domain
