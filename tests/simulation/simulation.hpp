#pragma once
/// A randomised world around the product: orders and answers are delayed, reordered, failed, doubled, lost
/// before or after they acted; guests, jobs, clients, clocks and crashes come at any time. Every step checks
/// the promises. What the product is, the decisions alone or all its actors, is up to the derived class.

#include "tests/simulation/schedule.hpp"
#include "tests/support/world.hpp"

#include "actors/domain/answers.hpp"
#include "actors/domain/effects.hpp"
#include "actors/domain/notice.hpp"
#include "actors/domain/operator.hpp"
#include "actors/domain/policy.hpp"
#include "actors/domain/store.hpp"

#include <algorithm>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace ci::test {

/// What goes wrong with one call to GitHub or libvirt.
enum class Fault {
  none,
  before, ///< it fails and does nothing
  after,  ///< it acts, and the answer says that it failed
  twice,  ///< it acts twice, as behind a proxy that repeats requests
};

/// Whether a JIT config stands in it, as World makes them.
inline bool tells_config(std::string_view text) { return text.find("config-of-") != std::string_view::npos; }

class Simulation {
 public:
  /// \p trace gets a line for each thing that happens, if given.
  explicit Simulation(std::vector<std::string>* trace);
  virtual ~Simulation() = default;
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  /// Runs one schedule from an empty host, then lets all faults end and checks that everything is right
  /// again.
  std::optional<Broken> run(const Schedule&);

 protected:
  // --- the product
  /// Whatever runs is gone without a word; a new process loads the store.
  virtual void start_process() = 0;
  /// The product does what follows from what it has heard; after each step. In the calm until it has no more
  /// to do.
  virtual void react(bool calm) = 0;
  /// Carries out one of the calls that the product made. False: there is none.
  virtual bool carry_one(std::uint64_t choice, Fault) = 0;
  /// Lets one of the answers arrive.
  virtual bool deliver_one(std::uint64_t choice) = 0;
  /// Writes the oldest batch. Without an acknowledgement nobody hears of it.
  virtual bool commit_one(bool acknowledge) = 0;
  /// Whoever writes says that it failed, and may have written it. False: there is no such failure, or no batch.
  virtual bool fail_commit(bool /*written*/) { return false; }
  /// The client of a take goes away. False: the request was taken up already.
  virtual bool give_up(RequestId) { return false; }
  virtual bool busy() const = 0;
  virtual void hear_take(RequestId, const TakeRequest&, bool given_up) = 0;
  virtual void hear_release(RequestId, const std::string& unique_id) = 0;
  virtual void hear_jit(RequestId, const std::string& address) = 0;
  virtual void hear_boot(RequestId, const std::string& address) = 0;
  virtual void hear_lever(RequestId, const Lever&) = 0;
  virtual void hear_policy(PolicyPtr) = 0;
  virtual void hear_connection(bool up, const std::string& trouble) = 0;
  virtual void hear_store(bool well, const std::string& trouble) = 0;
  virtual void hear_guest(const GuestObservation&) = 0;
  virtual void hear_notice(const GithubNotice&) = 0;
  /// The steady clock moved.
  virtual void passed(std::chrono::nanoseconds) {}
  /// The wall clock alone moved.
  virtual void jumped(Duration) {}
  /// What readers see; null: nothing yet.
  virtual SnapshotPtr snapshot() const = 0;
  /// Promises that only this product can show.
  virtual void check_more() {}
  /// All is well; from here on nothing happens for days.
  virtual void rest_begins() {}
  virtual void check_end_more() {}

  // --- for the derived class
  Time wall() const { return Time(std::chrono::floor<Duration>(steady_.time_since_epoch()) + wall_offset_); }
  Steady steady() const { return steady_; }
  void pass(std::chrono::nanoseconds by) {
    steady_ += by;
    passed(by);
  }
  void fail(const std::string& promise) {
    if (!broken_)
      broken_ = promise;
  }
  void note(const std::string& text) {
    if (trace_)
      trace_->push_back(text);
  }
  bool tracing() const { return trace_ != nullptr; }
  void commit_to_store(const StoreBatch&);
  void answered(RequestId, const TakeAnswer&);
  void answered(RequestId, const JitAnswer&);
  void answered(RequestId, const BootAnswer&);
  /// Of an answer whose contents say nothing more.
  void answered(RequestId request) { waiting_.erase(request); }
  void answered(RequestId request, const ReleaseAnswer&) { answered(request); }
  void answered(RequestId request, const LeverAnswer&) { answered(request); }
  /// libvirt tells of that guest's present state, sooner or later, or twice, or not at all.
  void observe(const std::string& guest);
  /// What \p act answers, or what the fault makes of it.
  template <class Reply, class Act>
  Reply at_github(Fault, Act act);
  template <class Act>
  HostReply at_host(Fault, Act act);
  /// GitHub's list, which may lack one of its entries.
  GithubReply<RegistrationListing> list_registrations();
  /// What it answers to a look, or to a deletion: now and then a 404 although it is there.
  GithubReply<Registration> look_at(RegistrationId);
  /// Its answer arrives, and is still waited for: one that is not, or is lost, keeps nobody from letting go.
  void hear_look(const GithubReply<Registration>&);
  GithubReply<Done> unregister(RegistrationId);
  /// libvirt's list, which may lack a runner's guest, but no two of a few in a row.
  GuestListing list_guests();
  GithubReply<std::vector<WorkflowJob>> list_jobs(RunId);
  /// Runners that the store keeps, but for those of which nothing is left.
  std::size_t living() const;
  /// What a process finds at its start.
  StoreImage found() const;
  /// Of the older monitor.
  void forget_files(const InheritedFiles&);
  void link_snapshot(const std::string& profile, const std::string& snapshot) {
    left_.current_snapshots[profile] = snapshot;
  }

