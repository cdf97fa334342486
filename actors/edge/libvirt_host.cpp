#include "actors/edge/libvirt_host.hpp"

#include "actors/edge/leak_pause.hpp"
#include "actors/edge/libvirt_domain.hpp"
#include "actors/edge/libvirt_words.hpp"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <algorithm>

namespace ci::edge {
namespace {

/// For the agents of all guests together, and for one.
constexpr std::chrono::milliseconds agents_patience{1'000};
constexpr int agent_timeout_seconds = 1;
constexpr std::chrono::seconds shortest_mute{10}, longest_mute{300};

using Shared = std::shared_ptr<const HostCallbacks>;
void free_shared(void* opaque) { delete static_cast<Shared*>(opaque); }

int on_lifecycle(virConnectPtr, virDomainPtr domain, int event, int detail, void* opaque) {
  char uuid[VIR_UUID_STRING_BUFLEN] = "";
  auto name = virDomainGetName(domain);
  if (name && virDomainGetUUIDString(domain, uuid) == 0)
    (*static_cast<Shared*>(opaque))->changed(name, uuid, guest_event(event, detail));
  return 0;
}

void on_closed(virConnectPtr, int reason, void* opaque) {
  (*static_cast<Shared*>(opaque))->closed(close_reason(reason));
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
    // libvirt 9.0 loses the error that it has saved (virNetClientCloseInternal) where the daemon hangs up meanwhile.
    LeakPause pause;
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
  auto all = all_domains(link_->connection);
  if (!all)
    return all.error();
  for (auto& domain : *all) {
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
  auto found = find_domain(link_->connection, name);
  if (!found)
    return found.error();
  auto seen = *found ? observe(found->get()) : Result(domain::GuestObservation{});
  if (seen) {
    seen->name = name;
    seen->read_at = now;
  }
  return seen;
}

Result<Leases> Host::leases(const std::vector<std::string>& names) {
  if (!link_)
    return not_open();
  Leases leases;
  HostError first;
  for (auto& name : names) {
    auto found = find_domain(link_->connection, name);
    if (found && !*found)
      continue;
    auto read = found ? read_addresses(found->get(), name, domain::AddressSource::lease, leases.claims)
                      : Status(found.error());
    if (read)
      continue;
    if (!alive())
      return read.error();
    if (leases.unread.empty())
      first = read.error();
    leases.unread[name] = read.error().message;
  }
  if (!leases.unread.empty() && leases.claims.empty())
    return first; // a network driver that is down, say: that is not to look as if nobody had an address
  return leases;
}

std::vector<domain::AddressClaim> Host::hearsay(const std::vector<std::string>& names) {
  std::vector<domain::AddressClaim> claims;
  std::erase_if(mute_agents_, [&](auto& entry) {
    return std::find(names.begin(), names.end(), entry.first) == names.end();
  });
  const auto last_agent = std::chrono::steady_clock::now() + agents_patience;
  for (auto& name : names) {
    auto found = link_ ? find_domain(link_->connection, name) : DomainPtr();
    if (!found || !*found)
      continue;
    const auto before = claims.size();
    read_addresses(found->get(), name, domain::AddressSource::arp, claims);
    if (claims.size() == before && std::chrono::steady_clock::now() < last_agent)
      ask_agent(found->get(), name, claims);
  }
  return claims;
}

/// A guest can have its agent say nothing at all: then it is left alone for a while, and longer each time.
void Host::ask_agent(virDomainPtr domain, const std::string& name, std::vector<domain::AddressClaim>& claims) {
  const auto begin = std::chrono::steady_clock::now();
  auto mute = mute_agents_.find(name);
  if (mute != mute_agents_.end() && begin < mute->second.until)
    return;
  virDomainAgentSetResponseTimeout(domain, agent_timeout_seconds, 0); // libvirt's own is 5 s; may be unknown to the driver
  const auto asked = read_addresses(domain, name, domain::AddressSource::agent, claims);
  const auto end = std::chrono::steady_clock::now();
  if (asked || end - begin < std::chrono::milliseconds(500)) {
    if (mute != mute_agents_.end())
      mute_agents_.erase(mute);
    return;
  }
  auto& pause = mute_agents_[name];
  pause.length = std::min(std::max(2 * pause.length, shortest_mute), longest_mute);
  pause.until = end + pause.length;
}

Result<std::string> Host::xml(const std::string& name) {
  if (!link_)
    return not_open();
  auto found = find_domain(link_->connection, name);
  if (!found)
    return found.error();
  if (!*found)
    return HostError{VIR_ERR_NO_DOMAIN, "there is no guest " + name};
  return definition(found->get());
}

Result<domain::Definitions> Host::definitions(const std::vector<std::string>& names) {
  domain::Definitions found;
  for (auto& name : names) {
    auto text = xml(name);
    if (text)
      found[name] = std::move(*text);
    else if (text.error().code != VIR_ERR_NO_DOMAIN)
      return text.error();
  }
  return found;
}

Result<std::optional<domain::RawPicture>> Host::screenshot(const std::string& name) {
  if (!link_)
    return not_open();
  auto found = find_domain(link_->connection, name);
  if (!found)
    return found.error();
  if (!*found || virDomainIsActive(found->get()) != 1)
    return std::optional<domain::RawPicture>();
  auto picture = take_picture(link_->connection, found->get());
  // It may have gone off meanwhile: then that is why.
  if (!picture && virDomainIsActive(found->get()) != 1)
    return std::optional<domain::RawPicture>();
  if (!picture)
    return picture.error();
  return std::optional(std::move(*picture));
}

Result<bool> Host::has_filter(const std::string& name) {
  if (!link_)
    return not_open();
  if (auto filter = virNWFilterLookupByName(link_->connection, name.c_str())) {
    virNWFilterFree(filter);
    return true;
  }
  auto error = last_error();
  if (error.code == VIR_ERR_NO_NWFILTER || error.code == VIR_ERR_NO_SUPPORT)
    return false;
  return error;
}

Status Host::unused(const std::string& file, const std::string& uuid) {
  if (!link_)
    return not_open();
  auto all = all_domains(link_->connection);
  if (!all)
    return all.error();
  for (auto& domain : *all)
    if (auto used = unused_by(domain.get(), file, uuid); !used)
      return used;
  return Ok{};
}

Status Host::define(const std::string& xml) {
  if (!link_)
    return not_open();
  // libvirt itself refuses a name that another UUID has, and the other way round.
  DomainPtr domain(virDomainDefineXML(link_->connection, xml.c_str()));
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

Status Host::rename(const std::string& from, const std::string& to, const std::string& uuid) {
  if (!link_)
    return not_open();
  auto renamed = find_ours(link_->connection, to, uuid);
  if (!renamed)
    return renamed.error();
  if (*renamed)
    return Ok{};
  auto found = find_ours(link_->connection, from, uuid);
  if (!found)
    return found.error();
  if (!*found)
    return HostError{VIR_ERR_NO_DOMAIN, "there is no guest " + from};
  return virDomainRename(found->get(), to.c_str(), 0) == 0 ? Status(Ok{}) : Status(last_error());
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
