#pragma once
/// A rebuild guest's libvirt definition, made from the profile's guest.xml. Pure text to text.

#include "actors/domain/guest_xml.hpp"
#include "actors/domain/image.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace ci::domain {

/// What of a profile's guest.xml (or of a hand-made guest's definition) makes the image's disk and firmware.
struct ImageParts {
  /// Stated format of the image's disk.
  std::string format;
  /// The firmware's variables; empty: none.
  std::string nvram;
  /// One line for people.
  std::string error;
  explicit operator bool() const { return error.empty(); }
};

/// Looks at the disk with that target. Unlike source_disk(), it may be a placeholder. Never throws.
ImageParts image_parts(std::string_view xml, std::string_view target);

/// The definition of the rebuild guest: own name, UUID, MACs and NVRAM file; the disk `spec.disk_target` is
/// `spec.disk_file()`; the recipe's CD-ROMs and, where the profile has a configuration, its ISO are in their
/// drives (drives that guest.xml lacks are added); a drive without an image is empty, and every other disk
/// shared for reading. Never throws.
XmlText rebuild_xml(std::string_view guest_xml, const ImageSpec& spec);

/// Whether the profile has a configuration to be put on an ISO, and the ISO's label.
bool has_config(const ImageSources&);
std::string config_label(const ImageSources&);

} // namespace ci::domain
