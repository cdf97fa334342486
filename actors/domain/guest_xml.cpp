#include "actors/domain/guest_xml.hpp"

#include "actors/domain/guest_document.hpp"
#include "actors/domain/guest_edit.hpp"
#include "actors/domain/names.hpp"

#include <array>
#include <cstdio>
#include <sstream>

namespace ci::domain {
namespace {

using pugi::xml_node;
using namespace xml;

std::string own_disks(xml_node devices, const GuestSpec& spec, std::string_view file) {
  auto own = cloned_disk(devices, spec.disk_target);
  if (!own && !spec.disk_target.empty())
    return "the template has no disk " + spec.disk_target;
  if (own && file.empty())
    return "the template has a disk, and no file was given for it";
  for (auto disk : devices.children("disk"))
    disk == own ? make_own(disk, file) : make_shared(disk);
  return {};
}

std::string rewrite(xml_node domain, const GuestSpec& spec, std::string_view disk_file) {
  std::string template_name = domain.child("name").text().get();
  own_identity(domain, spec.name, spec.uuid);
  own_nvram(domain, own_nvram_file(spec, nvram_source(domain)));
  mark(domain, "runner", spec.name);
  auto devices = child_of(domain, "devices");
  if (auto error = own_disks(devices, spec, disk_file); !error.empty())
    return error;
  if (auto error = own_interfaces(devices, spec.mac, spec.filter); !error.empty())
    return error;
  own_paths(devices, template_name, spec.name);
  own_ports(devices);
  return {};
}

SourceDisk described(xml_node disk) {
  SourceDisk result;
  result.type = disk.attribute("type").value();
  result.format = disk.child("driver").attribute("type").as_string("raw");
  result.target = target_of(disk);
  result.path = disk.child("source").attribute("file").value();
  if (result.type == "block" &&
      std::string_view(disk.child("source").attribute("dev").value()) == "/dev/null")
    result.error = "disk " + result.target + " of the template is a placeholder: there is nothing to clone";
  else if (result.type != "file")
    result.error =
        "disk " + result.target + " of the template has type '" + result.type + "': only files are cloned";
  else if (result.path.empty() || result.path.front() != '/')
    result.error = "disk " + result.target + " of the template names no file by an absolute path";
  return result;
}

} // namespace

SourceDisk source_disk(std::string_view xml, std::string_view target) {
  SourceDisk result;
  pugi::xml_document document;
  result.error = load_guest(document, xml);
  if (!result)
    return result;
  auto disk = cloned_disk(document.child("domain").child("devices"), target);
  if (disk)
    return described(disk);
  if (!target.empty())
    result.error = "the template has no disk " + std::string(target);
  return result;
}

std::string nvram_file(std::string_view xml) {
  pugi::xml_document document;
  return load_guest(document, xml).empty() ? nvram_source(document.child("domain")) : "";
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

XmlText runner_xml(std::string_view template_xml, const GuestSpec& spec, std::string_view disk_file) {
  XmlText result;
  pugi::xml_document document;
  result.error = load_guest(document, template_xml);
  if (!result)
    return result;
  result.error = rewrite(document.child("domain"), spec, disk_file);
  if (!result)
    return result;
  std::ostringstream text;
  document.child("domain").print(text, "  ", pugi::format_default, pugi::encoding_utf8);
  result.xml = text.str();
  return result;
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
