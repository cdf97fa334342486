#include "actors/domain/image_xml.hpp"

#include <doctest/doctest.h>
#include <pugixml.hpp>

using namespace ci::domain;

namespace {

constexpr const char* guest_xml = R"(<domain type='kvm'><name>hand-made</name><uuid>old</uuid>
<os><type>hvm</type><nvram template='/t.fd'>/old/VARS.fd</nvram></os><devices>
<disk type='block' device='disk'><driver name='qemu' type='raw'/><source dev='/dev/null'/><target dev='vda'/></disk>
<disk type='block' device='cdrom'><source dev='/dev/null'/><target dev='sda' bus='sata'/></disk>
<disk type='block' device='cdrom'><source dev='/dev/null'/><target dev='sdb' bus='sata'/></disk>
<disk type='file' device='disk'><driver type='qcow2'/><source file='/shared'/><target dev='vdb'/></disk>
<interface type='network'><mac address='52:54:00:00:00:99'/></interface></devices></domain>)";

ImageSpec a_spec() {
  ImageSpec spec;
  spec.rebuild_guest = "ci-rebuild-linux@2026-01-02T00:00:00.000000000Z";
  spec.uuid = "6f1f8b7e-0000-4000-8000-000000000002";
  spec.mac = "52:54:00:00:00:02";
  spec.disk_target = "vda";
  spec.folder = "/images/base/linux";
  spec.snapshot = "2026-01-02T00:00:00.000000000Z";
  spec.deps_folder = "/deps";
  spec.filter = "clean-traffic";
  spec.sources = std::make_shared<const ImageSources>(ImageSources{guest_xml, "#cloud-config", "id", ""});
  return spec;
}

struct Rebuilt {
  XmlText text;
  pugi::xml_document document;
  explicit Rebuilt(const ImageSpec& spec, const char* xml = guest_xml) : text(rebuild_xml(xml, spec)) {
    document.load_string(text.xml.c_str());
  }
  pugi::xml_node domain() { return document.child("domain"); }
  pugi::xml_node disk(const std::string& target) {
    for (auto disk : domain().child("devices").children("disk"))
      if (disk.child("target").attribute("dev").value() == target)
        return disk;
    return {};
  }
  std::string file(const std::string& target) {
    return disk(target).child("source").attribute("file").value();
  }
};

} // namespace

TEST_CASE("a rebuild guest gets what is its own, and the placeholder becomes its disk") {
  auto spec = a_spec();
  Rebuilt made(spec);
  REQUIRE(made.text.error == "");
  CHECK(made.domain().child("name").text().get() == spec.rebuild_guest);
  CHECK(made.domain().child("uuid").text().get() == spec.uuid);
  CHECK(made.domain().child("os").child("nvram").text().get() == spec.nvram_file());
  auto disk = made.disk("vda");
  CHECK(std::string(disk.attribute("type").value()) == "file");
  CHECK(std::string(disk.child("driver").attribute("type").value()) == "raw");
  CHECK(made.file("vda") == "/images/base/linux/base.img@2026-01-02T00:00:00.000000000Z");
  CHECK_FALSE(disk.child("readonly"));
  auto interface = made.domain().child("devices").child("interface");
  CHECK(std::string(interface.child("mac").attribute("address").value()) == spec.mac);
  CHECK(std::string(interface.child("port").attribute("isolated").value()) == "yes");
  CHECK(std::string(interface.child("filterref").attribute("filter").value()) == "clean-traffic");
  CHECK(made.disk("vdb").child("readonly")); // the template's other disks are shared
}

TEST_CASE(
    "the configuration goes into the first drive that the recipe leaves free, or the one that it names") {
  auto spec = a_spec();
  spec.recipe.cdroms = {{"sda", "windows/install.iso"}};
  Rebuilt made(spec);
  CHECK(made.file("sda") == "/deps/windows/install.iso");
  CHECK(made.file("sdb") == spec.config_file());
  spec.recipe.config_cdrom = "sdd"; // not in guest.xml: added
  Rebuilt added(spec);
  CHECK(added.file("sdd") == spec.config_file());
  CHECK(std::string(added.disk("sdd").attribute("device").value()) == "cdrom");
  CHECK(std::string(added.disk("sdd").child("target").attribute("bus").value()) == "sata");
  CHECK(added.disk("sdd").child("readonly"));
  CHECK_FALSE(added.disk("sdb").child("source")); // a placeholder without an image: an empty drive
}

