#pragma once
/// What must hold of a guest that is made of another's definition: shared by the targets that make some.

#include "actors/domain/guest_document.hpp"
#include "actors/domain/guest_edit.hpp"
#include "actors/domain/image_xml.hpp"
#include "tests/fuzz/promise.hpp"

#include <string>
#include <string_view>

namespace ci::fuzz {

inline const char own_uuid[] = "33333333-3333-4333-8333-333333333333";
inline const char own_mac[] = "52:54:00:aa:bb:cc";

/// The definition's <domain>, which has its own identity.
inline pugi::xml_node load_own(pugi::xml_document& document, const std::string& xml, const std::string& name) {
  promise(domain::load_guest(document, xml).empty(), "what was made can be read");
  auto guest = document.child("domain");
  promise(guest.child("name").text().get() == name, "its name is its own");
  promise(guest.child("uuid").text().get() == std::string(own_uuid), "its UUID is its own");
  return guest;
}

inline void check_disks(pugi::xml_node guest, const std::string& own) {
  for (auto disk : guest.child("devices").children("disk")) {
    std::string_view file = disk.child("source").attribute("file").value();
    promise(disk.child("readonly") || file == own || !disk.child("source"),
            "every disk but its own is read-only, or an empty drive");
  }
}

/// The image that the guest builds; what it is made of is the caller's.
inline domain::ImageSpec image_to_build() {
  domain::ImageSpec spec;
  spec.rebuild_guest = "ci-rebuild-linux@2026-01-01T00:00:00Z";
  spec.template_guest = "ci-template-linux@2026-01-01T00:00:00Z";
  spec.uuid = own_uuid;
  spec.mac = own_mac;
  spec.folder = "/images/base/linux";
  spec.snapshot = "2026-01-01T00:00:00Z";
  spec.deps_folder = "/images/deps";
  return spec;
}

/// False where no guest could be made.
inline bool check_rebuild(std::string_view guest_xml, const domain::ImageSpec& spec) {
  const auto own = domain::rebuild_xml(guest_xml, spec);
  if (!own)
    return false;
  pugi::xml_document document;
  const auto guest = load_own(document, own.xml, spec.rebuild_guest);
  check_disks(guest, spec.disk_file());
  const auto nvram = domain::xml::nvram_source(guest);
  promise(nvram.empty() || nvram == spec.nvram_file(), "NVRAM of the guest that builds is the image's");
  return true;
}

} // namespace ci::fuzz
