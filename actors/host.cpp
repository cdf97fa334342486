#include "actors/host.hpp"

#include "actors/edge/checkout.hpp"
#include "actors/edge/disk.hpp"
#include "actors/edge/image_files.hpp"
#include "actors/edge/iso.hpp"
#include "actors/exceptions.hpp"

#include <spdlog/spdlog.h>

#include <filesystem>
#include <utility>

namespace ci {
namespace {

/// As the log and the metrics have it.
const char* word_of(edge::DiskResult::Way way) {
  switch (way) {
  case edge::DiskResult::Way::shared:
    return "clone_reflink";
  case edge::DiskResult::Way::overlaid:
    return "clone_overlay";
  case edge::DiskResult::Way::copied:
    return "clone_copy";
  case edge::DiskResult::Way::kept:
    break;
  }
  return "clone_kept";
}

} // namespace

HostActor::HostActor(caf::actor_config& config, MeterPtr meter, HostSetup setup, metrics_actor metrics)
    : Metered(config, std::move(meter)), setup_(std::move(setup)), metrics_(std::move(metrics)),
      host_(std::make_unique<edge::Host>(setup_.uri)), connection_{false, "not connected yet"} {
  set_exception_handler(log_exception(spdlog::level::critical, "host_exception"));
}

HostActor::behavior_type HostActor::make_behavior() {
  using Name = const std::string&;
  return {
      [this](watch_atom, const hypervisor_actor& watcher) { watch(watcher); },
      [this](list_atom) { return list(); },
      [this](look_atom, Name guest) { return look(guest); },
      [this](addr_atom, const std::vector<std::string>& guests) { return addresses(guests); },
      [this](xml_atom, Name guest) { return xml(guest); },
      [this](defs_atom, const std::vector<std::string>& guests) { return definitions(guests); },
      [this](shot_atom, Name guest) { return picture(guest); },
      [this](define_atom, Name text) { return act("define", [&] { return host_->define(text); }); },
      [this](start_atom, Name guest, Name uuid) {
        return act("start", [&] { return host_->start(guest, uuid); });
      },
      [this](halt_atom, Name guest, Name uuid) {
        return act("halt", [&] { return host_->destroy(guest, uuid); });
      },
      [this](undef_atom, Name guest, Name uuid) {
        return act("undefine", [&] { return host_->undefine(guest, uuid); });
      },
      [this](clone_atom, const domain::CloneOrder& order) { return clone(order); },
      [this](erase_atom, Name folder, Name prefix) {
        return on_disk("erase", [&] { return edge::erase_files(folder, prefix); });
      },
      [this](disk_atom, const domain::DiskOrder& disk) { return image_disk(disk); },
      [this](iso_atom, const domain::IsoOrder& iso) {
        return on_disk("iso", [&] { return edge::write_iso(iso); });
      },
      [this](nvram_atom, Name from, Name to) { return copy_nvram(from, to); },
      [this](rename_atom, Name from, Name to, Name uuid) {
        return act("rename", [&] { return host_->rename(from, to, uuid); });
      },
      [this](unused_atom, Name file, Name uuid) {
        return act("unused", [&] { return host_->unused(file, uuid); });
      },
      [this](forget_atom, Name folder, Name snapshot) {
        return on_disk("erase_image", [&] { return edge::erase_image_files(folder, snapshot); });
      },
      [this](update_atom, Name checkout) {
        return on_disk("git", [&] { return edge::update_checkout(checkout, setup_.stopping.get()); });
      },
      [this](reopen_atom) { reopen(); },
      [this](changed_atom) { report_changes(); },
      [this](closed_atom, Name reason) { closed(reason); },
  };
}

void HostActor::on_exit() {
  host_.reset();
  watcher_ = hypervisor_actor{};
  metrics_ = metrics_actor{};
}

caf::invoke_message_result HostActor::consume(caf::mailbox_element& message) {
  auto& content = message.content();
  if (content.size() > 0 && content.match_element<caf::atom_value>(0))
    crash_.reached(meter()->actor(), caf::to_string(content.get_as<caf::atom_value>(0)));
  return Metered::consume(message);
}

GuestListingReply HostActor::list() {
  auto result = on_connection("list", [this] { return host_->list(); });
  if (result)
    for (auto& guest : result->guests)
      tell_apart(guest);
  return result ? GuestListingReply{std::move(*result), {}} : GuestListingReply{{}, result.error().message};
}

ObservationReply HostActor::look(const std::string& name) {
  auto begin = clock().now();
  auto result = on_connection("look", [&] { return host_->look(name); });
  if (!result)
    return {{}, result.error().message};
  result->read_at = begin;
  tell_apart(*result);
  return {std::move(*result), {}};
}

void HostActor::tell_apart(domain::GuestObservation& seen) const {
  if (seen.state == domain::GuestState::off && seen.reason == "shutdown" && ended_by_host_.count(seen.uuid))
    seen.reason = domain::shutdown_by_host;
}

AddressReply HostActor::addresses(const std::vector<std::string>& names) {
  auto begin = clock().now();
  auto leases = on_connection("addresses", [&] { return host_->leases(names); });
  if (!leases)
    return {{}, leases.error().message};
  report_unread(std::move(leases->unread));
  auto& claims = leases->claims;
  if (auto rest = domain::without_lease(names, claims, setup_.guest_network); !rest.empty()) {
    auto hearsay = host_->hearsay(rest);
    claims.insert(claims.end(), hearsay.begin(), hearsay.end());
  }
  auto listing = domain::addresses_by_guest(claims, setup_.guest_network, setup_.trust_guest_agent);
  listing.started_at = begin;
  return {std::move(listing), {}};
}

/// Addresses are asked for all the time: only what is new is logged.
void HostActor::report_unread(std::map<std::string, std::string> unread) {
  for (auto& [guest, why] : unread)
    if (auto before = unread_.find(guest); before == unread_.end() || before->second != why)
      spdlog::warn("event=leases_unread guest={} error=\"{}\"", guest, why);
  unread_ = std::move(unread);
}

XmlReply HostActor::xml(const std::string& name) {
  auto result = on_connection("xml", [&] { return host_->xml(name); });
  return result ? XmlReply{std::move(*result), {}} : XmlReply{{}, result.error().message};
}

DefinitionsReply HostActor::definitions(const std::vector<std::string>& names) {
  auto result = on_connection("definitions", [&] { return host_->definitions(names); });
  return result ? DefinitionsReply{std::move(*result), {}} : DefinitionsReply{{}, result.error().message};
}

PictureReply HostActor::picture(const std::string& name) {
  auto result = on_connection("screenshot", [&] { return host_->screenshot(name); });
  if (!result)
    return {nullptr, false, result.error().message};
  if (!*result)
    return {nullptr, true, "the guest does not run"};
  return {std::make_shared<const domain::RawPicture>(std::move(**result)), false, {}};
}

domain::HostReply HostActor::clone(const domain::CloneOrder& order) {
  auto begin = clock().now();
  if (auto lack = edge::lack_of_space(order.to, setup_.least_free()); !lack.empty())
    return {lack, begin, true}; // no fault of the image's
  auto result = edge::clone_disk(order, setup_.stopping.get());
  auto way = word_of(result.way);
  measure(way, bool(result), begin);
  if (!result.no_overlay.empty() && result.no_overlay != no_overlay_)
    spdlog::warn("event=no_overlay file=\"{}\" reason=\"{}\" instead={}", order.to, result.no_overlay, way);
  no_overlay_ = result.no_overlay;
  if (!result)
    return {result.error, clock().now()};
  spdlog::info("event=disk_cloned way={} file=\"{}\"", way, result.disk.file);
  return {{}, clock().now(), false, result.disk};
}

domain::HostReply HostActor::copy_nvram(const std::string& from, const std::string& to) {
  std::error_code error;
  if (!std::filesystem::exists(from, error) && !error)
    return {{}, clock().now()}; // the template was never started
  return clone({from, to});
}

domain::HostReply HostActor::image_disk(const domain::DiskOrder& disk) {
  auto folder = disk.path.substr(0, disk.path.rfind('/'));
  return on_disk("image_disk", [&] {
    if (auto lack = edge::lack_of_space(disk.path, setup_.least_free()); !lack.empty())
      return lack;
    if (auto error = edge::make_image_folder(folder); !error.empty())
      return error;
    return edge::make_image_disk(disk, setup_.stopping.get());
  });
}

template <class Call>
domain::HostReply HostActor::on_disk(const char* name, Call call) {
  auto begin = clock().now();
  std::string error = call();
  measure(name, error.empty(), begin);
  return {error, clock().now()};
}

template <class Call>
domain::HostReply HostActor::act(const char* name, Call call) {
  auto status = on_connection(name, call);
  return {status ? "" : status.error().message, clock().now()};
}

template <class Call>
auto HostActor::on_connection(const char* name, Call call) -> decltype(std::declval<Call>()()) {
  if (!connected())
    return edge::HostError{0, "libvirt can't be reached: " + connection_.trouble};
  auto begin = clock().now();
  auto result = call();
  measure(name, bool(result), begin);
  if (!result && !host_->alive())
    lost(result.error().message);
  return result;
}

void HostActor::measure(const char* call, bool well, domain::Steady begin) {
  if (!metrics_)
    return;
  auto seconds = std::chrono::duration<double>(clock().now() - begin).count();
  MetricLabels labels{{"call", call}};
  send(metrics_, time_atom::value, std::string("ci_monitor_libvirt_call_seconds"), labels, seconds);
  labels["outcome"] = well ? "ok" : "error";
  send(metrics_, count_atom::value, std::string("ci_monitor_libvirt_calls_total"), labels, 1.0);
}

} // namespace ci