  World world_;
  StoreImage store_;
  std::shared_ptr<Policy> policy_ = std::make_shared<Policy>();
  std::uint64_t salt_ = 0;
  std::uint64_t first_ = 0; ///< salt of the schedule's first step: what holds for all of it follows from that
  bool github_down_ = false, libvirt_down_ = false, calm_ = false;
  Steady github_silent_until_{};   ///< GitHub asked for so long a pause
  Steady clearing_silent_until_{}; ///< and for so long a one of calls that clear away
  Steady waits_until_{};           ///< so long, at most, this process waits for an answer that never comes
  void asked_to_wait(Duration pause, bool clearing_too = true) {
    github_silent_until_ = std::max(github_silent_until_, steady_ + pause);
    if (clearing_too)
      clearing_silent_until_ = std::max(clearing_silent_until_, steady_ + pause);
  }
  int room_ = 0; ///< units (scene.hpp) that are there beside the stranger's

 private:
  struct Client {
    TakeRequest ask;
    std::set<RunnerId> promised; ///< as it was answered, with those that came in others' places; empty: not (yet)
    std::size_t many = 0;        ///< of how many runners, at first
    bool giving_back = false;
    std::optional<Duration> lasts; ///< from its grant to its deadline, as it was first shown
    std::optional<Time> deadline{}; ///< as it was first shown, while nobody moved the clock
    bool queued = false;           ///< its jobs were, once
    bool none_waited = false;      ///< GitHub was asked when no job waited for it
  };

  // simulation.cpp
  void play(const Schedule&, std::size_t& step);
  void place_strangers();
  void begin();
  void apply(const Step&);
  void carry_some(std::uint64_t salt);
  void crash(std::uint64_t salt);
  void set_fault(std::uint64_t salt);
  void lie_about_busy(std::uint64_t salt);
  void change_policy(std::uint64_t salt);
  void warm_up();
  void calm_down(bool with_builds);
  void calm_turn(Duration);
  bool denies(RegistrationId) const;
  bool is_denied(RegistrationId id) const { return mix(first_, static_cast<std::uint64_t>(id)) % 2 == 0; }
  void forget_looks();
  void lapse_dead_jobs();
  void try_builds();
  void long_outage();
  void spoil_one_profile();
  void end_runners(const std::string& profile);
  // guests.cpp
  std::vector<std::string> own_guests() const;
  int units_in_use() const;
  void guest_step(std::uint64_t salt);
  void guest_dies(const std::string& name);
  void guest_duty(const std::string& name);
  void power_off(const std::string& name);
  void ask_jit(const std::string& guest);
  void ask_as_stranger(std::uint64_t salt);
  void deliver_event(std::uint64_t salt);
  // runs.cpp
  void run_step(std::uint64_t salt);
  void queue_jobs(Client&);
  void end_run(RunId, const char* conclusion);
  WorkflowJob* job_for(const World::Record&);
  void begin_job(const std::string& guest, bool for_its_label, bool shown);
  void end_job(const std::string& guest);
  void tell(GithubNotice);
  void tell_of_job(const World::Record&, notice::Job::Action);
  void hook_step(std::uint64_t salt);
  void lie(std::uint64_t salt);
  void check_given_up(const Snapshot&);
  // old_host.cpp
  void leave(std::uint64_t salt);
  void leave_guest(RunnerId, const std::string& profile, std::uint64_t salt);
  void leave_image(RunnerId, const std::string& profile, bool built);
  // images.cpp
  std::vector<std::string> rebuild_guests() const;
  void rebuild_step(const std::string& name, std::uint64_t salt);
  void rebuild_duty(const std::string& name);
  void check_borrowed();
  void check_failing_builds();
  std::set<std::string> images_there() const;
  std::set<std::string> unwanted_images() const;
  void check_image_intents();
  void check_images_end(const Snapshot&);
  // clients.cpp
  RequestId next_request();
  void client_take(std::uint64_t salt);
  void client_repeat(std::uint64_t salt);
  void client_release(std::uint64_t salt);
  void operator_step(std::uint64_t salt);
  void send_take(std::size_t client, bool given_up);
  void note_grant(const ReservationRecord&);
  bool replaceable(RunnerId) const;
  // promises.cpp
  void check();
  void check_intents();
  void check_secrets();
  void check_kept(const Snapshot&);
  void check_shown(const Snapshot&);
  void check_strangers();
  void check_exclusive();
  void note_leftovers();
  void note_deletable();
  void check_leftovers();
  void check_deletable();
  void check_reservations(const Snapshot&);
  void check_promise(const Snapshot&, Client&);
  void check_end();
  void check_forgotten();

