#pragma once
/// The decisions about images: when one is built, what becomes of it, which one serves, which ones go.
///
/// Life of an image: due -> a slot of the host is free or is drained (Core's part) -> begin(): its record is
/// committed -> disk and config ISO -> rebuild guest -> its own shutdown -> renamed to a template -> a trial
/// runner (Core's part again) comes online -> one commit switches the profile -> three newer ones later it is
/// deleted. What fails on the way is deleted; the profile then waits 5 minutes, doubling to 6 hours.
///
/// A part of Core, with the same rules: facts in, orders out, level-triggered, no I/O.

#include "actors/domain/backoff.hpp"
#include "actors/domain/guest.hpp"
#include "actors/domain/image.hpp"
#include "actors/domain/outbox.hpp"
#include "actors/domain/snapshot.hpp"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace ci::domain {

/// An image in memory: its record, what was last seen of its guest, and the order under way.
struct Image {
  ImageRecord rec;
  bool committed = false; ///< the record as it is now is durable
  /// Of one to be deleted: the durable record may say that it is being built, and the next start would delete it for
  /// that. So it does not wait for a commit, which may have to wait for the room that it takes.
  bool stored_building = false;
  std::uint64_t saves = 0;
  bool serves = false; ///< the commit that switched to it is durable
  enum class Order { none, prepare, start, seal, discard };
  Order under_way = Order::none;
  bool prepared = false;
  std::optional<Time> started_at;
  GuestState guest = GuestState::absent;
  bool guest_known = false;
  bool may_start = false; ///< a start was ordered, and it was not seen on since: off does not mean that it ended
  std::string guest_reason;
  Steady guest_as_of{}; ///< observations read before this say nothing new
  int seal_failures = 0;
  int runner_failures = 0; ///< trial runners that could not be made from it
  Backoff pause{Duration{2'000}, Duration{300'000}};
};

/// How a runner ended that was never online.
enum class TrialLoss {
  no_fault,     ///< of the image: GitHub was away, an operator stepped in ...
  not_made,     ///< its disk or guest could not be made; it is tried again a few times
  never_online, ///< it ran, and did not do its duty
};

class Images {
 public:
  explicit Images(Outbox& out) : out_(out) {}

  // Facts.
  void load(Time now, const StoreImage&);
  void shift(Duration by);
  void on_guest(const GuestObservation&);
  void on_listing(const GuestListing&, const Prefixes&);
  void on_prepared(Time now, const std::string& image, const HostReply&);
  void on_started(Time now, const std::string& image, const HostReply&);
  void on_sealed(Time now, const std::string& image, const HostReply&);
  void on_discarded(Time now, const std::string& image, const HostReply&);
  void on_repo_updated(Time now, const HostReply&);

  /// Takes over an image that an older monitor left.
  void adopt(const ImageRecord&);
  /// The older monitor's link was pointed at that image, or could not be.
  void on_linked(Time now, const std::string& profile, const std::string& snapshot, const std::string& error);

  /// An operator wants a new image of the profile; `then` runs when that is durable.
  void ask_rebuild(Time now, const std::string& profile, std::function<void()> then);

  /// Moves every image on by what is known now. `in_use`: whether any runner was made from that template and
  /// is not removed yet.
  void advance(Time now, const Policy&, const std::function<bool(const std::string& template_guest)>& in_use);

  /// How many runners each profile is steered to now; a profile that is not named, or has none, gets no
  /// build.
  void steer(std::map<std::string, int> targets) { targets_ = std::move(targets); }
  /// Profiles that are due for a build and wait for nothing but a slot, in the order in which they get one.
  std::vector<std::string> waiting(Time now, const Policy&);
  /// The slot is there: orders the build, which holds it from now on.
  void begin(Time now, const Policy&, const Profile&);

