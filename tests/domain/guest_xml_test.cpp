#include "actors/domain/guest_xml.hpp"

#include "tests/support/guest_samples.hpp"

#include <doctest/doctest.h>
#include <pugixml.hpp>

#include <string>

using namespace ci::domain;

namespace {

using ci::test::whole_template;

GuestSpec a_spec() {
  auto spec = ci::test::guest_spec("ci-runner-linux.7", "33333333-3333-4333-8333-333333333333");
  spec.mac = "52:54:00:aa:bb:cc";
  spec.template_guest = "ci-template-linux@2024-01-01T00:00:00Z";
  spec.filter = "clean-traffic";
  spec.disk = {"/images/runner/7-base.img@s", "qcow2", "", ""};
  return spec;
}

GuestSpec a_spec_with_file(const std::string& file) {
  auto spec = a_spec();
  spec.disk.file = file;
  return spec;
}

/// With an overlay over a file of that format.
GuestSpec a_spec_with_overlay(const std::string& backing_format) {
  auto spec = a_spec();
  spec.disk = {"/images/runner/7-base.img@s.qcow2", "qcow2", "/images/base/linux/base.img@s", backing_format};
  return spec;
}

/// A rewritten definition, parsed again.
struct Made {
  pugi::xml_document document;
  XmlText text;
  explicit Made(const std::string& from, const GuestSpec& spec = a_spec()) : text(runner_xml(from, spec)) {
    document.load_string(text.xml.c_str());
  }
  pugi::xml_node domain() const { return document.child("domain"); }
  pugi::xml_node devices() const { return domain().child("devices"); }
  pugi::xml_node disk(const std::string& target) const {
    for (auto disk : devices().children("disk"))
      if (disk.child("target").attribute("dev").value() == target)
        return disk;
    return {};
  }
  pugi::xml_node interface(int index) const {
    auto node = devices().child("interface");
    for (; index > 0; --index)
      node = node.next_sibling("interface");
    return node;
  }
};

std::string text_of(pugi::xml_node node) { return node.text().get(); }
std::string value(pugi::xml_node node, const char* attribute) { return node.attribute(attribute).value(); }
std::string domain_with(const std::string& devices) {
  return "<domain type='kvm'><name>t</name><devices>" + devices + "</devices></domain>";
}

} // namespace

TEST_CASE("a runner has its own name, UUID and mark") {
  Made made(whole_template);
  REQUIRE(made.text);
  CHECK(text_of(made.domain().child("name")) == "ci-runner-linux.7");
  CHECK(text_of(made.domain().child("uuid")) == a_spec().uuid);
  CHECK(text_of(made.domain().child("sysinfo").child("system").child("entry")) == a_spec().uuid);
  CHECK(text_of(made.domain().child("genid")).empty());
  CHECK_FALSE(made.domain().attribute("id"));
  auto mark = made.domain().child("metadata").child("ci:runner");
  CHECK(text_of(mark) == "ci-runner-linux.7");
  CHECK(value(mark, "xmlns:ci") == "urn:ci-monitor");
  CHECK_FALSE(made.domain().child("metadata").child("was:runner"));
  CHECK(made.domain().child("metadata").child("libosinfo:libosinfo"));
}

TEST_CASE("what is not the runner's own stays as the template has it") {
  Made made(whole_template);
  CHECK(value(made.domain(), "xmlns:qemu") == "http://libvirt.org/schemas/domain/qemu/1.0");
  CHECK(value(made.domain().child("vcpu"), "cpuset") == "0-3");
  CHECK(value(made.domain().child("cputune").child("vcpupin"), "cpuset") == "2");
  CHECK(made.domain().child("qemu:commandline").child("qemu:arg"));
  CHECK(value(made.interface(0).child("model"), "type") == "virtio");
}

TEST_CASE("only the first disk is cloned, every other one is shared and read-only") {
  Made made(whole_template);
  auto own = made.disk("vda");
  CHECK(value(own.child("source"), "file") == "/images/runner/7-base.img@s");
  CHECK_FALSE(own.child("source").attribute("index"));
  CHECK(value(own.child("driver"), "type") == "qcow2");
  CHECK(value(own.child("driver"), "cache") == "unsafe");
  CHECK_FALSE(own.child("readonly"));
  CHECK(own.child("backingStore"));
  CHECK(made.disk("vdb").child("readonly"));
  CHECK(made.disk("vdb").child("shareable"));
  CHECK(made.disk("vdc").child("readonly"));
  CHECK_FALSE(made.disk("vdc").child("shareable")); // QEMU shares raw disks only
  CHECK(made.disk("sda").child("readonly"));
  CHECK_FALSE(made.disk("sda").child("shareable"));
}

