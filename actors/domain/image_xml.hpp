#pragma once
/// A rebuild guest's libvirt definition, made from the profile's guest.xml. Pure text to text.

#include "actors/domain/guest_xml.hpp"
#include "actors/domain/image.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace ci::domain {

/// The definition of the rebuild guest: own name, UUID, MACs and NVRAM file; the disk `spec.disk_target` is
/// `spec.disk_file()`; the recipe's CD-ROMs and, where the profile has a configuration, its ISO are in their
/// drives (drives that guest.xml lacks are added); a drive without an image is empty, and every other disk
/// shared for reading. Never throws.
XmlText rebuild_xml(std::string_view guest_xml, const ImageSpec& spec);

/// Whether the profile has a configuration to be put on an ISO, and the ISO's label.
bool has_config(const ImageSources&);
std::string config_label(const ImageSources&);

} // namespace ci::domain
