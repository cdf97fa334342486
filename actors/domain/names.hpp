#pragma once
/// Names of guests, templates, registrations and labels: made and parsed in one place (spec/runners.md,
/// "words"). A name that does not parse is not ours.

#include "actors/domain/policy.hpp"
#include "actors/domain/reservation.hpp"
#include "actors/domain/types.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ci::domain {

struct RunnerName {
  std::string profile;
  RunnerId id = 0;
  friend bool operator==(const RunnerName&, const RunnerName&) = default;
};
struct ImageName {
  std::string profile;
  std::string snapshot;
  friend bool operator==(const ImageName&, const ImageName&) = default;
};

/// `<runner prefix>-<profile>.<id>`
std::string runner_guest_name(const Prefixes&, std::string_view profile, RunnerId);
/// The id is what follows the last dot: digits without a leading zero, 1 to 2^62. A profile may hold dots and
/// dashes.
std::optional<RunnerName> parse_runner_guest(const Prefixes&, std::string_view guest);
/// `<template prefix>-<profile>@<snapshot>`; the snapshot is what follows the last `@`.
std::optional<ImageName> parse_template_guest(const Prefixes&, std::string_view guest);
std::optional<ImageName> parse_rebuild_guest(const Prefixes&, std::string_view guest);
std::string template_guest_name(const Prefixes&, std::string_view profile, std::string_view snapshot);
std::string rebuild_guest_name(const Prefixes&, std::string_view profile, std::string_view snapshot);
/// `<runner guest>@<suffix>`
std::string registration_name(const Prefixes&, std::string_view runner_guest);
std::optional<RunnerName> parse_registration(const Prefixes&, std::string_view registration);

/// When the snapshot was made; none where the name is no RFC 3339 time in UTC.
std::optional<Time> snapshot_time(std::string_view snapshot);
/// RFC 3339 in UTC with `Z`, whole seconds.
std::string rfc3339(Time);
/// The same with milliseconds.
std::string rfc3339_milliseconds(Time);
/// The same with nanoseconds: the name of an image made then. Such names sort as their times do.
std::string snapshot_name(Time);

constexpr std::string_view reserved_for = "reserved-for:";
constexpr std::string_view reserved_since = "reserved-since:";
constexpr std::string_view reserved_by = "reserved-by:";
/// The three labels of a reservation, `reserved-for:` first. `since` is written in unix seconds.
std::vector<std::string> reservation_labels(const TakeRequest&, Time since);
/// What runners of the profile are registered with: `self-hosted`, `X64`, and the profile's own label.
std::vector<std::string> usual_labels(const Profile&);
constexpr std::string_view exclusive = "exclusive-";
/// The one label of a runner under `exclusive_reservations`, of 128 random bits: a secret, since a job that names it
/// gets the runner.
std::string exclusive_label(std::uint64_t high, std::uint64_t low);
bool is_exclusive_label(std::string_view);
/// Labels at GitHub compare without case.
bool same_label(std::string_view, std::string_view);
bool has_label(const std::vector<std::string>& labels, std::string_view label);
/// Whether it has the form of one of the three labels of a reservation.
bool is_reservation_label(std::string_view);
/// Whether any `reserved-for:` label is among them.
bool has_reservation_label(const std::vector<std::string>& labels);

/// UUID version 4 in canonical text form, any case.
bool is_uuid_v4(std::string_view);
/// `<owner>/<repo>` by GitHub's rules.
bool is_qualified_repo(std::string_view);
std::string to_lower(std::string_view);

} // namespace ci::domain