TEST_CASE("a disk's format is always stated") {
  Made made(whole_template);
  for (auto disk : made.devices().children("disk"))
    CHECK_FALSE(value(disk.child("driver"), "type").empty());
  CHECK(value(made.disk("vdb").child("driver"), "type") == "raw");
  auto spec = a_spec();
  spec.disk_target = "vdb";
  CHECK(value(Made(whole_template, spec).disk("vdb").child("driver"), "type") == "raw");
}

TEST_CASE("a named disk is cloned, and the first one is shared then") {
  auto spec = a_spec();
  spec.disk_target = "vdb";
  spec.disk.file = "/images/runner/7-tools.raw";
  Made made(whole_template, spec);
  CHECK(value(made.disk("vdb").child("source"), "file") == "/images/runner/7-tools.raw");
  CHECK_FALSE(made.disk("vdb").child("readonly"));
  CHECK(made.disk("vda").child("readonly"));
}

TEST_CASE("a disk that the template does not have is an error") {
  auto spec = a_spec();
  spec.disk_target = "vdz";
  CHECK(Made(whole_template, spec).text.error == "the template has no disk vdz");
  CHECK(source_disk(whole_template, "vdz").error == "the template has no disk vdz");
}

TEST_CASE("a placeholder becomes a file disk") {
  Made made(
      domain_with("<disk type='block' device='disk'><source dev='/dev/null'/><target dev='vda'/></disk>"));
  CHECK(value(made.disk("vda"), "type") == "file");
  CHECK(value(made.disk("vda").child("source"), "file") == "/images/runner/7-base.img@s");
  CHECK_FALSE(made.disk("vda").child("source").attribute("dev"));
}

TEST_CASE("a template without a disk makes a runner without one") {
  CHECK(Made(domain_with(""), a_spec_with_file("")).text);
  CHECK(source_disk(domain_with(""), "").path.empty());
  CHECK(source_disk(domain_with(""), "").error.empty());
}

TEST_CASE("a template's disk is never left to the runner") {
  CHECK_FALSE(Made(whole_template, a_spec_with_file("")).text);
}

TEST_CASE("the NVRAM file lies beside the runner's disk, carries its name, and keeps its template") {
  Made made(whole_template);
  auto nvram = made.domain().child("os").child("nvram");
  CHECK(text_of(nvram) == "/images/runner/7-ci-runner-linux.7_VARS.fd");
  CHECK(value(nvram, "template") == "/usr/share/OVMF/OVMF_VARS_4M.fd");
  Made newer("<domain><name>t</name><os><nvram type='file'><source "
             "file='/n/t.x/t_VARS.qcow2'/></nvram></os></domain>",
             a_spec_with_file(""));
  CHECK(value(newer.domain().child("os").child("nvram").child("source"), "file") ==
        "/images/runner/7-ci-runner-linux.7_VARS.qcow2");
  Made automatic("<domain><name>t</name><os firmware='efi'><nvram/></os></domain>", a_spec_with_file(""));
  CHECK(text_of(automatic.domain().child("os").child("nvram")).empty());
  Made remote("<domain><name>t</name><os><nvram type='network'><source protocol='nbd'/></nvram></os></domain>",
              a_spec_with_file(""));
  CHECK_FALSE(remote.domain().child("os").child("nvram").child("source").attribute("file"));
}

TEST_CASE("the template's NVRAM file is found in both ways of writing it") {
  CHECK(source_disk(whole_template, "").nvram == "/var/lib/libvirt/qemu/nvram/ci-template-linux_VARS.fd");
  CHECK(source_disk("<domain><os><nvram type='file'><source file='/n/t.fd'/></nvram></os></domain>", "").nvram == "/n/t.fd");
  CHECK(source_disk("<domain><os firmware='efi'><nvram/></os></domain>", "").nvram.empty());
  CHECK(source_disk("<domain/>", "").nvram.empty());
  CHECK(source_disk("no XML", "").nvram.empty());
  CHECK(own_nvram_file(a_spec(), "/n.d/vars") == "/images/runner/7-ci-runner-linux.7_VARS.fd");
  CHECK(own_nvram_file(a_spec(), "").empty());
  CHECK(own_nvram_file(a_spec(), "/n/.vars") == "/images/runner/7-ci-runner-linux.7_VARS.fd");
}

