#include "actors/edge/libvirt_host.hpp"

#include "actors/domain/guest_xml.hpp"
#include "actors/domain/names.hpp"
#include "actors/edge/libvirt_loop.hpp"
#include "actors/edge/libvirt_words.hpp"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <algorithm>

namespace ci::edge {
namespace {

/// Nothing of the guest is to be left. Drivers that do not know a flag refuse the call: then with fewer of
/// them.
constexpr unsigned saved_states = VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA;
constexpr unsigned undefine_flags[] = {saved_states | VIR_DOMAIN_UNDEFINE_NVRAM, saved_states, 0};

struct FreeDomain {
  void operator()(virDomainPtr domain) const { virDomainFree(domain); }
};
using Domain = std::unique_ptr<virDomain, FreeDomain>;
struct FreeText {
  void operator()(char* text) const { free(text); }
};

/// The error of the call just made: libvirt keeps it per thread, until the next call.
HostError last_error() {
  auto error = virGetLastError();
  return {error ? error->code : static_cast<int>(VIR_ERR_INTERNAL_ERROR), last_libvirt_error()};
}

using Shared = std::shared_ptr<const HostCallbacks>;
void free_shared(void* opaque) { delete static_cast<Shared*>(opaque); }

int on_lifecycle(virConnectPtr, virDomainPtr domain, int, int, void* opaque) {
  char uuid[VIR_UUID_STRING_BUFLEN] = "";
  auto name = virDomainGetName(domain);
  if (name && virDomainGetUUIDString(domain, uuid) == 0)
    (*static_cast<Shared*>(opaque))->changed(name, uuid);
  return 0;
}

void on_closed(virConnectPtr, int reason, void* opaque) {
  (*static_cast<Shared*>(opaque))->closed(close_reason(reason));
}

std::string uuid_of(virDomainPtr domain) {
  char uuid[VIR_UUID_STRING_BUFLEN] = "";
  return virDomainGetUUIDString(domain, uuid) == 0 ? uuid : "";
}

/// No domain is a null pointer, not an error.
Result<std::shared_ptr<virDomain>> find(virConnectPtr connection, const std::string& name) {
  if (auto domain = virDomainLookupByName(connection, name.c_str()))
    return std::shared_ptr<virDomain>(domain, FreeDomain{});
  auto error = last_error();
  if (error.code == VIR_ERR_NO_DOMAIN)
    return std::shared_ptr<virDomain>{};
  return error;
}

/// The same, and a domain of that name with another UUID is an error: it is not ours.
Result<std::shared_ptr<virDomain>> find_ours(virConnectPtr connection, const std::string& name,
                                             const std::string& uuid) {
  auto found = find(connection, name);
  if (!found || !*found)
    return found;
  if (auto other = uuid_of(found->get()); domain::to_lower(other) != domain::to_lower(uuid))
    return HostError{0, "guest " + name + " has the UUID " + other + ", not " + uuid + ": it is not ours"};
  return found;
}

/// The state now; `read_at` is left to the caller, who took it before the first call.
Result<domain::GuestObservation> observe(virDomainPtr domain) {
  int state = 0, reason = 0;
  domain::GuestObservation seen;
  seen.name = virDomainGetName(domain);
  seen.uuid = uuid_of(domain);
  if (virDomainGetState(domain, &state, &reason, 0) == 0) {
    seen.state = guest_state(state);
    seen.reason = state_reason(state, reason);
    return seen;
  }
  auto error = last_error();
  if (error.code != VIR_ERR_NO_DOMAIN)
    return error;
  return seen; // gone since it was looked up: absent
}

Result<std::string> definition(virDomainPtr domain) {
  std::unique_ptr<char, FreeText> text(
      virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE));
  if (!text)
    return last_error();
  return std::string(text.get());
}

/// What the DHCP server gave to the interface; other MACs than the guest's own are not believed.
void add_leases(virDomainInterfacePtr interface, const std::string& guest,
                const std::vector<std::string>& macs, std::vector<domain::Lease>& leases) {
  if (interface->hwaddr &&
      std::find(macs.begin(), macs.end(), domain::to_lower(interface->hwaddr)) == macs.end())
    return;
  for (unsigned i = 0; i < interface->naddrs; ++i)
    if (interface->addrs[i].type == VIR_IP_ADDR_TYPE_IPV4)
      leases.push_back({guest, interface->addrs[i].addr});
}

/// A guest that is off or gone meanwhile has no leases; that is no error.
Status read_leases(virDomainPtr domain, const std::string& name, std::vector<domain::Lease>& leases) {
  virDomainInterfacePtr* interfaces = nullptr;
  auto count = virDomainInterfaceAddresses(domain, &interfaces, VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE, 0);
  if (count < 0) {
    auto error = last_error();
    bool off = error.code == VIR_ERR_OPERATION_INVALID || error.code == VIR_ERR_NO_DOMAIN;
    return off ? Status(Ok{}) : Status(error);
  }
  auto xml = definition(domain);
  auto macs = xml ? domain::interface_macs(*xml) : std::vector<std::string>{};
  for (int i = 0; i < count; ++i) {
    if (xml)
      add_leases(interfaces[i], name, macs, leases);
    virDomainInterfaceFree(interfaces[i]);
  }
  free(interfaces);
  return Ok{};
}

bool flag_unsupported(int code) {
  return code == VIR_ERR_INVALID_ARG || code == VIR_ERR_ARGUMENT_UNSUPPORTED || code == VIR_ERR_NO_SUPPORT;
}

Status undefine_wholly(virDomainPtr domain) {
  HostError error;
  for (auto flags : undefine_flags) {
    if (virDomainUndefineFlags(domain, flags) == 0)
      return Ok{};
    error = last_error();
    if (!flag_unsupported(error.code))
      break;
  }
  return error.code == VIR_ERR_NO_DOMAIN ? Status(Ok{}) : Status(error);
}

} // namespace

