#pragma once
/// A small world for the decisions: a GitHub, a hypervisor and their guests as plain values, which do what
/// they are told at once. Time and chance come from the test. Faults are laid on top by whoever drives it.

#include "actors/domain/github.hpp"
#include "actors/domain/github_runs.hpp"
#include "actors/domain/guest.hpp"
#include "actors/domain/image.hpp"
#include "actors/domain/names.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace ci::test {

using namespace ci::domain;

/// GitHub as it really is, whatever it tells.
class World {
 public:
  // --- GitHub
  struct Record {
    Registration shown;   ///< what the API says
    std::string config;   ///< its JIT config
    bool working = false; ///< the truth behind `busy`
    bool online = false;  ///< the truth behind `status`
    std::string job;      ///< label its job asked for
    Steady idle_since{};  ///< when it was first looked at since it was last shown busy
    bool idle_twice = false; ///< and again, a minute later
    /// Looks so far say nothing of whether it may be deleted.
    void look_anew() { idle_since = {}, idle_twice = false; }
  };
  std::map<RegistrationId, Record> records;
  RegistrationId next_registration = 3'000'000'000;
  int registered = 0;
  std::string unregistrable; ///< registrations whose name begins so are refused; empty: none is
  bool deletes_by_shown = false; ///< a job that GitHub does not show yet keeps no registration from being deleted
  std::optional<Time> token_expires_at; ///< of the token that the listing was asked with

  static GithubError error(GithubError::Kind kind, int status = 0) {
    return {kind, status, "made up", Duration{0}};
  }

  GithubReply<RegistrationListing> list(Steady now) const {
    RegistrationListing listing;
    listing.started_at = now;
    listing.token_expires_at = token_expires_at;
    for (auto& [id, r] : records)
      listing.runners.push_back(r.shown);
    return GithubReply<RegistrationListing>::ok(listing);
  }
  /// `heard`: the answer gets to whoever asked. Else it is up to the caller whether a Busy is.
  GithubReply<Registration> look(RegistrationId id, Steady now, bool heard = true) {
    auto it = records.find(id);
    if (it == records.end())
      return GithubReply<Registration>::failed(error(GithubError::Kind::not_found, 404));
    auto& r = it->second;
    if (r.shown.busy) {
      if (heard)
        r.look_anew();
    } else if (r.idle_since == Steady{}) {
      r.idle_since = now;
    } else if (now - r.idle_since >= std::chrono::seconds(60))
      r.idle_twice = true;
    return GithubReply<Registration>::ok(it->second.shown);
  }
  GithubReply<std::vector<Registration>> find(const std::string& name) const {
    std::vector<Registration> found;
    for (auto& [id, r] : records)
      if (r.shown.name == name)
        found.push_back(r.shown);
    return GithubReply<std::vector<Registration>>::ok(found);
  }
  GithubReply<JitRegistration> make(const JitRequest& ask) {
    if (!unregistrable.empty() && ask.name.starts_with(unregistrable))
      return GithubReply<JitRegistration>::failed(error(GithubError::Kind::unprocessable, 422));
    for (auto& [id, r] : records)
      if (r.shown.name == ask.name)
        return GithubReply<JitRegistration>::failed(error(GithubError::Kind::conflict, 409));
    auto id = next_registration++;
    auto& r = records[id];
    r.shown = {id, ask.name, "offline", false, ask.labels};
    r.config = "config-of-" + ask.name + "-" + std::to_string(id);
    ++registered;
    return GithubReply<JitRegistration>::ok({r.shown, r.config});
  }
  GithubReply<Done> unregister(RegistrationId id) {
    auto it = records.find(id);
    if (it == records.end())
      return GithubReply<Done>::failed(error(GithubError::Kind::not_found, 404));
    if (it->second.working && (it->second.shown.busy || !deletes_by_shown)) {
      it->second.look_anew(); // it must be asked about again
      return GithubReply<Done>::failed(error(GithubError::Kind::unprocessable, 422));
    }
    for (auto& [name, g] : guests)
      if (g.state == GuestState::on && g.config == it->second.config && !it->second.idle_twice)
        let_go_early.push_back(name);
    records.erase(it);
    return GithubReply<Done>::ok({});
  }
  GithubReply<std::vector<std::string>> label(RegistrationId id, const std::vector<std::string>& labels) {
    auto it = records.find(id);
    if (it == records.end())
      return GithubReply<std::vector<std::string>>::failed(error(GithubError::Kind::not_found, 404));
    for (auto& l : labels)
      if (!has_label(it->second.shown.labels, l))
        it->second.shown.labels.push_back(l);
    return GithubReply<std::vector<std::string>>::ok(it->second.shown.labels);
  }
  GithubReply<Done> unlabel(RegistrationId id, const std::vector<std::string>& labels) {
    auto it = records.find(id);
    if (it == records.end())
      return GithubReply<Done>::failed(error(GithubError::Kind::not_found, 404));
    std::erase_if(it->second.shown.labels, [&](auto& l) { return has_label(labels, l); });
    return GithubReply<Done>::ok({});
  }