TEST_CASE("every interface has a MAC of its own that repeats with the guest's") {
  Made made(whole_template);
  CHECK(value(made.interface(0).child("mac"), "address") == "52:54:00:aa:bb:cc");
  CHECK(value(made.interface(1).child("mac"), "address") == "56:54:00:aa:bb:cc");
  CHECK(value(made.interface(2).child("mac"), "address") == "5a:54:00:aa:bb:cc");
  CHECK_FALSE(made.interface(0).child("target"));
  CHECK(interface_macs(made.text.xml) ==
        std::vector<std::string>{"52:54:00:aa:bb:cc", "56:54:00:aa:bb:cc", "5a:54:00:aa:bb:cc"});
}

TEST_CASE("a derived MAC stays local and unicast") {
  for (int i = 0; i < max_interfaces; ++i) {
    auto first = std::stoi(interface_mac("52:54:00:aa:bb:cc", i).substr(0, 2), nullptr, 16);
    CHECK((first & 3) == 2);
  }
  for (auto wrong : {"", "52:54:00:aa:bb", "52:54:00:aa:bb:c", "53:54:00:aa:bb:cc", "52-54-00-aa-bb-cc",
                     "52:54:00:aa:bb:cc:dd", "2:54:00:aa:bb:ccx"})
    CHECK(interface_mac(wrong, 0).empty());
  CHECK(interface_mac("52:54:00:aa:bb:cc", -1).empty());
  CHECK(interface_mac("52:54:00:aa:bb:cc", max_interfaces).empty());
}

TEST_CASE("interfaces are isolated and filtered where their type allows it") {
  Made made(whole_template);
  for (int i : {0, 1}) {
    CHECK(value(made.interface(i).child("port"), "isolated") == "yes");
    auto filter = made.interface(i).child("filterref");
    CHECK(value(filter, "filter") == "clean-traffic");
    CHECK(value(filter.child("parameter"), "name") == "CTRL_IP_LEARNING");
    CHECK(value(filter.child("parameter"), "value") == "dhcp");
    CHECK_FALSE(filter.next_sibling("filterref"));
  }
  CHECK_FALSE(made.interface(2).child("port"));
  CHECK_FALSE(made.interface(2).child("filterref"));
}

TEST_CASE("without a filter the template's own stays") {
  auto spec = a_spec();
  spec.filter.clear();
  Made made(whole_template, spec);
  CHECK_FALSE(made.interface(0).child("filterref"));
  CHECK(value(made.interface(1).child("filterref"), "filter") == "no-mac-spoofing");
}

TEST_CASE("paths and ports that one guest alone can have are not the template's") {
  Made made(whole_template);
  CHECK(value(made.devices().child("serial").child("source"), "path") == "/var/log/ci-runner-linux.7.log");
  auto graphics = made.devices().child("graphics");
  CHECK_FALSE(graphics.attribute("port"));
  CHECK(value(graphics, "autoport") == "yes");
  CHECK(value(graphics, "listen") == "127.0.0.1");
  CHECK_FALSE(made.devices().child("vsock").child("cid").attribute("address"));
}

TEST_CASE("the disk to clone is told with its format") {
  auto first = source_disk(whole_template, "");
  CHECK(first.error.empty());
  CHECK(first.path == "/images/base/linux/base.img@s");
  CHECK(first.format == "qcow2");
  CHECK(first.type == "file");
  CHECK(first.target == "vda");
  CHECK(source_disk(whole_template, "vdb").format == "raw");
}

TEST_CASE("a disk that is no file can't be cloned") {
  auto of = [](const std::string& disk) { return source_disk(domain_with(disk), "").error; };
  CHECK(of("<disk type='block'><source dev='/dev/null'/><target dev='vda'/></disk>").find("placeholder") !=
        std::string::npos);
  CHECK(of("<disk type='block'><source dev='/dev/sdb'/><target dev='vda'/></disk>").find("'block'") !=
        std::string::npos);
  CHECK_FALSE(of("<disk type='network'><source protocol='rbd' name='x'/><target dev='vda'/></disk>").empty());
  CHECK_FALSE(of("<disk type='file'><source file='relative'/><target dev='vda'/></disk>").empty());
  CHECK_FALSE(of("<disk type='file'><target dev='vda'/></disk>").empty());
}

