#pragma once
/// What becomes ours of a host that an older monitor left (`--adopt`). Pure: what is seen in, records out.
///
/// Whatever carries our names is ours, as long as nothing else depends on it and its id is not another
/// thing's. A guest that runs may be running a job, whatever GitHub says of it now.

#include "actors/domain/github.hpp"
#include "actors/domain/guest.hpp"
#include "actors/domain/image.hpp"
#include "actors/domain/inheritance.hpp"
#include "actors/domain/policy.hpp"
#include "actors/domain/reservation.hpp"
#include "actors/domain/runner.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace ci::domain {

/// What is known when it is decided. The listings are complete.
struct AdoptionGround {
  const Policy& policy;
  Time now;
  const Inheritance& left;
  const std::vector<GuestObservation>& guests;
  /// Of all guests; one without is left alone.
  const Definitions& definitions;
  const std::vector<Registration>& registrations;
  // What is taken already:
  std::set<RunnerId> runner_ids{};
  std::set<std::string> uuids{};
  std::set<std::string> template_guests{};
  std::set<std::string> unique_ids{};

  /// Null: configured no more.
  const Profile* profile(const std::string& key) const;
  /// Whether the profile's template is named in the settings: then its like were made by hand, too.
  bool hand_made(const std::string& key) const;
  /// Null: there is none.
  const std::string* definition(const std::string& guest) const;
  bool has_guest(const std::string& name) const;
  /// What a guest of that profile takes: what the profile says, else what the definition does.
  Resources size(const std::string& profile_key, const std::string& xml) const;
};

/// Records of what was found, ready for the store. Each runner is `live`: what is not in order with it shows
/// as with any other.
struct Adoption {
  std::vector<RunnerRecord> runners;
  std::vector<ReservationRecord> reservations;
  std::vector<ImageRecord> images;
};

Adoption plan_adoption(const AdoptionGround&);

// Its parts.

struct AdoptedImages {
  std::vector<ImageRecord> records;
  /// By profile: the snapshot that serves.
  std::map<std::string, std::string> current;
};
AdoptedImages adopt_images(const AdoptionGround&);

/// The reservation that a registration's labels tell of, granted, without runners yet; none where they don't,
/// or where no client of this service could have asked for it.
std::optional<ReservationRecord> reservation_in(const std::vector<std::string>& labels,
                                                const std::string& profile, Time now,
                                                Duration reserve_timeout);

/// The image that a guest's definition depends on: the snapshot in a path below
/// `<images_path>/base/<profile>/`. Empty: it depends on none.
std::string image_needed_by(std::string_view xml, const std::string& images_path, const std::string& profile);

/// What a guest of that definition takes of the host: its memory, which is 1 GiB pages where it is backed by
/// huge pages of that size or of none in particular. Nothing where the definition can't be read.
Resources size_of_guest(std::string_view xml);

} // namespace ci::domain
