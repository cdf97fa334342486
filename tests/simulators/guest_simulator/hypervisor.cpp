#include "tests/simulators/guest_simulator/hypervisor.hpp"

#include <libvirt/virterror.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <utility>

namespace ci::guest_simulator {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds between_looks{3'000}, until_address{200}, until_reconnect{500};

std::string last_error() {
  auto error = virGetLastError();
  return error && error->message ? error->message : "an unknown error";
}

} // namespace

Hypervisor::Hypervisor(std::string uri, std::vector<std::string> prefixes, Listener listener)
    : uri_(std::move(uri)), prefixes_(std::move(prefixes)), listener_(std::move(listener)) {
  virSetErrorFunc(nullptr, [](void*, virErrorPtr) {});
  if (virInitialize() < 0 || virEventRegisterDefaultImpl() < 0)
    throw std::runtime_error("libvirt: " + last_error());
  // Without its loop there are no events. It ends with the process, which has nothing to do afterwards.
  virEventAddTimeout(
      1000, [](int, void*) {}, nullptr, nullptr);
  events_thread_ = std::thread([this] {
    for (bool stop = false; !stop;) {
      virEventRunDefaultImpl();
      std::lock_guard lock(mutex_);
      stop = stop_ && !connection_;
    }
  });
  thread_ = std::thread([this] { watch(); });
}

Hypervisor::~Hypervisor() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
  events_thread_.join();
}

int Hypervisor::on_event(virConnectPtr, virDomainPtr, int, int, void* self) {
  auto& me = *static_cast<Hypervisor*>(self);
  std::lock_guard lock(me.mutex_);
  me.changed_ = true;
  me.wake_.notify_all();
  return 0;
}

void Hypervisor::on_closed(virConnectPtr, int, void* self) { on_event(nullptr, nullptr, 0, 0, self); }

void Hypervisor::order(Order order) {
  std::lock_guard lock(mutex_);
  orders_.push_back(std::move(order));
  wake_.notify_all();
}

void Hypervisor::watch() {
  for (;;) {
    std::vector<Order> orders;
    {
      std::unique_lock lock(mutex_);
      bool waits = false;
      for (auto& [run, address] : known_)
        waits |= address.empty();
      auto pause = !connection_ ? until_reconnect : waits ? until_address : between_looks;
      wake_.wait_for(lock, pause, [this] { return stop_ || changed_ || (connection_ && !orders_.empty()); });
      changed_ = false;
      if (stop_)
        break;
      if (connection_)
        orders.swap(orders_);
    }
    if (connection_ && virConnectIsAlive(connection_) != 1)
      disconnect();
    if (!connection_ && !connect())
      continue;
    for (auto& order : orders)
      carry_out(order);
    look();
  }
  disconnect();
}

bool Hypervisor::connect() {
  auto connection = virConnectOpen(uri_.c_str());
  if (!connection) {
    spdlog::debug("{}: {}", uri_, last_error());
    return false;
  }
  virConnectSetKeepAlive(connection, 2, 2);
  virConnectRegisterCloseCallback(connection, on_closed, this, nullptr);
  events_ = virConnectDomainEventRegisterAny(connection, nullptr, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                                             VIR_DOMAIN_EVENT_CALLBACK(on_event), this, nullptr);
  {
    std::lock_guard lock(mutex_);
    connection_ = connection;
  }
  spdlog::info("{}: connected", uri_);
  listener_.connected();
  return true;
}

void Hypervisor::disconnect() {
  auto connection = connection_;
  if (!connection)
    return;
  if (events_ >= 0)
    virConnectDomainEventDeregisterAny(connection, events_);
  virConnectUnregisterCloseCallback(connection, on_closed);
  virConnectClose(connection);
  std::lock_guard lock(mutex_);
  connection_ = nullptr;
  events_ = -1;
}

std::string Hypervisor::address_of(virDomainPtr domain) {
  virDomainInterfacePtr* interfaces = nullptr;
  auto count = virDomainInterfaceAddresses(domain, &interfaces, VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE, 0);
  std::string address;
  for (int i = 0; i < count; ++i) {
    for (unsigned k = 0; k < interfaces[i]->naddrs; ++k)
      if (interfaces[i]->addrs[k].type == VIR_IP_ADDR_TYPE_IPV4)
        address = interfaces[i]->addrs[k].addr;
    virDomainInterfaceFree(interfaces[i]);
  }
  if (count >= 0)
    free(interfaces);
  return address;
}

/// What runs now, with the addresses that were asked for newly.
std::map<Run, std::string> Hypervisor::running(bool& well) {
  std::map<Run, std::string> result;
  virDomainPtr* domains = nullptr;
  auto count = virConnectListAllDomains(connection_, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
  well = count >= 0;
  for (int i = 0; i < count; ++i) {
    char uuid[VIR_UUID_STRING_BUFLEN] = "";
    virDomainGetUUIDString(domains[i], uuid);
    Run run{virDomainGetName(domains[i]), uuid, static_cast<int>(virDomainGetID(domains[i]))};
    bool played = std::any_of(prefixes_.begin(), prefixes_.end(),
                              [&](auto& prefix) { return run.name.starts_with(prefix); });
    if (played) {
      auto known = known_.find(run);
      result[run] = known != known_.end() && !known->second.empty() ? known->second : address_of(domains[i]);
    }
    virDomainFree(domains[i]);
  }
  if (count >= 0)
    free(domains);
  return result;
}

void Hypervisor::look() {
  bool well = false;
  auto now = running(well);
  if (!well)
    return;
  auto before = std::exchange(known_, now);
  for (auto& [run, address] : before)
    if (!address.empty() && !now.count(run))
      listener_.ended(run);
  for (auto& [run, address] : now)
    if (!address.empty() && (!before.count(run) || before[run].empty()))
      listener_.started(run, address);
}

void Hypervisor::carry_out(const Order& order) {
  auto domain = virDomainLookupByUUIDString(connection_, order.run.uuid.c_str());
  if (!domain)
    return;
  if (static_cast<int>(virDomainGetID(domain)) == order.run.id &&
      (order.hard ? virDomainDestroy(domain) : virDomainShutdown(domain)) < 0)
    spdlog::warn("{}: {}", order.run.name, last_error());
  virDomainFree(domain);
}

} // namespace ci::guest_simulator
