#include "actors/edge/libvirt_domain.hpp"

#include "actors/domain/guest_xml.hpp"
#include "actors/domain/names.hpp"
#include "actors/edge/libvirt_loop.hpp"
#include "actors/edge/libvirt_words.hpp"

#include <libvirt/virterror.h>

#include <algorithm>
#include <cstdlib>

namespace ci::edge {
namespace {

/// Nothing of the guest is to be left. Drivers that do not know a flag refuse the call: then with fewer of
/// them.
constexpr unsigned saved_states = VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA;
constexpr unsigned undefine_flags[] = {saved_states | VIR_DOMAIN_UNDEFINE_NVRAM, saved_states, 0};
constexpr unsigned undefine_beside_nvram[] = {saved_states | VIR_DOMAIN_UNDEFINE_KEEP_NVRAM, saved_states, 0};

struct FreeText {
  void operator()(char* text) const { free(text); }
};

std::string uuid_of(virDomainPtr domain) {
  char uuid[VIR_UUID_STRING_BUFLEN] = "";
  return virDomainGetUUIDString(domain, uuid) == 0 ? uuid : "";
}

unsigned flag_of(domain::AddressSource source) {
  switch (source) {
  case domain::AddressSource::lease:
    return VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE;
  case domain::AddressSource::arp:
    return VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP;
  case domain::AddressSource::agent:
    return VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT;
  }
  return VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE;
}

/// What the interface is said to have; other MACs than the guest's own are not believed.
void add_addresses(virDomainInterfacePtr interface, const domain::AddressClaim& claim,
                   const std::vector<std::string>& macs, std::vector<domain::AddressClaim>& claims) {
  if (interface->hwaddr &&
      std::find(macs.begin(), macs.end(), domain::normal_mac(interface->hwaddr)) == macs.end())
    return;
  if (!interface->hwaddr && claim.source == domain::AddressSource::agent)
    return;
  for (unsigned i = 0; i < interface->naddrs; ++i)
    if (interface->addrs[i].type == VIR_IP_ADDR_TYPE_IPV4)
      claims.push_back({claim.guest, interface->addrs[i].addr, claim.source});
}

struct FreeStream {
  void operator()(virStreamPtr stream) const { virStreamFree(stream); }
};

/// Takes in what a stream brings, up to a limit; libvirt calls this with at most 256 KiB at a time.
int take_in(virStreamPtr, const char* bytes, size_t size, void* opaque) {
  auto& picture = *static_cast<domain::RawPicture*>(opaque);
  if (picture.bytes.size() + size > static_cast<std::size_t>(domain::max_picture_bytes))
    return -1;
  picture.bytes.append(bytes, size);
  return static_cast<int>(size);
}

bool flag_unsupported(int code) {
  return code == VIR_ERR_INVALID_ARG || code == VIR_ERR_ARGUMENT_UNSUPPORTED || code == VIR_ERR_NO_SUPPORT;
}

} // namespace

HostError last_error() {
  auto error = virGetLastError();
  return {error ? error->code : static_cast<int>(VIR_ERR_INTERNAL_ERROR), last_libvirt_error()};
}

Result<DomainPtr> find_domain(virConnectPtr connection, const std::string& name) {
  if (auto domain = virDomainLookupByName(connection, name.c_str()))
    return DomainPtr(domain);
  auto error = last_error();
  if (error.code == VIR_ERR_NO_DOMAIN)
    return DomainPtr{};
  return error;
}

Result<DomainPtr> find_ours(virConnectPtr connection, const std::string& name, const std::string& uuid) {
  auto found = find_domain(connection, name);
  if (!found || !*found)
    return found;
  if (auto other = uuid_of(found->get()); domain::to_lower(other) != domain::to_lower(uuid))
    return HostError{0, "guest " + name + " has the UUID " + other + ", not " + uuid + ": it is not ours"};
  return found;
}

Result<std::vector<DomainPtr>> all_domains(virConnectPtr connection) {
  virDomainPtr* domains = nullptr;
  auto count = virConnectListAllDomains(connection, &domains, 0);
  if (count < 0)
    return last_error();
  std::vector<DomainPtr> owned(domains, domains + count);
  free(domains);
  return owned;
}

Status unused_by(virDomainPtr domain, const std::string& file, const std::string& uuid) {
  if (domain::to_lower(uuid_of(domain)) == domain::to_lower(uuid))
    return Ok{};
  // What it runs with names the whole chain below its disks, as far as libvirt knows it.
  for (unsigned flags : {unsigned{VIR_DOMAIN_XML_INACTIVE}, 0U}) {
    std::unique_ptr<char, FreeText> text(virDomainGetXMLDesc(domain, flags));
    if (!text && last_error().code == VIR_ERR_NO_DOMAIN)
      return Ok{};
    if (!text)
      return last_error();
    if (domain::uses_file(text.get(), file))
      return HostError{0, std::string("guest ") + virDomainGetName(domain) + " uses " + file};
  }
  return Ok{};
}

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

Status read_addresses(virDomainPtr domain, const std::string& name, domain::AddressSource source,
                      std::vector<domain::AddressClaim>& claims) {
  virDomainInterfacePtr* interfaces = nullptr;
  auto count = virDomainInterfaceAddresses(domain, &interfaces, flag_of(source), 0);
  if (count < 0) {
    auto error = last_error();
    bool off = error.code == VIR_ERR_OPERATION_INVALID || error.code == VIR_ERR_NO_DOMAIN;
    return off ? Status(Ok{}) : Status(error);
  }
  auto xml = definition(domain);
  auto macs = xml ? domain::interface_macs(*xml) : std::vector<std::string>{};
  for (int i = 0; i < count; ++i) {
    add_addresses(interfaces[i], {name, "", source}, macs, claims);
    virDomainInterfaceFree(interfaces[i]);
  }
  free(interfaces);
  return xml || xml.error().code == VIR_ERR_NO_DOMAIN ? Status(Ok{}) : Status(xml.error());
}

Result<domain::RawPicture> take_picture(virConnectPtr connection, virDomainPtr domain) {
  const std::unique_ptr<virStream, FreeStream> stream(virStreamNew(connection, 0));
  if (!stream)
    return last_error();
  domain::RawPicture picture;
  const std::unique_ptr<char, FreeText> type(virDomainScreenshot(domain, stream.get(), 0, 0));
  if (!type)
    return last_error();
  picture.content_type = type.get();
  if (virStreamRecvAll(stream.get(), take_in, &picture) < 0) {
    auto error = last_error();
    virStreamAbort(stream.get());
    return error;
  }
  if (virStreamFinish(stream.get()) < 0)
    return last_error();
  return picture;
}

Status undefine_wholly(virDomainPtr domain) {
  auto xml = definition(domain);
  auto nvram = xml ? domain::source_disk(*xml, {}).nvram : "";
  bool others = !nvram.empty() && !domain::is_own_nvram(nvram, virDomainGetName(domain));
  HostError error;
  for (auto flags : others ? undefine_beside_nvram : undefine_flags) {
    if (virDomainUndefineFlags(domain, flags) == 0)
      return Ok{};
    error = last_error();
    if (!flag_unsupported(error.code))
      break;
  }
  return error.code == VIR_ERR_NO_DOMAIN ? Status(Ok{}) : Status(error);
}

} // namespace ci::edge
