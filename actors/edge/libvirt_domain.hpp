#pragma once
/// What Host does with one libvirt domain. All block, all in the connection's thread.

#include "actors/edge/libvirt_host.hpp"

#include <libvirt/libvirt.h>

#include <memory>
#include <string>
#include <vector>

namespace ci::edge {

struct FreeDomain {
  void operator()(virDomainPtr domain) const { virDomainFree(domain); }
};
/// Null: there is no such domain.
using DomainPtr = std::unique_ptr<virDomain, FreeDomain>;

/// The error of the call just made: libvirt keeps it per thread, until the next call.
HostError last_error();

/// No domain of that name is a null pointer, not an error.
Result<DomainPtr> find_domain(virConnectPtr connection, const std::string& name);
/// The same, and a domain of that name with another UUID is an error: it is not ours.
Result<DomainPtr> find_ours(virConnectPtr connection, const std::string& name, const std::string& uuid);

/// All of a connection's domains, whatever their state.
Result<std::vector<DomainPtr>> all_domains(virConnectPtr connection);
/// Content where the domain has that UUID, is gone, or names the file nowhere: see Host::unused().
Status unused_by(virDomainPtr domain, const std::string& file, const std::string& uuid);

/// The state now; absent where it is gone since it was found. `read_at` is left to the caller, who took it
/// before the first call.
Result<domain::GuestObservation> observe(virDomainPtr domain);
/// The inactive definition.
Result<std::string> definition(virDomainPtr domain);
/// Appends the addresses that the source knows of it, by the MACs of its definition. A guest that is off or gone
/// meanwhile has none; that is no error.
Status read_addresses(virDomainPtr domain, const std::string& name, domain::AddressSource source,
                      std::vector<domain::AddressClaim>& claims);
/// The screen now; an error where the guest does not run.
Result<domain::RawPicture> take_picture(virConnectPtr connection, virDomainPtr domain);
/// With NVRAM, saved states and snapshots' metadata, as far as the driver knows of these.
Status undefine_wholly(virDomainPtr domain);

} // namespace ci::edge