  /// The image of the profile that is on trial; null: none.
  Image* on_trial(const std::string& profile);
  /// Its trial runner was ordered, and holds the slot instead.
  void trial_ordered(Image&, RunnerId);
  /// It gets no trial runner for now, and so holds no slot for one.
  void trial_put_off(Image&);
  /// A runner made from it came online: switches the profile.
  void trial_passed(Time now, Image&);
  /// A runner made from it ended without ever having been online.
  void trial_runner_lost(Time now, const std::string& template_guest, const std::string& why, TrialLoss);

  /// The template that new runners are made from; empty: there is none.
  std::string template_for(const std::string& profile) const;
  /// When that was made; none: there is none.
  std::optional<Time> made_at(const std::string& profile) const;
  /// Target device of the cloned disk of runners made from it; none: not an image of ours.
  std::optional<std::string> disk_target(const std::string& template_guest) const;
  /// Whether it is an image of ours that no runner has come online from (yet).
  bool is_unproven(const std::string& template_guest) const;
  /// Whether it is to be deleted.
  bool is_discarded(const std::string& template_guest) const;
  /// Whether a guest of that name and UUID is an image's, under either of its names.
  bool owns(const std::string& guest, const std::string& uuid) const;
  /// The profile whose rebuild guest runs under that name; null: none does.
  const std::string* profile_of_rebuild(const std::string& guest) const;
  Resources held() const;
  bool orders_under_way() const;
  /// Whether an image of the profile is being built or tried, so that it may have borrowed a slot.
  bool borrows(const std::string& profile) const;
  ImageView view(Time now, const Policy&, const Profile&) const;

  const std::map<std::string, Image>& all() const { return images_; }

 private:
  /// Builds that failed in a row.
  struct Trouble {
    Backoff pause{Duration{300'000}, Duration{21'600'000}};
    Time since{};
    std::string why;
  };

  Image* find(const std::string& template_guest);
  void save(Image&, std::function<void(Image&)> then = {});
  void report(const Image&, const char* event, const std::string& detail);
  ImageSpec spec_of(const Policy&, const Image&) const;
  void place(Image&, Image::Order, Effect);
  void advance(Time now, const Policy&, Image&);
  void advance_building(Time now, const Policy&, Duration build_timeout, Image&);
  void advance_sealing(Time now, const Policy&, Image&);
  void saw(Image&, const GuestObservation&);
  void fail(Time now, Image&, const std::string& why);
  void fail_order(Time now, Image&, const char* what, const HostReply&);
  void discard(Image&, const std::string& why);
  void give_slot_back(Image&);
  static bool guest_ended(const Image&);
  void prune(const std::string& profile);
  void link(Time now, const Policy&);
  void remember_trouble(const std::string& profile);
  const Image* serving(const std::string& profile) const;
  bool under_way(const std::string& profile) const;
  std::string snapshot_for(Time now, const std::string& profile) const;
  /// Why the profile needs a build; none: it does not.
  std::optional<std::string> due(Time now, const Policy&, const Profile&) const;
  /// Why a build that is due does not begin; empty: nothing keeps it.
  std::string held_back(Time now, const Policy&, const Profile&) const;

  Outbox& out_;
  std::map<std::string, Image> images_;                     ///< by template guest
  std::map<std::string, std::string> hand_made_;            ///< newest template of others by profile
  std::map<std::string, std::vector<std::string>> foreign_; ///< snapshots of templates of others by profile
  std::map<std::string, Steady> removed_; ///< guests by UUID: listings begun before may still show them
  std::map<std::string, int> targets_;
  std::map<std::string, Time> asked_;      ///< rebuilds asked for, by profile
  std::map<std::string, Trouble> trouble_; ///< by profile
  /// Where the link `profiles/<key>/snapshot` points as far as is known, by profile.
  struct Link {
    std::string snapshot;
    bool under_way = false;
    Backoff pause{Duration{5'000}, Duration{300'000}};
  };
  std::map<std::string, Link> links_;
  enum class Repo { stale, updating, fresh } repo_ = Repo::stale;
};

} // namespace ci::domain