  // --- workflow runs: none are known but these
  std::map<RunId, WorkflowRun> runs;
  std::map<RunId, std::vector<WorkflowJob>> jobs;
  GithubReply<WorkflowRun> run(RunId id) const {
    auto it = runs.find(id);
    return it == runs.end() ? GithubReply<WorkflowRun>::failed(error(GithubError::Kind::not_found, 404))
                            : GithubReply<WorkflowRun>::ok(it->second);
  }
  GithubReply<std::vector<WorkflowJob>> jobs_of(RunId id) const {
    auto it = jobs.find(id);
    return it == jobs.end()
               ? GithubReply<std::vector<WorkflowJob>>::failed(error(GithubError::Kind::not_found, 404))
               : GithubReply<std::vector<WorkflowJob>>::ok(it->second);
  }

  // --- libvirt
  struct Guest {
    std::string uuid;
    GuestState state = GuestState::off;
    std::string reason = "unknown";
    std::string address;
    std::string config; ///< the JIT config that it got
    bool own = false;   ///< not a template, not a stranger
    std::string xml{};  ///< its definition
  };
  std::map<std::string, Guest> guests;
  std::set<std::string> disks; ///< `<folder>/<prefix>`
  std::string undefinable;     ///< guests whose name begins so can't be defined; empty: all can
  /// Guests that were stopped from outside while their runner worked: must stay empty (G1).
  std::vector<std::string> killed_at_work;
  /// Guests that ran with a JIT config when their registration was deleted, and GitHub had not been asked twice
  /// whether they work: must stay empty (G1).
  std::vector<std::string> let_go_early;
  /// Guests that were stopped while they had a JIT config and GitHub their registration: must stay empty (G1).
  std::vector<std::string> stopped_unreleased;

  void add_template(const std::string& name) {
    guests[name] = {"uuid-of-" + name, GuestState::off, "unknown", "", "", false};
    guests[name].xml = "<domain><name>" + name +
                       "</name><os><nvram>/images/base_VARS.fd</nvram></os><devices><disk type='file' "
                       "device='disk'><driver type='raw'/><source file='/images/base.img'/><target "
                       "dev='vda'/></disk></devices></domain>";
  }

  GuestListing list_guests(Steady now) const {
    GuestListing listing;
    listing.started_at = now;
    for (auto& [name, g] : guests)
      listing.guests.push_back({name, g.uuid, g.state, g.reason, now});
    return listing;
  }
  AddressListing addresses(Steady now) const {
    AddressListing listing;
    listing.started_at = now;
    for (auto& [name, g] : guests)
      if (g.state == GuestState::on && !g.address.empty())
        listing.ipv4_by_guest[name] = g.address;
    listing.hearsay = hearsay;
    listing.trust_hearsay = trust_hearsay;
    return listing;
  }
  std::map<std::string, AddressSource> hearsay; ///< guests whose address is no lease
  bool trust_hearsay = false;
  HostReply clone(const std::string& disk, Steady now) {
    disks.insert(disk.substr(0, disk.find('-', disk.rfind('/')) + 1));
    return {"", now};
  }
  HostReply erase(const std::string& folder, const std::string& prefix, Steady now) {
    disks.erase(folder + "/" + prefix);
    return {"", now};
  }
  HostReply define(const std::string& name, const std::string& uuid, const std::string& xml, Steady now) {
    if (!undefinable.empty() && name.starts_with(undefinable))
      return {"made up", now};
    auto& g = guests[name];
    if (!g.uuid.empty() && g.uuid != uuid)
      return {"the name is taken", now};
    g.uuid = uuid;
    g.own = true;
    g.xml = xml;
    return {"", now};
  }
  HostReply boot(const std::string& name, const std::string& uuid, Steady now) {
    auto it = guests.find(name);
    if (it == guests.end() || it->second.uuid != uuid)
      return {"no such guest", now};
    auto& g = it->second;
    if (g.state != GuestState::on) {
      g.state = GuestState::on;
      g.reason = "booted";
      g.address.clear();
      g.address = free_address();
    }
    return {"", now};
  }
  /// The first that no running guest has: one that just ended may have had it.
  std::string free_address() const {
    for (int n = 2;; ++n) {
      auto address = "10.0." + std::to_string(n / 250) + "." + std::to_string(n % 250);
      if (std::none_of(guests.begin(), guests.end(), [&](auto& named) {
            return named.second.state == GuestState::on && named.second.address == address;
          }))
        return address;
    }
  }
  /// Stops it at once.
  HostReply halt(const std::string& name, const std::string& uuid, Steady now) {
    auto it = guests.find(name);
    if (it == guests.end())
      return {"", now};
    auto& g = it->second;
    if (g.uuid != uuid)
      return {"another UUID", now};
    if (g.state == GuestState::on) {
      if (works(g))
        killed_at_work.push_back(name);
      if (record_of(g))
        stopped_unreleased.push_back(name);
      go_offline(g);
    }
    g.state = GuestState::off;
    g.reason = "destroyed";
    return {"", now};
  }
  HostReply undefine(const std::string& name, const std::string& uuid, Steady now) {
    auto it = guests.find(name);
    if (it != guests.end() && it->second.uuid != uuid)
      return {"another UUID", now};
    if (it != guests.end())
      guests.erase(it);
    return {"", now};
  }

