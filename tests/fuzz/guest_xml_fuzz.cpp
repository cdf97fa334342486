/// Definitions of template guests: whatever one says, a runner made of it has its own identity, and may write
/// to no disk but its own.

#include "actors/domain/guest_document.hpp"
#include "actors/domain/guest_xml.hpp"
#include "tests/fuzz/promise.hpp"

using namespace ci::domain;

namespace {

const char own_file[] = "/images/runner/7-base.img";

void check_disks(pugi::xml_node devices) {
  for (auto disk : devices.children("disk")) {
    std::string_view file = disk.child("source").attribute("file").value();
    promise(disk.child("readonly") || file == own_file, "every disk but its own is read-only");
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ci::fuzz::Input input(data, size);
  const auto choices = input.byte();
  const auto xml = input.rest();
  GuestSpec spec;
  spec.name = "ci-runner-linux.7";
  spec.uuid = "33333333-3333-4333-8333-333333333333";
  spec.mac = "52:54:00:aa:bb:cc";
  spec.disk_folder = "/images/runner";
  spec.disk_prefix = "7-";
  spec.disk_target = choices & 1 ? "vda" : "";
  spec.filter = choices & 2 ? "clean-traffic" : "";

  interface_macs(xml);
  auto source = source_disk(xml, spec.disk_target);
  promise(!source || source.path.empty() || source.path.front() == '/',
          "a disk is named by an absolute path");
  auto nvram = own_nvram_file(spec, source.nvram);
  promise(nvram.empty() || nvram.starts_with("/images/runner/7-ci-runner-linux.7_VARS"), "NVRAM is its own");
  promise(nvram.find('/', 15) == std::string::npos, "NVRAM lies in the runners' folder");
  uses_file(xml, own_file);
  if (!source.path.empty())
    spec.disk = choices & 4 ? ClonedDisk{own_file, "qcow2", source.path, source.format}
                            : ClonedDisk{own_file, source.format, "", ""};
  auto own = runner_xml(xml, spec);
  if (!own)
    return 0;
  pugi::xml_document document;
  promise(load_guest(document, own.xml).empty(), "what was made can be read");
  auto guest = document.child("domain");
  promise(guest.child("name").text().get() == spec.name, "its name is the runner's");
  promise(guest.child("uuid").text().get() == spec.uuid, "its UUID is the runner's");
  check_disks(guest.child("devices"));
  return 0;
}
