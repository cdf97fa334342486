#pragma once
/// One connection to libvirt, and the calls that are made on it. Values in, values out.

#include "actors/domain/guest.hpp"
#include "actors/domain/lease.hpp"
#include "actors/domain/picture.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using virDomainPtr = struct _virDomain*; // libvirt's own; its header stays out of this one

namespace ci::edge {

/// Why a call failed. `code` is libvirt's virErrorNumber, 0 where the refusal is our own.
struct HostError {
  int code = 0;
  std::string message;
};

/// A value, or an error.
template <class T>
class Result {
 public:
  Result(T value) : value_(std::move(value)) {}
  Result(HostError error) : error_(std::move(error)) {}
  explicit operator bool() const { return value_.has_value(); }
  const T& operator*() const { return *value_; }
  T& operator*() { return *value_; }
  const T* operator->() const { return &*value_; }
  T* operator->() { return &*value_; }
  /// Only where there is no value.
  const HostError& error() const { return error_; }

 private:
  std::optional<T> value_;
  HostError error_;
};
struct Ok {};
using Status = Result<Ok>;

/// What DHCP servers gave to guests.
struct Leases {
  std::vector<domain::AddressClaim> claims;
  std::map<std::string, std::string> unread; ///< guests whose leases can't be read, and why
};

/// What an event says that a look at the guest does not show.
enum class GuestEvent {
  other,
  started,
  shutdown_by_host, ///< the host began to end it in an orderly way: a signal to QEMU, or a stop by libvirt
};

/// Called in the event loop's thread, which serves all connections: copy and leave. No libvirt call from
/// there. May still be called shortly after close().
struct HostCallbacks {
  /// Something happened to the guest of that name and UUID; what it is now has to be asked.
  std::function<void(const std::string& name, const std::string& uuid, GuestEvent)> changed;
  /// libvirt went away; the reason is for people.
  std::function<void(const std::string& reason)> closed;
};

/// A libvirtd that answers nothing for `seconds * (count + 1)` is given up.
struct KeepAlive {
  int seconds = 5;
  unsigned count = 3;
};

/// Owned and used by one thread. All calls block; on a frozen libvirtd they end by keepalive, but open() does
/// not. An EventLoop must run. Every call but open() fails while the connection is not open.
class Host {
 public:
  /// Callbacks that are not set are not registered with libvirt.
  explicit Host(std::string uri, HostCallbacks callbacks = {}, KeepAlive keepalive = {});
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  /// Opens the connection anew, registers the callbacks.
  Status open();
  void close();
  /// Whether the connection is open and its other end was there when last heard of. Asks nobody.
  bool alive() const;

  /// All guests, ours or not. Fails as a whole rather than leaving one out.
  Result<domain::GuestListing> list();
  /// A guest that does not exist is an observation: absent.
  Result<domain::GuestObservation> look(const std::string& name);
  /// The leases of these guests by their own MACs. Guests that are off or gone have none. A guest that can't be
  /// asked about holds up no other: it fails as a whole only where the connection broke, or where none was read.
  Result<Leases> leases(const std::vector<std::string>& names);
  /// What ARP, and where that knows nothing the guest agent, say of these guests. Nobody is to be believed
  /// blindly here, nor waited for: some 2 s at most, and an agent that did not answer in time is asked more
  /// and more rarely. What can't be learned is left out.
  std::vector<domain::AddressClaim> hearsay(const std::vector<std::string>& names);
  /// The inactive definition.
  Result<std::string> xml(const std::string& name);
  /// Those of several. Guests that are not there are left out; any other failure is one of the whole.
  Result<domain::Definitions> definitions(const std::vector<std::string>& names);

  /// The guest's screen now. None where the guest is off or gone. One of more than
  /// domain::max_picture_bytes, as it comes, is an error.
  Result<std::optional<domain::RawPicture>> screenshot(const std::string& name);
  /// Whether a network filter of that name is defined. A driver without filters has none.
  Result<bool> has_filter(const std::string& name);

  /// Content where no guest but the one of that UUID names the file for a disk, in its definition or below its
  /// disks in what it runs with.
  Status unused(const std::string& file, const std::string& uuid);

  /// Each of these is content where its aim is reached already. With another UUID the guest is not ours and
  /// is left alone: an error.
  Status define(const std::string& xml);
  Status start(const std::string& name, const std::string& uuid);
  Status destroy(const std::string& name, const std::string& uuid);
  /// The guest must be off.
  Status rename(const std::string& from, const std::string& to, const std::string& uuid);
  /// Removes the NVRAM, saved states and snapshots' metadata too. Refused while the guest runs.
  Status undefine(const std::string& name, const std::string& uuid);

 private:
  struct Link;
  struct Mute {
    std::chrono::steady_clock::time_point until{};
    std::chrono::seconds length{0};
  };
  void ask_agent(virDomainPtr, const std::string& name, std::vector<domain::AddressClaim>&);
  std::string uri_;
  KeepAlive keepalive_;
  std::shared_ptr<const HostCallbacks> callbacks_;
  std::unique_ptr<Link> link_;
  std::map<std::string, Mute> mute_agents_; ///< by guest
};

} // namespace ci::edge