/// The open connection and what is registered on it.
struct Host::Link {
  virConnectPtr connection;
  int events = -1;
  bool close_callback = false;

  explicit Link(virConnectPtr open) : connection(open) {}
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  /// Each registration holds the connection, and with it a descriptor: all of them have to go first.
  ~Link() {
    if (events >= 0)
      virConnectDomainEventDeregisterAny(connection, events);
    if (close_callback)
      virConnectUnregisterCloseCallback(connection, on_closed);
    virConnectClose(connection);
  }
};

namespace {
HostError not_open() { return {VIR_ERR_INVALID_CONN, "there is no connection to libvirt"}; }
} // namespace

Host::Host(std::string uri, HostCallbacks callbacks, KeepAlive keepalive)
    : uri_(std::move(uri)), keepalive_(keepalive),
      callbacks_(std::make_shared<const HostCallbacks>(std::move(callbacks))) {}
Host::~Host() = default;

Status Host::open() {
  link_.reset();
  auto connection = virConnectOpen(uri_.c_str());
  if (!connection)
    return last_error();
  auto link = std::make_unique<Link>(connection);
  virConnectSetKeepAlive(connection, keepalive_.seconds,
                         keepalive_.count); // a driver in this process has none
  if (callbacks_->closed) {
    auto opaque = new Shared(callbacks_);
    link->close_callback = virConnectRegisterCloseCallback(connection, on_closed, opaque, free_shared) == 0;
    if (!link->close_callback)
      delete opaque; // a driver in this process: it can't go away
  }
  if (callbacks_->changed) {
    auto opaque = new Shared(callbacks_);
    link->events =
        virConnectDomainEventRegisterAny(connection, nullptr, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                                         VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle), opaque, free_shared);
    if (link->events < 0) {
      auto error = last_error();
      delete opaque;
      return error;
    }
  }
  link_ = std::move(link);
  return Ok{};
}

