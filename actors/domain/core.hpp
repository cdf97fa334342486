#pragma once
/// The decisions: a pure state machine between what is reported (facts, requests, answers) and what is
/// ordered (effects).
///
/// Life of a fact: the monitor actor calls one of the `on_...` members, which only takes the fact in; then
/// `crank()` looks at everything once and orders what follows. Orders are level-triggered: an order under way
/// is marked, its answer clears the mark, and the next crank decides anew; so a lost, late or repeated answer
/// does no harm. Nothing here blocks, throws, reads a clock or draws a random number by itself.

#include "actors/domain/answers.hpp"
#include "actors/domain/backoff.hpp"
#include "actors/domain/effects.hpp"
#include "actors/domain/fitting.hpp"
#include "actors/domain/history.hpp"
#include "actors/domain/images.hpp"
#include "actors/domain/names.hpp"
#include "actors/domain/notice.hpp"
#include "actors/domain/operator.hpp"
#include "actors/domain/outbox.hpp"
#include "actors/domain/policy.hpp"
#include "actors/domain/release.hpp"
#include "actors/domain/snapshot.hpp"
#include "actors/domain/store.hpp"
#include "actors/domain/tracked.hpp"
#include "actors/domain/write_budget.hpp"

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ci::domain {

/// The present, on both clocks. `time` advances with the steady clock within a process.
struct Now {
  Time time{};
  Steady steady{};
};

class Core final : private Outbox {
 public:
  /// `random`: 64 fresh random bits a call; for UUIDs and MAC addresses. `last_version`: of the snapshot that an
  /// earlier Core of this process published last; the next one is newer.
  explicit Core(std::function<std::uint64_t()> random, std::uint64_t last_version = 0)
      : random_(std::move(random)), last_version_(last_version) {}
  Core(const Core&) = delete; // its parts point to it
  Core& operator=(const Core&) = delete;

  // Facts. Each sets the present; none orders anything but answers.
  void on_loaded(Now, StoreImage);
  void on_policy(Now, PolicyPtr);
  void on_clock_jump(Now, Duration by);
  void on_host(Now, bool up, std::string trouble);
  void on_store(Now, bool well, std::string trouble);
  void on_guest(Now, const GuestObservation&);
  void on_guest_listing(Now, const std::optional<GuestListing>&, const std::string& error);
  void on_addresses(Now, const std::optional<AddressListing>&, const std::string& error);
  void on_registration_listing(Now, const GithubReply<RegistrationListing>&);
  void on_looked(Now, RunnerId, const GithubReply<Registration>&);
  void on_slot_looked(Now, const std::string& unique_id, RunnerId, const GithubReply<Registration>&);
  void on_found(Now, RunnerId, const GithubReply<std::vector<Registration>>&);
  void on_registered(Now, RunnerId, const GithubReply<JitRegistration>&);
  void on_unregistered(Now, RunnerId, const GithubReply<Done>&);
  void on_labelled(Now, const std::string& unique_id, RunnerId, const GithubReply<std::vector<std::string>>&);
  void on_unlabelled(Now, const std::string& unique_id, RunnerId, const GithubReply<Done>&);
  void on_run(Now, const std::string& unique_id, const GithubReply<WorkflowRun>&);
  void on_jobs(Now, const std::string& unique_id, const GithubReply<std::vector<WorkflowJob>>&);
  /// GitHub is asked with another token from now on: the pauses that the old one earned are over.
  void on_new_token(Now);
  /// A webhook: whatever it says is believed only as far as it keeps a guest.
  void on_notice(Now, const GithubNotice&);
  void on_guests_read(Now, const std::optional<Definitions>&, const std::string& error);
  /// `all`: nothing is left to delete.
  void on_forgotten(Now, bool all, const std::string& error);
  void on_linked(Now, const std::string& profile, const std::string& snapshot, const std::string& error);
  void on_prepared(Now, RunnerId, const HostReply&);
  void on_started(Now, RunnerId, const HostReply&);
  void on_removed(Now, RunnerId, const HostReply&);
  /// Images are told apart by their template guest.
  void on_image_prepared(Now, const std::string& image, const HostReply&);
  void on_image_started(Now, const std::string& image, const HostReply&);
  void on_image_sealed(Now, const std::string& image, const HostReply&);
  void on_image_discarded(Now, const std::string& image, const HostReply&);
  void on_repo_updated(Now, const HostReply&);
  void on_committed(Now); ///< the oldest commit under way is durable

  // Requests; answered by an effect, now or later, exactly once each.
  void take(Now, RequestId, const TakeRequest&);
  void release(Now, RequestId, const std::string& unique_id);
  void jitconfig(Now, RequestId, const std::string& address);
  void boot(Now, RequestId, const std::string& address);
  void operate(Now, RequestId, const Lever&);
  /// No more requests or creations; those that wait are refused.
  void stop(Now);

  /// Looks at everything once; effects and the time of the next look are then to be fetched.
  void crank(Now);
  std::vector<Effect> drain();
  /// When to crank at the latest although nothing happens.
  Time wake_at() const { return wake_; }
  /// Whether orders are under way whose answers are still awaited (commits, listings and looks included).
  bool orders_under_way() const;

  // For tests and the model.
  const std::map<RunnerId, Runner>& runners() const { return runners_; }
  const std::map<std::string, Reservation>& reservations() const { return reservations_; }
  const SpentReservations& spent() const { return spent_; }
  const Images& images() const { return images_; }
  Resources held() const;
  Status status(const Runner&) const;

 private:
  struct GuestRequest {
    RequestId request;
    std::string address;
    bool jit;
    std::uint64_t seq;
    Time deadline;
  };

  /// While it lives, what is logged was caused by that request.
  class Because {
   public:
    Because(Core& core, RequestId request) : core_(core), before_(std::exchange(core.cause_, request)) {}
    Because(const Because&) = delete;
    Because& operator=(const Because&) = delete;
    ~Because() { core_.cause_ = before_; }

   private:
    Core& core_;
    const RequestId before_;
  };

  // core.cpp: plumbing
  void see(Now);
  std::uint64_t next_seq() { return ++seq_; }
  void order(Effect) override;
  void write(StoreOp, std::function<void()> then = {}) override;
  void save(Runner&, std::function<void()> then = {});
  void save(Reservation&, std::function<void()> then = {});
  void log(LogLevel, const char* event, std::string fields) override;
  void wake(Time t) override { wake_ = std::min(wake_, t); }
  std::uint64_t random() override { return random_(); }
  Runner* find(RunnerId);
  const Runner* find(RunnerId) const;
  Runner* find_by_guest(const std::string&);
  Reservation* reservation_of(const Runner&);
  const Reservation* reservation_of(const Runner&) const;
  bool ready() const { return loaded_ && policy_ && guests_known_; }
  void note_github(const GithubError&);
  void shorten_pauses_of_outage();
  std::string deletion_trouble() const;
  void note_token_end(std::optional<Time>);
  /// How long such writes have to wait for GitHub's limits; zero: they may go.
  Duration writes_held(WritePurpose, int count) const;

  // core_facts.cpp: observations
  void saw_guest(Runner&, const GuestObservation&);
  bool guest_gone(Runner&, std::uint64_t seen_seq);
  void saw_started(Runner&);
  void saw_registration(Runner&, const Registration&, std::uint64_t seq);
  bool unseen_for_long(const Runner&) const;
  void saw_missing(Runner&, std::uint64_t seq);
  void registration_over(Runner&, const char* why);
  void settle_unnamed(Runner&, const std::vector<Registration>&);
  /// Whether what GitHub shows may be what was made for that runner.
  bool may_be_its(const RunnerRecord&, const Registration& seen) const;
  bool found_among(Runner&, const std::vector<Registration>&);
  void mark_busy(Runner&);
  Runner& revive(RunnerId);

  // core_life.cpp: creating and destroying
  RunnerId order_runner(const Profile&, const std::string& template_guest);
  void advance(Runner&);
  /// What a new runner is registered with.
  std::vector<std::string> registration_labels(const Profile&);
  void advance_creating(Runner&);
  void register_if_due(Runner&, const Profile&);
  void name_taken(Runner&);
  void advance_interrupted(Runner&);
  void start_when_made(RunnerId);
  void advance_live(Runner&);
  bool never_came_online(Runner&);
  bool was_lost(const Runner&) const;
  void look_if_due(Runner&);
  /// \p cut_short: through no fault of the image.
  void create_failed(Runner&, const std::string& why, bool cut_short = false);
  void destroy(Runner&, const std::string& reason, TrialLoss = TrialLoss::no_fault);
  void advance_unregister(Runner&);
  /// After a try that failed.
  void put_off_unregister(Runner&, const GithubError&);
  void advance_remove(Runner&);
  void finish(Runner&);
  GuestSpec spec_of(const Runner&) const;
  void end_of_runner(Runner&);

  // core_plan.cpp: what is wanted
  using Counts = std::map<std::string, ProfileCounts>;
  void plan();
  Counts count() const;
  Resources steerable() const;
  Resources plannable() const;
  std::map<std::string, int> fitted(const Counts&) const;
  void destroy_excess(const Counts&);

  // core_images.cpp: where images and runners meet
  void advance_images();
  void plan_images(const Counts&);
  /// \p spare: what the profile's images may take; what the image holds itself is not in it.
  void plan_trial(Image&, const Profile&, const ProfileCounts&, const Resources& spare);
  void plan_build(const Profile&, const ProfileCounts&, const Resources& spare);
  bool image_takes_slot(const std::string& profile) const;
  void settle_trial(Image&);
  static bool spares_one(const ProfileCounts&);
  void drain_for_image(const std::string& profile, const ProfileCounts&);
  void replace_outdated(const Profile&, const ProfileCounts&);
  void destroy_of_discarded();
  void rebuild(RequestId, const lever::RebuildImage&);

  // core_select.cpp: what takes without a token must pass besides
  void recall_artifacts(const StoreImage&);
  void use_artifact(std::int64_t id);
  void forget_old_artifacts();
  /// None of the kind `none` where it may go on.
  Verdict check_tokenless(const TakeRequest&) const;

  // core_notice.cpp: webhooks
  bool noticed(const notice::Job&);
  Runner* noticed_runner(const notice::Job&);
  bool ask_run_soon(const std::string& repository, RunId, const std::vector<std::string>& labels);

  // core_deadline.cpp: after the answer, until all jobs have begun
  void watch_run(Reservation&);
  void want_jobs(Reservation&);
  void give_up(Reservation&, const std::string& why);
  bool run_unknown(Reservation&, const GithubError&);
  Reservation* run_answered(Now, const std::string& unique_id, const GithubError&);
  bool doubts_list(Reservation&, Reservation::Work&);
  int settle_with_jobs(Reservation&, const std::vector<WorkflowJob>&);
  bool worked_for(const Reservation&, RunnerId, const std::vector<WorkflowJob>&) const;
  bool is_fit(const ReservationSlot&) const;
  bool lacks_runners(const Reservation&, const std::vector<WorkflowJob>&) const;
  void replace_missing(Reservation&, int waiting);

  // core_take.cpp: reservations
  /// Orders what is due for a slot that is to be confirmed.
  void advance_slot(Reservation&, std::size_t index);
  void slot_started(Reservation&, ReservationSlot&);
  std::vector<RunnerId> idle_runners(const std::string& profile) const;
  void advance(Reservation&);
  void advance_pending(Reservation&);
  void advance_granted(Reservation&);
  void drop_slot(Reservation&, ReservationSlot&, const char* why);
  void fail_take(Reservation&, Verdict);
  void note_reserving(const GithubError&);
  void grant(Reservation&);
  void unlabel(Reservation&, ReservationSlot&);
  void settle(Reservation&);
  void spend(Reservation&);
  void answer_take(Reservation&);
  void forget_old_reservations();
  void forget_old();

  // core_adopt.cpp: what an older monitor left, and what only looks ours
  void load_inheritance(StoreImage&);
  /// Whether something is still to be taken over.
  bool adopting() const { return inherited_.has_value(); }
  void advance_adoption();
  void read_guests(std::vector<std::string> names);
  void adopt(const Definitions&);
  void adopt(const RunnerRecord&, const std::vector<GuestObservation>&);
  void adopt(const ReservationRecord&);
  void forget_inherited();
  void note_strangers(std::set<std::string>& known, std::set<std::string> found);
  void raise_ids(RunnerId taken);
  Resources held_by_unclaimed() const;

  // core_operator.cpp: levers
  void load_notes(const StoreImage&);
  void refuse_lever(RequestId, Verdict);
  void set_paused(RequestId, const lever::SetPaused&);
  void destroy_by_hand(RequestId, RunnerId);

  // core_override.cpp: policy overrides
  int target_of(const Profile&) const;
  OverrideGround override_ground() const;
  void keep_override(std::function<void()> then = {});
  void remember_override(const char* event, const std::string& detail);
  void start_override(RequestId, const lever::StartOverride&);
  void cancel_override(RequestId);
  void end_override(const std::string& why, std::function<void()> then = {});
  void note_delivered();
  void advance_override();
  void refit_override();
  std::string override_mark() const;

  // core_history.cpp: what readers of the history are told
  struct NotedTakes {
    int unwritten = 0;
    Time due{}; ///< of the next line
  };
  void remember(const char* event, const Runner&, std::string detail = {});
  void remember(const char* event, const Reservation&, const std::string& detail);
  /// A take was decided, or could not be, and was not granted.
  void note_take(const std::string& profile, const std::string& outcome);
  void write_noted_takes(const std::string& profile, const std::string& outcome, NotedTakes&);
  /// \p last: nothing is held back for a later line.
  void advance_history(bool last = false);

  // core_guests.cpp: requests of guests
  void answer_guest(const GuestRequest&);
  void answer_jit(const GuestRequest&, Runner&);
  void serve_jit(RequestId, Runner&);
  void answer_jit_waiters(Runner&, const GithubReply<Registration>&);

  // core_steps.cpp
  /// Order to that step of its way to being online; only the first time counts.
  void measure_step(Runner&, const char* step, Steady at);
  void measure_step(Runner& r, const char* step) { measure_step(r, step, now_.steady); }
  void measure_leases();
  /// A guest's own end leaves a place, which the next runner ordered of its profile takes.
  void note_vacancy(const Runner&);
  void fill_vacancy(Runner&);
  void vacancy_filled(Runner&);
  void vacancy_left(Runner&);

  // core_publish.cpp
  bool heard_enough();
  void publish();
  RunnerViewPtr view_of(Runner&);
  ReservationViewPtr view_of(Reservation&);

  std::function<std::uint64_t()> random_;
  Now now_;
  std::vector<Effect> effects_;
  // What this turn writes goes out as one commit when the effects are fetched.
  StoreBatch batch_;
  std::vector<std::function<void()>> batch_then_;
  std::deque<std::vector<std::function<void()>>> commits_;
  std::uint64_t seq_ = 0;
  RequestId cause_ = 0; ///< see Because
  Time wake_{};

  PolicyPtr policy_;
  bool loaded_ = false, stopping_ = false;
  Time loaded_at_{};
  Time forget_due_{}; ///< when it is looked through what may be forgotten
  bool github_heard_ = false; ///< a listing came, or failed
  bool github_answers_ = false; ///< the last call did not fail for GitHub's own sake, nor the last listing
  RunnerId next_id_ = 1;
  std::map<RunnerId, Runner> runners_;
  /// A runner that is gone, kept to recognise what comes late.
  struct Tombstone {
    RunnerRecord rec;
    std::uint64_t seq = 0; ///< listings ordered before this still showed it
  };
  std::map<RunnerId, Tombstone> gone_;
  std::map<std::string, Reservation> reservations_;    ///< that live
  SpentReservations spent_;
  std::map<std::int64_t, Time> used_artifacts_;        ///< each led to a reservation, and to no other ever
  std::map<std::string, Backoff> create_pause_;        ///< by profile
  std::map<std::string, std::string> create_trouble_;
  std::map<std::string, std::deque<Steady>> vacancies_; ///< guests that went off and are not replaced, by profile

  bool host_up_ = false, guests_known_ = false, listing_guests_ = false, guests_wanted_ = true;
  std::uint64_t guests_seq_ = 0;
  std::uint64_t image_gone_seq_ = 0; ///< listings ordered before this may show the guest of an image that is deleted
  Time guests_due_{};
  Images images_{*this};
  std::set<std::string> off_guests_; ///< names of all guests that are off: template candidates
  std::set<std::string> guest_strangers_, registration_strangers_;
  /// Ours by name, unknown to us, running: by name.
  struct Unclaimed {
    std::string profile, uuid;
  };
  std::map<std::string, Unclaimed> unclaimed_guests_;
  /// What those of profiles that are configured no more take, by UUID.
  std::map<std::string, Resources> unclaimed_sizes_;
  bool reading_guests_ = false;
  Backoff read_pause_{Duration{2'000}, Duration{60'000}};

  // Adoption.
  std::optional<Inheritance> inherited_; ///< none: there is nothing (more) to be taken over
  bool adoption_uncommitted_ = false;
  std::vector<GuestObservation> seen_guests_;        ///< of the newest listing, while adopting
  std::vector<Registration> seen_registrations_;     ///< likewise
  std::optional<RunnerId> forget_below_; ///< folders of runners below this may go, as far as they are an older monitor's
  bool forgetting_ = false;
  Backoff forget_pause_{Duration{5'000}, Duration{300'000}};
  static constexpr const char* forget_note = "adopted_below"; ///< in the store's notes
  /// Nothing was ever ordered, or a name was in the way: the next ids have to be above those of names that others gave.
  bool ids_in_doubt_ = false;
  bool addressing_ = false;
  std::uint64_t addresses_seq_ = 0;
  Time addresses_due_{};
  AddressListing addresses_;
  bool addresses_known_ = false; ///< the last look-up did not fail
  std::vector<GuestRequest> guest_requests_;

  bool registrations_known_ = false, listing_registrations_ = false;
  std::uint64_t registrations_seq_ = 0, registrations_needed_ = 0;
  Time registrations_due_{};
  Backoff list_pause_{Duration{1'000}, Duration{60'000}};
  std::string listing_trouble_; ///< why there is no listing, where that is no word about GitHub as a whole
  WriteBudget writes_;
  static constexpr const char* waits_for_limits = "waits for GitHub's limits on calls";
  Steady creating_held_until_{}, reserving_held_until_{}; ///< GitHub said so

  // Operators' levers; in the store's notes of these names.
  static constexpr const char* override_note = "policy_override";
  static constexpr const char* pause_note = "paused:"; ///< and the profile
  std::optional<Override> override_;
  std::shared_ptr<const Override> override_view_; ///< null: none, or to be made anew
  std::shared_ptr<const OverrideGround> ground_view_;
  std::set<std::string> paused_; ///< profiles that get no new runners

  std::map<std::pair<std::string, std::string>, NotedTakes> noted_takes_; ///< by profile and outcome
  Time prune_due_{};

  PartyHealth github_, libvirt_, store_{true, {}, {}};
  std::optional<Time> token_expires_at_, token_warned_at_;
  SnapshotPtr published_;
  std::uint64_t last_version_; ///< of any snapshot so far
};

} // namespace ci::domain
