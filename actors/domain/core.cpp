#include "actors/domain/core.hpp"
#include "actors/domain/past.hpp"

#include <utility>

namespace ci::domain {
namespace {

/// How long a runner that is gone is remembered: GitHub removes a registration that never connected after a
/// day, so a lost call cannot bring one back later than that.
constexpr Duration tombstone_life = std::chrono::hours(48);
/// How often it is looked through what may be forgotten.
constexpr Duration forget_interval = std::chrono::minutes(10);

} // namespace

void Core::see(Now now) { now_ = now; }

void Core::order(Effect effect) { effects_.push_back(std::move(effect)); }

void Core::write(StoreOp op, std::function<void()> then) {
  if (auto* line = std::get_if<store::AppendHistory>(&op))
    shorten(line->event.detail);
  batch_.push_back(std::move(op));
  if (then)
    batch_then_.push_back(std::move(then));
}

void Core::save(Runner& runner, std::function<void()> then) {
  write(store::PutRunner{runner.rec}, std::move(then));
}

void Core::save(Reservation& reservation, std::function<void()> then) {
  write(store::PutReservation{reservation.rec}, std::move(then));
}

void Core::log(LogLevel level, const char* event, std::string fields) {
  order(effect::Log{level, event, std::move(fields), cause_});
}

std::vector<Effect> Core::drain() {
  if (!batch_.empty()) {
    effects_.push_back(effect::Commit{std::exchange(batch_, {})});
    commits_.push_back(std::exchange(batch_then_, {}));
  }
  return std::exchange(effects_, {});
}

bool Core::orders_under_way() const {
  if (!commits_.empty() || images_.orders_under_way() || listing_registrations_ || listing_guests_ ||
      addressing_ || reading_guests_ || forgetting_)
    return true;
  for (auto& [id, r] : runners_)
    if (r.preparing || r.starting || r.registering || r.looking || r.finding || r.unregistering || r.removing)
      return true;
  for (auto& [id, reservation] : reservations_) {
    if (reservation.asking)
      return true;
    for (auto& [runner, work] : reservation.work)
      if (work.labelling || work.looking || work.unlabelling)
        return true;
  }
  return false;
}

void Core::on_committed(Now now) {
  see(now);
  if (commits_.empty())
    return;
  auto then = std::move(commits_.front());
  commits_.pop_front();
  for (auto& f : then)
    f();
}

Runner* Core::find(RunnerId id) {
  auto it = runners_.find(id);
  return it == runners_.end() ? nullptr : &it->second;
}

const Runner* Core::find(RunnerId id) const {
  auto it = runners_.find(id);
  return it == runners_.end() ? nullptr : &it->second;
}

Runner* Core::find_by_guest(const std::string& name) {
  for (auto& [id, r] : runners_)
    if (r.rec.guest_name == name)
      return &r;
  return nullptr;
}

const Reservation* Core::reservation_of(const Runner& runner) const {
  for (auto& [id, reservation] : reservations_) {
    for (auto& slot : reservation.rec.slots)
      if (slot.runner == runner.rec.id && slot.state != SlotState::released &&
          slot.state != SlotState::finished && slot.state != SlotState::given_up)
        return &reservation;
  }
  return nullptr;
}

Reservation* Core::reservation_of(const Runner& runner) {
  return const_cast<Reservation*>(std::as_const(*this).reservation_of(runner));
}

Duration Core::writes_held(WritePurpose purpose, int count) const {
  const auto until = purpose == WritePurpose::creating    ? creating_held_until_
                     : purpose == WritePurpose::reserving ? reserving_held_until_
                                                          : Steady{};
  return std::max(writes_.wait(purpose, count, policy_->writes_per_minute, now_.steady),
                  std::chrono::ceil<Duration>(until - now_.steady));
}

void Core::note_github(const GithubError& error) {
  if (error.kind == GithubError::Kind::limited) {
    creating_held_until_ = std::max(creating_held_until_, now_.steady + error.retry_after);
    if (error.secondary)
      reserving_held_until_ = std::max(reserving_held_until_, now_.steady + error.retry_after);
  }
  const bool answers = !error.general() && listing_trouble_.empty();
  if (answers && !github_answers_)
    shorten_pauses_of_outage();
  github_answers_ = answers;
  auto trouble = error.general() ? error.text() : listing_trouble_;
  if (trouble.empty())
    trouble = deletion_trouble();
  const bool well = trouble.empty();
  if (github_.well == well && (well || github_.trouble == trouble))
    return;
  if (github_.well != well || !github_.since)
    github_.since = now_.time;
  if (github_.well != well)
    log(well ? LogLevel::info : LogLevel::warn, well ? "github_well" : "github_trouble",
        "trouble=\"" + trouble + "\"");
  github_.well = well;
  github_.trouble = trouble;
}

/// What GitHub's outage kept from being deleted has grown long pauses meanwhile (G5: within two minutes of its end). Their
/// growth is kept: it may be that all but deleting goes well.
void Core::shorten_pauses_of_outage() {
  constexpr std::chrono::minutes longest{1};
  for (auto& [id, r] : runners_) {
    auto& pause = r.unregister_pause;
    if (r.outage)
      pause.restore(now_.time, pause.failures(), std::min(pause.next(), r.outage->at + longest));
  }
}

/// Why GitHub lets nobody go, whatever else it does; empty: that is not so, or nobody waits for it.
std::string Core::deletion_trouble() const {
  for (auto& [id, r] : runners_)
    if (r.outage && r.rec.phase == Phase::destroying && !r.rec.registration_ended)
      return r.outage->trouble;
  return {};
}

void Core::on_new_token(Now now) {
  see(now);
  creating_held_until_ = reserving_held_until_ = {};
  list_pause_.succeeded();
  registrations_due_ = now.time;
  create_pause_.clear();
  for (auto& [id, r] : runners_) {
    r.unregister_pause.succeeded();
    if (r.register_after != Steady{})
      r.register_after = now.steady;
  }
}

void Core::note_token_end(std::optional<Time> end) {
  constexpr Duration again = std::chrono::hours(24);
  if (end != token_expires_at_)
    token_warned_at_.reset();
  token_expires_at_ = end;
  if (!end || *end - now_.time > token_warning || (token_warned_at_ && now_.time < *token_warned_at_ + again))
    return;
  token_warned_at_ = now_.time;
  log(LogLevel::warn, "github_token_expires", "at=" + rfc3339(*end));
}

void Core::on_loaded(Now now, StoreImage image) {
  see(now);
  bring_into_past(image, now.time);
  loaded_ = true;
  loaded_at_ = now.time;
  next_id_ = image.next_id;
  ids_in_doubt_ = image.runners.empty() && image.images.empty();
  load_inheritance(image);
  recall_artifacts(image);
  images_.load(now.time, image);
  for (auto& rec : image.runners) {
    next_id_ = std::max(next_id_, rec.id + 1);
    if (rec.phase == Phase::gone) {
      gone_[rec.id] = {rec, 0};
      continue;
    }
    auto& r = runners_[rec.id];
    r.rec = std::move(rec);
    r.ordered = r.from_store = true;
    r.registered_once = true; // or not: only GitHub knows
    r.guest_started = r.rec.phase == Phase::live || r.rec.started;
  }
  std::vector<ReservationRecord> spent;
  for (auto& rec : image.reservations) {
    if (rec.phase == ReservationPhase::ended) {
      spent.push_back(std::move(rec));
      continue;
    }
    auto uid = rec.request.unique_id;
    auto& reservation = reservations_[uid];
    reservation.rec = std::move(rec);
    reservation.committed = reservation.grant_committed = reservation.from_store = true;
    // What is over, or seems to be, is looked into once more, at once.
    reservation.jobs_wanted = reservation.rec.phase == ReservationPhase::granted &&
                              count_slots(reservation.rec, [](SlotState s) {
                                return s == SlotState::started || !is_open(s);
                              }) > 0;
    if (reservation.jobs_wanted)
      reservation.ask_due = now.time;
    if (reservation.rec.phase == ReservationPhase::pending)
      fail_take(reservation,
                {Refusal::not_ready, "The service was restarted before the take was decided.", {}});
  }
  spent_ = SpentReservations(std::move(spent));
  load_notes(image);
  log(LogLevel::info, "loaded",
      "runners=" + std::to_string(runners_.size()) + " reservations=" + std::to_string(reservations_.size()) +
          " next_id=" + std::to_string(next_id_));
}

void Core::on_policy(Now now, PolicyPtr policy) {
  see(now);
  policy_ = std::move(policy);
}

void Core::on_clock_jump(Now now, Duration by) {
  see(now);
  auto move = [by](auto& t) {
    if (t)
      *t += by;
  };
  for (auto& [id, r] : runners_) {
    r.rec.created_at += by;
    r.look_asked += by;
    move(r.rec.jit_served_at);
    move(r.rec.online_at);
    move(r.started_at);
    move(r.seen_at);
    move(r.offline_since);
    if (r.outage)
      r.outage->at += by;
    move(r.first_not_busy);
    move(r.orphan_label_since);
    move(r.spared_at);
    for (auto& waiter : r.jit_waiters)
      waiter.deadline += by;
    for (auto* pause : {&r.look, &r.over_look, &r.unregister_pause, &r.remove_pause})
      pause->shift(by);
  }
  for (auto& [id, tombstone] : gone_)
    move(tombstone.rec.ended_at);
  for (auto& [id, reservation] : reservations_) {
    reservation.rec.shift(by);
    move(reservation.ask_due);
    move(reservation.asked_at);
    for (auto& [runner, work] : reservation.work) {
      move(work.unlisted_since);
      for (auto* pause : {&work.unlabel_pause, &work.label_pause})
        pause->shift(by);
    }
  }
  spent_.shift(by);
  images_.shift(by);
  for (auto& [key, pause] : create_pause_)
    pause.shift(by);
  for (auto* pause : {&list_pause_, &read_pause_, &forget_pause_})
    pause->shift(by);
  for (auto& request : guest_requests_)
    request.deadline += by;
  for (auto& [key, noted] : noted_takes_)
    noted.due += by;
  for (auto* due :
       {&prune_due_, &guests_due_, &addresses_due_, &registrations_due_, &loaded_at_, &forget_due_})
    *due += by;
  for (auto* party : {&github_, &libvirt_, &store_})
    move(party->since);
  move(token_warned_at_);
  write(store::ShiftTimes{by});
  if (override_) {
    override_->created_at += by;
    keep_override();
  }
  log(LogLevel::warn, "clock_jumped", "by_ms=" + std::to_string(by.count()));
}

void Core::on_store(Now now, bool well, std::string trouble) {
  see(now);
  if (store_.well != well || !store_.since)
    store_.since = now.time;
  store_.well = well;
  store_.trouble = std::move(trouble);
}

void Core::stop(Now now) {
  see(now);
  stopping_ = true;
  advance_history(true);
  Verdict verdict{Refusal::not_ready, "The service is stopping; ask again in a moment.", Duration{1'000}};
  for (auto& [id, reservation] : reservations_) {
    for (auto request : std::exchange(reservation.takers, {}))
      order(effect::AnswerTake{request, {verdict, {}}});
    for (auto request : std::exchange(reservation.releasers, {}))
      order(effect::AnswerRelease{request, {verdict, nullptr}});
  }
  for (auto& request : std::exchange(guest_requests_, {})) {
    if (request.jit)
      order(effect::AnswerJit{request.request, {verdict, {}}});
    else
      order(effect::AnswerBoot{request.request, {verdict, nullptr}});
  }
  for (auto& [id, r] : runners_)
    for (auto& waiter : std::exchange(r.jit_waiters, {}))
      order(effect::AnswerJit{waiter.request, {verdict, {}}});
}

/// What is only remembered is thousands of entries: they are not looked through at each crank.
void Core::forget_old() {
  forget_due_ = now_.time + forget_interval;
  forget_old_reservations();
  forget_old_artifacts();
  for (auto it = gone_.begin(); it != gone_.end();)
    if (auto ended = it->second.rec.ended_at; ended && now_.time > *ended + tombstone_life) {
      write(store::DropRunner{it->first});
      it = gone_.erase(it);
    } else
      ++it;
}

void Core::crank(Now now) {
  see(now);
  wake_ = now.time + (policy_ ? policy_->timings.poll_interval : Duration{1'000});
  if (!loaded_ || !policy_)
    return;
  if (stopping_) {
    publish(); // what is under way ends; nothing new is ordered
    return;
  }

  std::vector<RunnerId> ids;
  for (auto& [id, r] : runners_)
    ids.push_back(id);
  for (auto id : ids)
    if (auto* r = find(id))
      advance(*r);

  std::vector<std::string> uids;
  for (auto& [uid, reservation] : reservations_)
    uids.push_back(uid);
  for (auto& uid : uids)
    if (auto it = reservations_.find(uid); it != reservations_.end())
      advance(it->second);
  if (now_.time >= forget_due_)
    forget_old();

  std::erase_if(guest_requests_, [&](auto& request) {
    if (now_.time < request.deadline) {
      wake(request.deadline);
      return false;
    }
    answer_guest(request);
    return true;
  });

  advance_adoption();
  advance_override();
  advance_images();
  plan();
  advance_history();

  // Listings.
  if (!listing_guests_ && host_up_ && (guests_wanted_ || now_.time >= guests_due_)) {
    listing_guests_ = true;
    guests_wanted_ = false;
    guests_seq_ = next_seq();
    order(effect::ListGuests{});
  }
  bool addresses_wanted = false;
  for (auto& request : guest_requests_)
    addresses_wanted |= request.seq > addresses_seq_;
  if (!addressing_ && host_up_ && (addresses_wanted || now_.time >= addresses_due_)) {
    addressing_ = true;
    addresses_seq_ = next_seq();
    order(effect::ListAddresses{});
  }
  if (!policy_->dont_register_runners && !listing_registrations_ && list_pause_.due(now_.time) &&
      (registrations_needed_ >= registrations_seq_ || now_.time >= registrations_due_)) {
    listing_registrations_ = true;
    registrations_seq_ = next_seq();
    order(effect::ListRegistrations{});
  }
  if (!listing_registrations_ && !policy_->dont_register_runners)
    wake(std::max(list_pause_.next(),
                  registrations_needed_ >= registrations_seq_ ? now_.time : registrations_due_));
  publish();
}

Resources Core::held() const {
  auto total = images_.held();
  for (auto& [id, r] : runners_)
    if (r.holds_budget())
      total += r.rec.held;
  return total + held_by_unclaimed();
}

Status Core::status(const Runner& r) const {
  StatusFacts f;
  f.create_under_way = r.rec.phase == Phase::creating;
  f.any_order_under_way = r.rec.phase != Phase::live || r.look_wanted || r.rec.spoiled;
  f.guest_exists = r.guest_exists() || !r.guest_known;
  f.guest_was_started = r.guest_started;
  f.guest_running = r.guest == GuestState::on || !r.guest_known;
  f.registration_exists = r.registration_exists();
  f.registrations_in_use = policy_ && !policy_->dont_register_runners;
  f.busy_now_or_ever = r.rec.busy_seen;
  f.reserved = reservation_of(r) != nullptr || (r.reg && has_reservation_label(r.reg->labels));
  f.online = r.reg && r.reg->online();
  return status_of(f);
}

} // namespace ci::domain