void Host::close() { link_.reset(); }

bool Host::alive() const { return link_ && virConnectIsAlive(link_->connection) == 1; }

Result<domain::GuestListing> Host::list() {
  if (!link_)
    return not_open();
  domain::GuestListing listing;
  listing.started_at = std::chrono::steady_clock::now();
  virDomainPtr* domains = nullptr;
  auto count = virConnectListAllDomains(link_->connection, &domains, 0);
  if (count < 0)
    return last_error();
  std::vector<Domain> owned(domains, domains + count);
  free(domains);
  for (auto& domain : owned) {
    auto seen = observe(domain.get());
    if (!seen)
      return seen.error();
    seen->read_at = listing.started_at;
    if (seen->state != domain::GuestState::absent)
      listing.guests.push_back(std::move(*seen));
  }
  return listing;
}

Result<domain::GuestObservation> Host::look(const std::string& name) {
  if (!link_)
    return not_open();
  auto now = std::chrono::steady_clock::now();
  auto found = find(link_->connection, name);
  if (!found)
    return found.error();
  auto seen = *found ? observe(found->get()) : Result(domain::GuestObservation{});
  if (seen) {
    seen->name = name;
    seen->read_at = now;
  }
  return seen;
}

Result<std::vector<domain::Lease>> Host::leases(const std::vector<std::string>& names) {
  if (!link_)
    return not_open();
  std::vector<domain::Lease> leases;
  for (auto& name : names) {
    auto found = find(link_->connection, name);
    if (!found)
      return found.error();
    if (!*found)
      continue;
    if (auto read = read_leases(found->get(), name, leases); !read)
      return read.error();
  }
  return leases;
}

Result<std::string> Host::xml(const std::string& name) {
  if (!link_)
    return not_open();
  auto found = find(link_->connection, name);
  if (!found)
    return found.error();
  if (!*found)
    return HostError{VIR_ERR_NO_DOMAIN, "there is no guest " + name};
  return definition(found->get());
}

Status Host::define(const std::string& xml) {
  if (!link_)
    return not_open();
  // libvirt itself refuses a name that another UUID has, and the other way round.
  Domain domain(virDomainDefineXML(link_->connection, xml.c_str()));
  return domain ? Status(Ok{}) : Status(last_error());
}

Status Host::start(const std::string& name, const std::string& uuid) {
  if (!link_)
    return not_open();
  auto found = find_ours(link_->connection, name, uuid);
  if (!found)
    return found.error();
  if (!*found)
    return HostError{VIR_ERR_NO_DOMAIN, "there is no guest " + name};
  if (virDomainIsActive(found->get()) == 1 || virDomainCreate(found->get()) == 0)
    return Ok{};
  auto error = last_error();
  return virDomainIsActive(found->get()) == 1 ? Status(Ok{}) : Status(error);
}

Status Host::destroy(const std::string& name, const std::string& uuid) {
  if (!link_)
    return not_open();
  auto found = find_ours(link_->connection, name, uuid);
  if (!found)
    return found.error();
  if (!*found || virDomainDestroy(found->get()) == 0)
    return Ok{};
  auto error = last_error();
  bool off = error.code == VIR_ERR_NO_DOMAIN ||
             (error.code == VIR_ERR_OPERATION_INVALID && virDomainIsActive(found->get()) == 0);
  return off ? Status(Ok{}) : Status(error);
}

Status Host::undefine(const std::string& name, const std::string& uuid) {
  if (!link_)
    return not_open();
  auto found = find_ours(link_->connection, name, uuid);
  if (!found)
    return found.error();
  if (!*found)
    return Ok{};
  if (virDomainIsActive(found->get()) == 1)
    return HostError{VIR_ERR_OPERATION_INVALID, "guest " + name + " runs: it is not undefined"};
  return undefine_wholly(found->get());
}

} // namespace ci::edge