  std::vector<Client> clients_;
  /// By unique id the runners that were promised, as that commit says; some may end before anyone is answered.
  std::map<std::string, std::set<RunnerId>> granted_;
  RequestId last_request_ = 0;
  std::set<RequestId> waiting_;                 ///< not answered yet
  std::map<RequestId, std::size_t> asking_;     ///< take -> client
  std::map<RequestId, std::string> jit_asking_; ///< -> guest
  std::map<RequestId, std::string> strangers_asking_; ///< for a config or a boot script -> from where
  std::set<RequestId> jit_too_late_;            ///< asked when GitHub had shown the runner online already
  std::set<RequestId> given_up_;                ///< takes that were given up before they were taken up
  std::set<RegistrationId>
      dead_jobs_; ///< of guests that died at work: GitHub keeps them busy until the lease lapses
  std::deque<GuestObservation> events_;
  std::optional<Steady> leftovers_due_; ///< when nothing may be left of those:
  std::set<RunnerId> leftovers_;        ///< runners that were being destroyed, or unknown, when all faults ended
  std::optional<Steady> deletable_due_; ///< when none of those may be left:
  std::set<RegistrationId> deletable_;  ///< registrations that nobody wants and that take nothing but a deletion
  std::set<RunnerId> at_work_;          ///< those whose guests had a config and were on
  std::set<RunnerId> used_configs_;     ///< runners that were online then, or not registered any more
  std::set<std::string> left_images_;   ///< images that nobody wanted then
  std::set<RequestId> long_waiting_;    ///< requests that waited then
  Duration longest_pause_{};            ///< that a single answer of GitHub's asked for
  bool clock_jumped_ = false;
  bool builds_fail_ = false; ///< in the calm
  bool resting_ = false;     ///< nothing happens for days
  std::deque<GithubNotice> notices_; ///< webhooks under way: true once, and late, doubled or lost
  std::set<RunnerId> wanted_; ///< were, when this process last showed them
  std::set<RegistrationId> begun_; ///< whose job has begun
  std::set<RegistrationId> lied_about_; ///< webhooks told of jobs that they do not have
  std::int64_t last_job_ = 0;
  std::optional<RegistrationId> stranger_; ///< a registration that is not ours; none on an older monitor's host
  int full_lists_ = 0;                     ///< so many lists of libvirt's lack nothing
  int hidden_listings_ = 0;                ///< so many do not show it
  Inheritance left_;                       ///< what an older monitor left, as far as it is there
  std::set<std::string> left_builds_;      ///< guests of builds that it did not end
  std::set<std::string> older_images_;     ///< `<profile>@<snapshot>` of those that it made
  RunnerId last_left_ = 0;                 ///< the highest of its ids; 0: there was no such monitor
  bool adopting_ = false;                  ///< this process was started with --adopt
  Steady steady_{std::chrono::hours(10)};
  Duration wall_offset_{std::chrono::hours(24 * 365 * 50)};

  std::vector<std::string>* trace_;
  std::optional<std::string> broken_;
};

template <class Reply, class Act>
Reply Simulation::at_github(Fault fault, Act act) {
  using Kind = GithubError::Kind;
  if (github_down_ || fault == Fault::before) {
    constexpr Kind kinds[] = {Kind::server, Kind::unreachable, Kind::limited, Kind::unauthorized,
                              Kind::malformed};
    auto error = World::error(kinds[mix(salt_, 5) % 5]);
    if (error.kind == Kind::limited) {
      error.retry_after = std::chrono::seconds(1 + mix(salt_, 7) % 60);
      longest_pause_ = std::max(longest_pause_, error.retry_after);
      error.secondary = mix(salt_, 8) % 2;
    }
    return Reply::failed(error);
  }
  auto reply = act();
  if constexpr (!std::is_same_v<Reply, GithubReply<JitRegistration>>) // the edge sends none twice
    if (fault == Fault::twice)
      reply = act();
  if (fault == Fault::after)
    return Reply::failed(World::error(mix(salt_, 6) % 2 ? Kind::unreachable : Kind::server));
  return reply;
}

template <class Act>
HostReply Simulation::at_host(Fault fault, Act act) {
  if (libvirt_down_ || fault == Fault::before)
    return {"made up", steady_};
  auto reply = act();
  if (fault == Fault::twice)
    reply = act();
  pass(std::chrono::microseconds(1));
  reply.finished_at = steady_;
  if (fault == Fault::after)
    reply.error = "its answer was lost";
  return reply;
}

} // namespace ci::test
