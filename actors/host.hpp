#pragma once
/// The actor that makes blocking calls: libvirt and disk files.

#include "actors/crash_point.hpp"
#include "actors/domain/address.hpp"
#include "actors/edge/libvirt_host.hpp"
#include "actors/messages.hpp"
#include "actors/metered.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

namespace ci {

// What a host tells itself; nobody else sends these.
using reopen_atom = caf::atom_constant<caf::atom("reopen")>;
using changed_atom = caf::atom_constant<caf::atom("changed")>;
using closed_atom = caf::atom_constant<caf::atom("closed")>;
using host_self = host_actor::extend<caf::reacts_to<reopen_atom>, caf::reacts_to<changed_atom>,
                                     caf::reacts_to<closed_atom, std::string>>;

struct HostSetup {
  std::string uri;
  /// Addresses outside of it do not count.
  domain::Network guest_network;
  /// Set at the end of the process: a copy of a disk that is under way gives up. May be null.
  std::shared_ptr<const std::atomic<bool>> stopping;
  /// No disk is cloned where less than this is free, in bytes; a reload changes it. Null: no limit.
  std::shared_ptr<const std::atomic<std::int64_t>> min_free_disk = nullptr;
  /// Whether addresses that only ARP or a guest agent knows are good for more than to be shown.
  bool trust_guest_agent = false;
  std::int64_t least_free() const { return min_free_disk ? min_free_disk->load() : 0; }
};

/// Owns one connection to libvirt and does one thing at a time on it.
///
/// Life: the connection is opened when it is first needed. When a call or libvirt's close callback shows that
/// it broke, it is closed, and every call is answered with an error until it could be opened again; tries are
/// made when something is asked, with a pause in between that doubles to 30 s.
///
/// The control host (the one that was told to watch) tries by itself too, hears libvirt's events, and tells
/// the hypervisor of both. Of an event it takes only the name: it reads the guest's state itself, so that
/// what it reports is younger than the event. Between the loss of a connection and the next one events are
/// lost: who hears that the connection is up lists all guests.
///
/// Blocks: spawn it detached. On a libvirtd that is frozen a call ends after 20 s, opening only when it
/// thaws.
class HostActor : public Metered<host_self::base> {
 public:
  HostActor(caf::actor_config&, MeterPtr, HostSetup, metrics_actor);

  behavior_type make_behavior() override;
  void on_exit() override;
  caf::invoke_message_result consume(caf::mailbox_element&) override;

 private:
  /// Names (and UUIDs) of guests that events came for, filled by libvirt's thread. One message empties it, so
  /// a host that is held up collects no more than one entry a guest.
  struct Inbox {
    struct Change {
      std::string uuid;
      /// Since it was emptied last: the host shut the guest down (true), or it was started anew (false).
      std::optional<bool> by_host;
    };
    std::mutex mutex;
    std::map<std::string, Change> changed;
  };

  static constexpr domain::Duration first_pause{250}, longest_pause{30'000};

  void watch(hypervisor_actor);
  void reopen();
  void report_changes();
  void closed(const std::string& reason);

  GuestListingReply list();
  ObservationReply look(const std::string& name);
  AddressReply addresses(const std::vector<std::string>& names);
  void report_unread(std::map<std::string, std::string> unread);
  XmlReply xml(const std::string& name);
  DefinitionsReply definitions(const std::vector<std::string>& names);
  PictureReply picture(const std::string& name);
  /// libvirt calls an orderly end by the host a shutdown, as it does the guest's own: its events told which
  /// it was.
  void tell_apart(domain::GuestObservation&) const;
  domain::HostReply clone(const domain::CloneOrder&);
  domain::HostReply copy_nvram(const std::string& from, const std::string& to);
  domain::HostReply image_disk(const domain::DiskOrder&);
  /// Makes one call that touches files alone and returns an error or an empty text.
  template <class Call>
  domain::HostReply on_disk(const char* name, Call);
  /// Makes one call of libvirt that answers with a Status.
  template <class Call>
  domain::HostReply act(const char* name, Call);

  /// Makes a call on the connection, opens that first where needed; counts and times it.
  template <class Call>
  auto on_connection(const char* name, Call) -> decltype(std::declval<Call>()());
  bool connected();
  bool open();
  void lost(const std::string& reason);
  void plan_reopening();
  void tell(bool up, const std::string& trouble);
  void measure(const char* call, bool well, domain::Steady begin);
  edge::HostCallbacks callbacks();

  HostSetup setup_;
  metrics_actor metrics_;
  std::unique_ptr<edge::Host> host_;
  hypervisor_actor watcher_;
  std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();
  std::set<std::string> ended_by_host_; ///< UUIDs of guests that are defined still
  std::string no_overlay_;              ///< why there was none lately: said once
  HostConnection connection_;
  std::map<std::string, std::string> unread_; ///< as last logged: guests without readable leases, and why
  domain::Duration pause_ = first_pause; ///< after the next try to open it that fails
  domain::Steady next_try_{};
  bool reopening_planned_ = false;
  CrashPoint crash_;
};

} // namespace ci