TEST_CASE("hostile definitions are errors, never more") {
  auto deep = [](int levels) {
    std::string text = "<domain>";
    for (int i = 0; i < levels; ++i)
      text += "<a>";
    for (int i = 0; i < levels; ++i)
      text += "</a>";
    return text + "</domain>";
  };
  for (std::string text :
       {std::string(), std::string("no xml"), std::string("<domain>"), std::string("<domain><name></domain>"),
        std::string("<network/>"), std::string(100, '\0'),
        std::string("<!DOCTYPE d [<!ENTITY a 'b'>]><domain><name>&a;</name></domain>"),
        std::string("<domain>") + std::string(max_guest_xml, ' ') + "</domain>", deep(100'000)}) {
    CAPTURE(text.substr(0, 60));
    CHECK_FALSE(runner_xml(text, a_spec_with_file("")).error.empty());
    CHECK(runner_xml(text, a_spec_with_file("")).xml.empty());
    CHECK_FALSE(source_disk(text, "").error.empty());
    CHECK(interface_macs(text).empty());
  }
  CHECK(runner_xml(deep(max_guest_xml_depth - 2), a_spec_with_file("")).error.empty());
  CHECK_FALSE(runner_xml(deep(max_guest_xml_depth), a_spec_with_file("")).error.empty());
}

TEST_CASE("an overlay is a qcow2 disk whose backing file and format are stated") {
  Made made(domain_with("<disk type='file'><driver name='qemu' type='raw' cache='none' discard='unmap'/>"
                        "<source file='/images/base/linux/base.img@s'/><target dev='vda'/></disk>"),
            a_spec_with_overlay("raw"));
  REQUIRE(made.text.error == "");
  auto disk = made.disk("vda");
  CHECK(value(disk.child("driver"), "type") == "qcow2");
  CHECK(value(disk.child("driver"), "discard") == "unmap");
  CHECK(value(disk.child("source"), "file") == "/images/runner/7-base.img@s.qcow2");
  auto backing = disk.child("backingStore");
  CHECK(value(backing, "type") == "file");
  CHECK(value(backing.child("format"), "type") == "raw");
  CHECK(value(backing.child("source"), "file") == "/images/base/linux/base.img@s");
  CHECK_FALSE(backing.next_sibling("backingStore"));
  // Whatever a guest wrote to the base's first bytes, nobody is to look for a chain in them.
  auto end = backing.child("backingStore");
  CHECK(end);
  CHECK_FALSE(end.first_child());
}

TEST_CASE("what the template says of its own chain holds below the overlay") {
  const std::string before = "<disk type='file'><driver type='qcow2'/><source file='/images/base/linux/base.img@s'/>",
                    after = "<target dev='vda'/></disk>";
  auto chain = [&](const std::string& own, const char* format) {
    Made made(domain_with(before + own + after), a_spec_with_overlay(format));
    CHECK_FALSE(made.disk("vda").child("backingStore").next_sibling("backingStore"));
    auto below = made.disk("vda").child("backingStore").child("backingStore");
    return !below ? "unsaid" : below.child("source") ? value(below.child("source"), "file") : "none";
  };
  CHECK(chain("", "qcow2") == "unsaid"); // its header tells, with a format
  CHECK(chain("<backingStore/>", "qcow2") == "none");
  CHECK(chain("<backingStore type='file'><format type='raw'/><source file='/deep'/></backingStore>", "qcow2") ==
        "/deep");
  CHECK(chain("<backingStore type='file'><format type='raw'/><source file='/deep'/></backingStore>", "raw") == "none");
}

TEST_CASE("an overlay is laid only over what can bear one") {
  auto bears = [](const std::string& inner, const std::string& attributes = "device='disk'") {
    return source_disk(domain_with("<disk type='file' " + attributes + ">" + inner +
                                   "<target dev='vda'/></disk>"),
                       "vda")
        .may_back;
  };
  const std::string source = "<source file='/f'/>";
  CHECK(bears("<driver type='raw'/>" + source));
  CHECK(bears("<driver type='qcow2'/>" + source));
  CHECK(bears(source));
  CHECK_FALSE(bears("<driver type='vmdk'/>" + source));
  CHECK_FALSE(bears(source + "<encryption format='luks'/>"));
  CHECK_FALSE(bears("<source file='/f'><encryption format='luks'/></source>"));
  CHECK_FALSE(bears("<source file='/f'><slices><slice type='storage' offset='1' size='2'/></slices></source>"));
  CHECK_FALSE(bears(source, "device='floppy'"));
}

TEST_CASE("a file that a guest uses is found wherever the definition names it") {
  auto uses = [](const std::string& devices) { return uses_file(domain_with(devices), "/b"); };
  CHECK(uses("<disk><source file='/b'/></disk>"));
  CHECK(uses("<disk><source file='/a'/><backingStore><source file='/a2'/><backingStore><source file='/b'/>"
             "</backingStore></backingStore></disk>"));
  CHECK(uses_file("<domain><os><nvram>/b</nvram></os></domain>", "/b"));
  CHECK_FALSE(uses("<disk><source file='/b2'/></disk><serial><source path='/b'/></serial>"));
  CHECK_FALSE(uses_file("<domain><os><nvram>/b2</nvram></os></domain>", "/b"));
  CHECK(uses_file("no XML", "/b")); // who knows
}

TEST_CASE("names can't break out of the definition") {
  auto spec = a_spec();
  spec.name = "a</name><evil/>&\"'";
  spec.disk.file = "/x/<y>&'\"";
  Made made(whole_template, spec);
  CHECK(text_of(made.domain().child("name")) == spec.name);
  CHECK_FALSE(made.domain().child("evil"));
  CHECK(value(made.disk("vda").child("source"), "file") == "/x/<y>&'\"");
}

TEST_CASE("an unused interface index or MAC stops the rewriting") {
  auto spec = a_spec();
  spec.mac = "none";
  CHECK_FALSE(Made(whole_template, spec).text.error.empty());
  std::string many;
  for (int i = 0; i <= max_interfaces; ++i)
    many += "<interface type='network'/>";
  CHECK_FALSE(Made(domain_with(many), a_spec_with_file("")).text.error.empty());
}

TEST_CASE("an NVRAM file is a guest's own where it carries its name or its snapshot") {
  CHECK(is_own_nvram("/n/OVMF_VARS.ci-runner-linux.7.fd", "ci-runner-linux.7"));
  CHECK(is_own_nvram("/n/OVMF_VARS.linux@2026-01-01T00:00:00Z.fd", "ci-template-linux@2026-01-01T00:00:00Z"));
  CHECK(is_own_nvram("nvram.fd@2026-01-01T00:00:00Z", "ci-template-linux@2026-01-01T00:00:00Z"));
  CHECK_FALSE(is_own_nvram("/n/OVMF_VARS.linux.clean.fd", "ci-runner-linux.7"));
  CHECK_FALSE(is_own_nvram("/ci-runner-linux.7/OVMF_VARS.fd", "ci-runner-linux.7"));
  CHECK_FALSE(is_own_nvram("/n/OVMF_VARS.fd", "ci-template-linux@"));
}

TEST_CASE("a template that says little is made a runner of all the same") {
  Made made("<domain type='kvm'><sysinfo><system><entry name='serial'>abc</entry></system></sysinfo><devices>"
            "<interface type='network'/><serial type='file'><source path='/var/log/serial.log'/></serial>"
            "<graphics type='vnc' listen='127.0.0.1'/><graphics type='spice' tlsPort='5902'/></devices></domain>",
            a_spec_with_file(""));
  REQUIRE(made.text.error == "");
  CHECK(text_of(made.domain().child("name")) == "ci-runner-linux.7");
  CHECK(text_of(made.domain().child("sysinfo").child("system").child("entry")) == "abc");
  CHECK(value(made.devices().child("serial").child("source"), "path") == "/var/log/serial.log");
  auto graphics = made.devices().child("graphics");
  CHECK_FALSE(graphics.attribute("autoport")); // it states no port
  CHECK(value(graphics.next_sibling("graphics"), "autoport") == "yes");
  CHECK_FALSE(graphics.next_sibling("graphics").attribute("tlsPort"));
}

TEST_CASE("interfaces that state no address have none") {
  CHECK(interface_macs(domain_with("<interface type='network'/><interface type='user'><mac "
                                   "address='52:54:00:AA:bb:cc'/></interface>")) ==
        std::vector<std::string>{"52:54:00:aa:bb:cc"});
}
