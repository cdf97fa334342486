#include "actors/domain/guest_xml.hpp"

#include "actors/domain/guest_document.hpp"
#include "actors/domain/names.hpp"

#include <array>
#include <cstdio>
#include <sstream>

namespace ci::domain {
namespace {

using pugi::xml_node;

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  for (auto word : words)
    if (text == word)
      return true;
  return false;
}

xml_node child_of(xml_node parent, const char* name) {
  auto child = parent.child(name);
  return child ? child : parent.append_child(name);
}
void set(xml_node node, const char* name, std::string_view value) {
  auto attribute = node.attribute(name);
  (attribute ? attribute : node.append_attribute(name)).set_value(std::string(value).c_str());
}
void set_text(xml_node node, std::string_view text) { node.text().set(std::string(text).c_str()); }
void remove_children(xml_node parent, const char* name) {
  while (parent.remove_child(name)) {
  }
}

std::string_view device_of(xml_node disk) { return disk.attribute("device").as_string("disk"); }
std::string target_of(xml_node disk) { return disk.child("target").attribute("dev").value(); }

xml_node cloned_disk(xml_node devices, std::string_view target) {
  for (auto disk : devices.children("disk"))
    if (target.empty() ? device_of(disk) == "disk" : target_of(disk) == target)
      return disk;
  return {};
}

/// libvirt would probe a disk without a stated format, and what a guest wrote into it could then name any
/// file.
void state_format(xml_node disk) {
  if (!is_one_of(disk.attribute("type").value(), {"file", "block", "network", "volume"}))
    return;
  auto driver = disk.child("driver");
  if (!driver)
    driver = disk.prepend_child("driver");
  if (!driver.attribute("type"))
    driver.append_attribute("type").set_value("raw");
}

void make_own(xml_node disk, std::string_view file) {
  state_format(disk);
  set(disk, "type", "file");
  auto source = child_of(disk, "source");
  for (auto name : {"dev", "index", "startupPolicy"})
    source.remove_attribute(name);
  set(source, "file", file);
  remove_children(disk, "readonly");
  remove_children(disk, "shareable");
}

void make_shared(xml_node disk) {
  state_format(disk);
  child_of(disk, "readonly");
  // QEMU lets several guests share a disk for writing in raw format only; readers need no leave.
  auto format = std::string_view(disk.child("driver").attribute("type").value());
  if (device_of(disk) == "disk" && format == "raw")
    child_of(disk, "shareable");
  else
    remove_children(disk, "shareable");
}

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

void own_filter(xml_node interface, const std::string& filter) {
  if (filter.empty())
    return;
  remove_children(interface, "filterref");
  auto reference = interface.append_child("filterref");
  set(reference, "filter", filter);
  // Otherwise libvirt believes the first packet that the guest sends, whatever address that names.
  auto parameter = reference.append_child("parameter");
  set(parameter, "name", "CTRL_IP_LEARNING");
  set(parameter, "value", "dhcp");
}

std::string own_interfaces(xml_node devices, const GuestSpec& spec) {
  int index = 0;
  for (auto interface : devices.children("interface")) {
    auto mac = interface_mac(spec.mac, index++);
    if (mac.empty())
      return "no MAC address for interface " + std::to_string(index) + " from '" + spec.mac + "'";
    set(child_of(interface, "mac"), "address", mac);
    auto type = std::string_view(interface.attribute("type").value());
    if (is_one_of(type, {"network", "bridge", "direct"}))
      remove_children(interface, "target"); // a host device of that name can exist once
    if (is_one_of(type, {"network", "bridge"}))
      set(child_of(interface, "port"), "isolated", "yes");
    if (is_one_of(type, {"network", "bridge", "ethernet"}))
      own_filter(interface, spec.filter);
  }
  return {};
}

/// The file that an `<nvram>` names: in an element of its own since libvirt 8.5, else as its text.
std::string nvram_source(xml_node domain) {
  auto nvram = domain.child("os").child("nvram");
  if (auto source = nvram.child("source"))
    return source.attribute("file").value();
  return nvram.text().get();
}

void own_nvram(xml_node domain, const GuestSpec& spec) {
  auto file = own_nvram_file(spec, nvram_source(domain));
  if (file.empty())
    return;
  auto nvram = domain.child("os").child("nvram");
  if (auto source = nvram.child("source"))
    set(source, "file", file);
  else
    set_text(nvram, file);
}

/// Logs and sockets whose path names the template would be shared by all of its runners.
void own_paths(xml_node devices, const std::string& template_name, const std::string& name) {
  for (auto device : devices.children()) {
    if (template_name.empty() || !is_one_of(device.name(), {"serial", "console", "parallel", "channel"}))
      continue;
    for (auto element : {device.child("source"), device.child("log")})
      for (auto key : {"path", "file"}) {
        std::string path = element.attribute(key).value();
        if (auto at = path.find(template_name); at != std::string::npos)
          set(element, key, path.replace(at, template_name.size(), name));
      }
  }
}

void own_ports(xml_node devices) {
  for (auto graphics : devices.children("graphics")) {
    if (!graphics.attribute("port") && !graphics.attribute("tlsPort"))
      continue;
    graphics.remove_attribute("port");
    graphics.remove_attribute("tlsPort");
    set(graphics, "autoport", "yes");
  }
  if (auto cid = devices.child("vsock").child("cid")) {
    cid.remove_attribute("address");
    set(cid, "auto", "yes");
  }
}

void own_identity(xml_node domain, const GuestSpec& spec) {
  domain.remove_attribute("id");
  set_text(child_of(domain, "name"), spec.name);
  set_text(child_of(domain, "uuid"), spec.uuid);
  if (auto genid = domain.child("genid"))
    set_text(genid, "");
  for (auto entry : domain.child("sysinfo").child("system").children("entry"))
    if (std::string_view(entry.attribute("name").value()) == "uuid")
      set_text(entry, spec.uuid); // libvirt refuses one that differs from the guest's
}

bool is_marked(xml_node element) {
  for (auto attribute : element.attributes())
    if (std::string_view(attribute.value()) == "urn:ci-monitor")
      return true;
  return false;
}

void mark(xml_node domain, const std::string& name) {
  auto metadata = child_of(domain, "metadata");
  while (auto old = metadata.find_child(is_marked)) // libvirt allows one element a namespace
    metadata.remove_child(old);
  auto runner = metadata.append_child("ci:runner");
  set(runner, "xmlns:ci", "urn:ci-monitor");
  set_text(runner, name);
}

std::string rewrite(xml_node domain, const GuestSpec& spec, std::string_view disk_file) {
  std::string template_name = domain.child("name").text().get();
  own_identity(domain, spec);
  own_nvram(domain, spec);
  mark(domain, spec.name);
  auto devices = child_of(domain, "devices");
  if (auto error = own_disks(devices, spec, disk_file); !error.empty())
    return error;
  if (auto error = own_interfaces(devices, spec); !error.empty())
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
