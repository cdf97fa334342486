/// Definitions of template guests: whatever one says, a runner made of it has its own identity, and may write
/// to no disk but its own; so does the guest that builds an image. What strangers' definitions say of their size is
/// an amount that can be counted with.

#include "actors/domain/adoption.hpp"
#include "actors/domain/guest_document.hpp"
#include "actors/domain/guest_edit.hpp"
#include "actors/domain/guest_xml.hpp"
#include "actors/domain/image_xml.hpp"
#include "tests/fuzz/promise.hpp"

#include <memory>

using namespace ci::domain;

namespace {

const char own_file[] = "/images/runner/7-base.img";
const char own_uuid[] = "33333333-3333-4333-8333-333333333333";
const char own_mac[] = "52:54:00:aa:bb:cc";

/// The definition's <domain>, which has its own identity.
pugi::xml_node load_own(pugi::xml_document& document, const std::string& xml, const std::string& name) {
  promise(load_guest(document, xml).empty(), "what was made can be read");
  auto guest = document.child("domain");
  promise(guest.child("name").text().get() == name, "its name is its own");
  promise(guest.child("uuid").text().get() == std::string(own_uuid), "its UUID is its own");
  return guest;
}

void check_disks(pugi::xml_node guest, const std::string& own) {
  for (auto disk : guest.child("devices").children("disk")) {
    std::string_view file = disk.child("source").attribute("file").value();
    promise(disk.child("readonly") || file == own || !disk.child("source"),
            "every disk but its own is read-only, or an empty drive");
  }
}

void try_runner(std::string_view xml, unsigned char choices) {
  GuestSpec spec;
  spec.name = "ci-runner-linux.7";
  spec.uuid = own_uuid;
  spec.mac = own_mac;
  spec.disk_folder = "/images/runner";
  spec.disk_prefix = "7-";
  spec.disk_target = choices & 1 ? "vda" : "";
  spec.filter = choices & 2 ? "clean-traffic" : "";

  auto source = source_disk(xml, spec.disk_target);
  promise(!source || source.path.empty() || source.path.front() == '/',
          "a disk is named by an absolute path");
  auto nvram = own_nvram_file(spec, source.nvram);
  promise(nvram.empty() || nvram.starts_with("/images/runner/7-ci-runner-linux.7_VARS"), "NVRAM is its own");
  promise(nvram.find('/', 15) == std::string::npos, "NVRAM lies in the runners' folder");
  if (!source.path.empty())
    spec.disk = choices & 4 ? ClonedDisk{own_file, "qcow2", source.path, source.format}
                            : ClonedDisk{own_file, source.format, "", ""};
  auto own = runner_xml(xml, spec);
  if (!own)
    return;
  reached("a runner");
  pugi::xml_document document;
  check_disks(load_own(document, own.xml, spec.name), own_file);
}

void try_rebuild(std::string_view guest_xml, unsigned char choices) {
  ImageSpec spec;
  spec.rebuild_guest = "ci-rebuild-linux@2026-01-01T00:00:00Z";
  spec.template_guest = "ci-template-linux@2026-01-01T00:00:00Z";
  spec.uuid = own_uuid;
  spec.mac = own_mac;
  spec.disk_target = choices & 1 ? "vda" : "hda";
  spec.folder = "/images/base/linux";
  spec.snapshot = "2026-01-01T00:00:00Z";
  spec.deps_folder = "/images/deps";
  if (choices & 8)
    spec.recipe.cdroms.emplace("sda", "installer.iso");
  ImageSources sources;
  if (choices & 16)
    sources.user_data = "#cloud-config";
  spec.sources = std::make_shared<const ImageSources>(sources);
  auto own = rebuild_xml(guest_xml, spec);
  if (!own)
    return;
  reached("a guest that builds");
  pugi::xml_document document;
  auto guest = load_own(document, own.xml, spec.rebuild_guest);
  check_disks(guest, spec.disk_file());
  auto nvram = xml::nvram_source(guest);
  promise(nvram.empty() || nvram == spec.nvram_file(), "NVRAM of the guest that builds is the image's");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ci::fuzz::Input input(data, size);
  const auto choices = input.byte();
  const auto xml = input.rest();
  interface_macs(xml);
  uses_file(xml, own_file);
  image_needed_by(xml, "/images", "linux");
  // A hundred of them can be added up.
  constexpr std::int64_t most = std::int64_t{1} << 52;
  auto takes = size_of_guest(xml);
  if (takes.memory_bytes > 0)
    reached("memory");
  if (takes.hugepages_1g > 0)
    reached("pages");
  promise(takes.memory_bytes >= 0 && takes.memory_bytes <= most, "a guest's memory is an amount");
  promise(takes.hugepages_1g >= 0 && takes.hugepages_1g <= most, "a guest's pages are a number");
  try_runner(xml, choices);
  try_rebuild(xml, choices);
  return 0;
}
