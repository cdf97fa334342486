#include "actors/domain/image_xml.hpp"

#include "actors/domain/guest_edit.hpp"

namespace ci::domain {
namespace {

using pugi::xml_node;

/// Puts the image into the drive, which is added where there is none.
void insert_cdrom(xml_node devices, const std::string& target, const std::string& file) {
  auto drive = xml::cloned_disk(devices, target);
  if (!drive) {
    drive = devices.append_child("disk");
    auto at = drive.append_child("target");
    xml::set(at, "dev", target);
    xml::set(at, "bus", target.starts_with("hd") ? "ide" : target.starts_with("vd") ? "virtio" : "sata");
  }
  xml::make_own(drive, file);
  xml::set(drive, "device", "cdrom");
  xml::set(xml::child_of(drive, "driver"), "type", "raw");
  xml::child_of(drive, "readonly");
}

std::string config_drive(xml_node devices, const ImageRecipe& recipe) {
  if (!recipe.config_cdrom.empty())
    return recipe.config_cdrom;
  for (auto disk : devices.children("disk"))
    if (xml::device_of(disk) == "cdrom" && recipe.cdroms.count(xml::target_of(disk)) == 0)
      return xml::target_of(disk);
  return {};
}

std::string fill_disks(xml_node devices, const ImageSpec& spec) {
  auto own = xml::cloned_disk(devices, spec.disk_target);
  if (!own)
    return "guest.xml has no disk " + spec.disk_target;
  auto filled = spec.recipe.cdroms;
  for (auto& [target, file] : filled)
    file = spec.deps_folder + "/" + file;
  if (spec.sources && has_config(*spec.sources)) {
    auto drive = config_drive(devices, spec.recipe);
    if (drive.empty())
      return "there is no CD-ROM drive for the configuration: name one as config_cdrom in image.toml";
    filled[drive] = spec.config_file();
  }
  if (filled.count(spec.disk_target))
    return "the disk " + spec.disk_target + " is a CD-ROM, too";
  for (auto disk : devices.children("disk")) {
    const auto target = xml::target_of(disk);
    if (disk == own || (filled.count(target) && disk == xml::cloned_disk(devices, target)))
      continue;
    if (!xml::is_placeholder(disk)) {
      xml::make_shared(disk);
      continue;
    }
    if (xml::device_of(disk) != "cdrom")
      return "disk " + target + " of guest.xml is a placeholder that nothing fills";
    xml::set(disk, "type", "file");
    xml::remove_children(disk, "source");
  }
  xml::make_own(own, spec.disk_file());
  for (auto& [target, file] : filled)
    insert_cdrom(devices, target, file);
  return {};
}

std::string rebuild(xml_node domain, const ImageSpec& spec) {
  std::string written_for = domain.child("name").text().get();
  xml::own_identity(domain, spec.rebuild_guest, spec.uuid);
  if (!xml::nvram_source(domain).empty())
    xml::own_nvram(domain, spec.nvram_file());
  xml::mark(domain, "image", spec.template_guest);
  auto devices = xml::child_of(domain, "devices");
  if (auto error = fill_disks(devices, spec); !error.empty())
    return error;
  if (auto error = xml::own_interfaces(devices, spec.mac, spec.filter); !error.empty())
    return error;
  xml::own_paths(devices, written_for, spec.rebuild_guest);
  xml::own_ports(devices);
  return {};
}

} // namespace

bool has_config(const ImageSources& sources) {
  return !sources.user_data.empty() || !sources.autounattend.empty();
}

std::string config_label(const ImageSources& sources) {
  return sources.user_data.empty() ? "CONFIG" : "CIDATA"; // cloud-init looks for this one
}

XmlText rebuild_xml(std::string_view guest_xml, const ImageSpec& spec) {
  return edit_guest(guest_xml, [&](xml_node domain) { return rebuild(domain, spec); });
}

} // namespace ci::domain
