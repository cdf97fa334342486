#include "actors/domain/guest_edit.hpp"

#include "actors/domain/guest_xml.hpp"

#include <initializer_list>

namespace ci::domain::xml {

using pugi::xml_node;

namespace {

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  for (auto word : words)
    if (text == word)
      return true;
  return false;
}

} // namespace

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

bool is_placeholder(xml_node disk) {
  return std::string_view(disk.attribute("type").value()) == "block" &&
         std::string_view(disk.child("source").attribute("dev").value()) == "/dev/null";
}

namespace {

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

} // namespace

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

void make_cloned(xml_node disk, const ClonedDisk& own) {
  make_own(disk, own.file);
  if (own.backing_file.empty())
    return;
  set(disk.child("driver"), "type", own.format);
  // What the template says of its own file's backing chain holds one step further down. A raw file has none,
  // whatever a guest wrote into it.
  auto backing = disk.append_child("backingStore");
  set(backing, "type", "file");
  set(child_of(backing, "format"), "type", own.backing_format);
  set(child_of(backing, "source"), "file", own.backing_file);
  for (auto old = disk.child("backingStore"); old != backing; old = disk.child("backingStore"))
    own.backing_format == "raw" ? disk.remove_child(old) : bool(backing.append_move(old));
  if (own.backing_format == "raw")
    backing.append_child("backingStore");
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

namespace {

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

} // namespace

std::string own_interfaces(xml_node devices, const std::string& base_mac, const std::string& filter) {
  int index = 0;
  for (auto interface : devices.children("interface")) {
    auto mac = interface_mac(base_mac, index++);
    if (mac.empty())
      return "no MAC address for interface " + std::to_string(index) + " from '" + base_mac + "'";
    set(child_of(interface, "mac"), "address", mac);
    auto type = std::string_view(interface.attribute("type").value());
    if (is_one_of(type, {"network", "bridge", "direct"}))
      remove_children(interface, "target"); // a host device of that name can exist once
    if (is_one_of(type, {"network", "bridge"}))
      set(child_of(interface, "port"), "isolated", "yes");
    if (is_one_of(type, {"network", "bridge", "ethernet"}))
      own_filter(interface, filter);
  }
  return {};
}

std::string nvram_source(xml_node domain) {
  auto nvram = domain.child("os").child("nvram");
  if (auto source = nvram.child("source"))
    return source.attribute("file").value();
  return nvram.text().get();
}

void own_nvram(xml_node domain, const std::string& file) {
  auto nvram = domain.child("os").child("nvram");
  if (!nvram || file.empty())
    return;
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

void own_identity(xml_node domain, const std::string& name, const std::string& uuid) {
  domain.remove_attribute("id");
  set_text(child_of(domain, "name"), name);
  set_text(child_of(domain, "uuid"), uuid);
  if (auto genid = domain.child("genid"))
    set_text(genid, "");
  for (auto entry : domain.child("sysinfo").child("system").children("entry"))
    if (std::string_view(entry.attribute("name").value()) == "uuid")
      set_text(entry, uuid); // libvirt refuses one that differs from the guest's
}

namespace {

bool is_marked(xml_node element) {
  for (auto attribute : element.attributes())
    if (std::string_view(attribute.value()) == "urn:ci-monitor")
      return true;
  return false;
}

} // namespace

void mark(xml_node domain, const char* kind, const std::string& name) {
  auto metadata = child_of(domain, "metadata");
  while (auto old = metadata.find_child(is_marked)) // libvirt allows one element a namespace
    metadata.remove_child(old);
  auto own = metadata.append_child((std::string("ci:") + kind).c_str());
  set(own, "xmlns:ci", "urn:ci-monitor");
  set_text(own, name);
}

} // namespace ci::domain::xml
