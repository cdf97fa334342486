/// Definitions of template guests: whatever one says, a runner made of it has its own identity, and may write
/// to no disk but its own; so does the guest that builds an image. What strangers' definitions say of their size is
/// an amount that can be counted with.

#include "actors/domain/adoption.hpp"
#include "actors/domain/guest_document.hpp"
#include "actors/domain/guest_edit.hpp"
#include "actors/domain/guest_xml.hpp"
#include "actors/domain/image_xml.hpp"
#include "tests/fuzz/built_guest.hpp"

#include <memory>

using namespace ci::domain;
using namespace ci::fuzz;

namespace {

const char own_file[] = "/images/runner/7-base.img";

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
  auto spec = image_to_build();
  spec.disk_target = choices & 1 ? "vda" : "hda";
  if (choices & 8)
    spec.recipe.cdroms.emplace("sda", "installer.iso");
  ImageSources sources;
  if (choices & 16)
    sources.user_data = "#cloud-config";
  spec.sources = std::make_shared<const ImageSources>(sources);
  if (check_rebuild(guest_xml, spec))
    reached("a guest that builds");
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
