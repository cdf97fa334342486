#include "actors/domain/guest_xml.hpp"

#include "actors/domain/guest_document.hpp"
#include "actors/domain/guest_edit.hpp"
#include "actors/domain/names.hpp"

#include <array>
#include <cstdio>

namespace ci::domain {
namespace {

using pugi::xml_node;
using namespace xml;

std::string own_disks(xml_node devices, const GuestSpec& spec) {
  auto own = cloned_disk(devices, spec.disk_target);
  if (!own && !spec.disk_target.empty())
    return "the template has no disk " + spec.disk_target;
  if (own && spec.disk.file.empty())
    return "the template has a disk, and no file was given for it";
  for (auto disk : devices.children("disk"))
    disk == own ? make_cloned(disk, spec.disk) : make_shared(disk);
  return {};
}

std::string rewrite(xml_node domain, const GuestSpec& spec) {
  std::string template_name = domain.child("name").text().get();
  own_identity(domain, spec.name, spec.uuid);
  own_nvram(domain, own_nvram_file(spec, nvram_source(domain)));
  mark(domain, "runner", spec.name);
  auto devices = child_of(domain, "devices");
  if (auto error = own_disks(devices, spec); !error.empty())
    return error;
  if (auto error = own_interfaces(devices, spec.mac, spec.filter); !error.empty())
    return error;
  own_paths(devices, template_name, spec.name);
  own_ports(devices);
  return {};
}

/// Overlays know nothing of encryption, and of a part of a file.
bool may_back(xml_node disk, const std::string& format) {
  auto source = disk.child("source");
  return (format == "raw" || format == "qcow2") && device_of(disk) == "disk" && !disk.child("encryption") &&
         !source.child("encryption") && !source.child("slices");
}

void describe(SourceDisk& result, xml_node disk) {
  result.type = disk.attribute("type").value();
  result.format = disk.child("driver").attribute("type").as_string("raw");
  result.target = target_of(disk);
  result.placeholder = is_placeholder(disk);
  if (result.placeholder)
    return;
  result.path = disk.child("source").attribute("file").value();
  result.may_back = may_back(disk, result.format);
  if (result.type != "file")
    result.error =
        "disk " + result.target + " of the template has type '" + result.type + "': only files are cloned";
  else if (result.path.empty() || result.path.front() != '/')
    result.error = "disk " + result.target + " of the template names no file by an absolute path";
}

} // namespace

SourceDisk source_disk(std::string_view xml, std::string_view target, bool placeholders) {
  SourceDisk result;
  pugi::xml_document document;
  result.error = load_guest(document, xml);
  if (!result)
    return result;
  auto domain = document.child("domain");
  result.nvram = nvram_source(domain);
  if (auto disk = cloned_disk(domain.child("devices"), target))
    describe(result, disk);
  else if (!target.empty())
    result.error = "the template has no disk " + std::string(target);
  if (result.placeholder && !placeholders)
    result.error = "disk " + result.target + " of the template is a placeholder: there is nothing to clone";
  return result;
}

bool uses_file(std::string_view xml, std::string_view file) {
  pugi::xml_document document;
  if (!load_guest(document, xml).empty())
    return true;
  auto names_it = [&](xml_node node) {
    return (std::string_view(node.name()) == "source" && node.attribute("file").value() == file) ||
           (std::string_view(node.name()) == "nvram" && node.text().get() == file);
  };
  return bool(document.child("domain").find_node(names_it));
}

bool is_own_nvram(std::string_view file, std::string_view guest) {
  auto name = file.substr(file.rfind('/') + 1); // all of it where there is no slash
  auto at = guest.rfind('@');
  auto has = [&](std::string_view part) { return !part.empty() && name.find(part) != std::string_view::npos; };
  return has(guest) || (at != std::string_view::npos && has(guest.substr(at + 1)));
}

std::string own_nvram_file(const GuestSpec& spec, std::string_view source) {
  if (source.empty())
    return {};
  auto name = source.substr(source.rfind('/') + 1); // all of it where there is no slash
  auto dot = name.rfind('.');
  bool has_extension = dot != std::string_view::npos && dot > 0;
  return spec.disk_folder + "/" + spec.disk_prefix + spec.name + "_VARS" +
         (has_extension ? std::string(name.substr(dot)) : ".fd");
}

XmlText runner_xml(std::string_view template_xml, const GuestSpec& spec) {
  return edit_guest(template_xml, [&](xml_node domain) { return rewrite(domain, spec); });
}

std::string interface_mac(std::string_view mac, int index) {
  std::array<unsigned, 6> bytes{};
  int used = 0;
  std::string text(mac);
  auto count = std::sscanf(text.c_str(), "%2x:%2x:%2x:%2x:%2x:%2x%n", &bytes[0], &bytes[1], &bytes[2],
                           &bytes[3], &bytes[4], &bytes[5], &used);
  bool unicast = (bytes[0] & 1) == 0;
  if (text.size() != 17 || count != 6 || used != 17 || !unicast || index < 0 || index >= max_interfaces)
    return {};
  bytes[0] = (bytes[0] + 4U * static_cast<unsigned>(index)) & 0xffU;
  char result[18];
  std::snprintf(result, sizeof result, "%02x:%02x:%02x:%02x:%02x:%02x", bytes[0], bytes[1], bytes[2],
                bytes[3], bytes[4], bytes[5]);
  return result;
}

std::vector<std::string> interface_macs(std::string_view xml) {
  std::vector<std::string> result;
  pugi::xml_document document;
  if (!load_guest(document, xml).empty())
    return result;
  for (auto interface : document.child("domain").child("devices").children("interface"))
    if (auto address = interface.child("mac").attribute("address"))
      result.push_back(to_lower(address.value()));
  return result;
}

} // namespace ci::domain