  // The same as the orders of the decisions, each done at once.
  HostReply prepare(const GuestSpec& spec, Steady now) {
    return clone(spec.disk_folder + "/" + spec.disk_prefix + "base.img", now);
  }
  HostReply start(const GuestSpec& spec, Steady now) {
    if (!guests.count(spec.template_guest))
      return {"no template", now};
    auto defined = define(spec.name, spec.uuid, "", now);
    auto reply = defined ? boot(spec.name, spec.uuid, now) : defined;
    reply.defined_at = now;
    return reply;
  }
  HostReply remove(const GuestSpec& spec, Steady now) {
    auto it = guests.find(spec.name);
    if (it != guests.end() && it->second.uuid == spec.uuid) {
      if (it->second.state == GuestState::on && !spec.released)
        return {"it runs", now};
      halt(spec.name, spec.uuid, now);
      undefine(spec.name, spec.uuid, now);
    }
    return erase(spec.disk_folder, spec.disk_prefix, now);
  }

  // --- images
  std::set<std::string> image_files; ///< `<folder>@<snapshot>`
  int repo_updates = 0;
  HostReply prepare_image(const ImageSpec& spec, Steady now) {
    image_files.insert(spec.folder + "@" + spec.snapshot);
    return {"", now};
  }
  HostReply start_image(const ImageSpec& spec, Steady now) {
    GuestSpec as_guest;
    as_guest.name = as_guest.template_guest = spec.rebuild_guest;
    as_guest.uuid = spec.uuid;
    guests[spec.rebuild_guest].uuid = spec.uuid;
    auto reply = start(as_guest, now);
    guests[spec.rebuild_guest].own = false; // no runner
    return reply;
  }
  HostReply rename(const std::string& from, const std::string& to, const std::string& uuid, Steady now) {
    auto it = guests.find(from);
    if (it != guests.end() && it->second.uuid == uuid && it->second.state == GuestState::off &&
        !guests.count(to)) {
      auto node = guests.extract(it);
      node.key() = to;
      guests.insert(std::move(node));
    }
    auto renamed = guests.find(to);
    return {renamed != guests.end() && renamed->second.uuid == uuid ? "" : "there is no such guest", now};
  }
  HostReply seal_image(const ImageSpec& spec, Steady now) {
    return rename(spec.rebuild_guest, spec.template_guest, spec.uuid, now);
  }
  HostReply discard_image(const ImageSpec& spec, Steady now) {
    for (auto& name : {spec.rebuild_guest, spec.template_guest})
      if (auto it = guests.find(name); it != guests.end() && it->second.uuid == spec.uuid)
        guests.erase(it);
    image_files.erase(spec.folder + "@" + spec.snapshot);
    return {"", now};
  }

  // --- what guests do by themselves
  Record* record_of(const Guest& g) {
    for (auto& [id, r] : records)
      if (!g.config.empty() && r.config == g.config)
        return &r;
    return nullptr;
  }
  bool works(const Guest& g) {
    auto* r = record_of(g);
    return r && r->working;
  }
  void go_online(const std::string& guest) {
    if (auto* r = record_of(guests.at(guest))) {
      r->online = true;
      r->shown.status = "online";
    }
  }
  void go_offline(const Guest& g) {
    if (auto* r = record_of(g)) {
      r->online = false;
      r->shown.status = "offline";
    }
  }
  /// A job that asks for `label` begins on the guest; GitHub shows it if `shown`.
  void begin_job(const std::string& guest, bool shown = true) {
    if (auto* r = record_of(guests.at(guest))) {
      r->working = true;
      r->shown.busy = shown;
    }
  }
  /// The job ends: an ephemeral registration vanishes.
  void end_job(const std::string& guest) {
    auto* r = record_of(guests.at(guest));
    if (r)
      records.erase(r->shown.id);
  }
  void power_off(const std::string& guest, const std::string& reason = "shutdown") {
    auto& g = guests.at(guest);
    go_offline(g);
    if (auto* r = record_of(g))
      r->working = false;
    g.state = GuestState::off;
    g.reason = reason;
  }
};

} // namespace ci::test