TEST_CASE("a definition that can't be filled is refused with a reason") {
  auto spec = a_spec();
  spec.disk_target = "vdz";
  CHECK(Rebuilt(spec).text.error.find("vdz") != std::string::npos);
  CHECK_FALSE(source_disk(guest_xml, "vdz", true).error.empty());
  spec = a_spec();
  spec.disk_target = "vdb"; // then nothing fills the placeholder vda
  CHECK(Rebuilt(spec).text.error.find("vda") != std::string::npos);
  CHECK_FALSE(Rebuilt(a_spec(), "<domain>").text.error.empty());
  CHECK(source_disk(guest_xml, "vda", true).error == "");
  CHECK(source_disk(guest_xml, "vda", true).placeholder);
  CHECK(source_disk(guest_xml, "vda").error.find("placeholder") != std::string::npos);
  CHECK(source_disk(guest_xml, "vda", true).format == "raw");
  CHECK(source_disk(guest_xml, "vda", true).nvram == "/old/VARS.fd");
}

TEST_CASE("a second disk of a drive's target is shared for reading as any other") {
  std::string twice = guest_xml;
  twice.replace(twice.find("vdb"), 3, "sda");
  Rebuilt made(a_spec(), twice.c_str());
  REQUIRE(made.text.error == "");
  for (auto disk : made.domain().child("devices").children("disk"))
    if (disk.child("source").attribute("file").value() == std::string("/shared"))
      CHECK(disk.child("readonly"));
  CHECK(made.text.xml.find("/shared") != std::string::npos);
}

TEST_CASE("a drive that is added sits on the bus that its name tells") {
  auto spec = a_spec();
  for (auto [target, bus] : {std::pair{"hdc", "ide"}, {"vdc", "virtio"}, {"sdc", "sata"}}) {
    spec.recipe.config_cdrom = target;
    CHECK(std::string(Rebuilt(spec).disk(target).child("target").attribute("bus").value()) == bus);
  }
}

TEST_CASE("a profile without a configuration gets no CD-ROM of one") {
  auto spec = a_spec();
  SUBCASE("its files say nothing") {
    spec.sources = std::make_shared<const ImageSources>(ImageSources{guest_xml, "", "id", ""});
  }
  SUBCASE("its folder was not read") { spec.sources = nullptr; }
  Rebuilt made(spec);
  REQUIRE(made.text.error == "");
  CHECK_FALSE(made.disk("sda").child("source"));
}

TEST_CASE("cloud-init finds its files by the label of their CD-ROM, Windows anywhere") {
  CHECK(config_label({"", "#cloud-config", "", ""}) == "CIDATA");
  const ImageSources windows{"", "", "", "<unattend/>"};
  CHECK(has_config(windows));
  CHECK(config_label(windows) == "CONFIG");
}

TEST_CASE("a configuration for which there is no drive, or a disk that would be two things, is refused") {
  constexpr const char* bare = R"(<domain><name>t</name><devices><disk type='file' device='disk'>
<source file='/x'/><target dev='vda'/></disk></devices></domain>)";
  auto spec = a_spec();
  CHECK(Rebuilt(spec, bare).text.error.find("config_cdrom") != std::string::npos);
  spec.recipe.config_cdrom = "sda";
  Rebuilt made(spec, bare);
  CHECK(made.text.error == "");
  CHECK_FALSE(made.domain().child("os").child("nvram")); // it had none
  spec.recipe.cdroms = {{"vda", "install.iso"}};
  CHECK(Rebuilt(spec, bare).text.error == "the disk vda is a CD-ROM, too");
}

TEST_CASE("a rebuild guest whose interfaces can't be told apart is refused") {
  auto spec = a_spec();
  spec.mac = "none";
  CHECK(Rebuilt(spec).text.error.find("no MAC address") != std::string::npos);
}
