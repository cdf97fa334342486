#pragma once
/// Definitions of template guests, and the order to make a runner guest of one.

#include "actors/domain/guest.hpp"

#include <string>

namespace ci::test {

/// The least that a template needs: its disk, and what else belongs to the guest as a whole.
inline std::string template_xml(const std::string& more = {}) {
  return "<domain><name>template</name>" + more +
         "<devices><disk type='file' device='disk'><driver type='qcow2'/>"
         "<source file='/images/base/linux/base.img@s'/><target dev='vda'/></disk></devices></domain>";
}

/// An order for the runner with the id 7.
inline domain::GuestSpec guest_spec(const std::string& name, const std::string& uuid) {
  domain::GuestSpec spec;
  spec.name = name;
  spec.uuid = uuid;
  spec.mac = "52:54:00:00:00:07";
  spec.template_guest = "template";
  spec.disk_folder = "/images/runner";
  spec.disk_prefix = "7-";
  spec.released = true;
  return spec;
}

/// One of everything that a runner must not share with its template, or must keep.
inline const std::string whole_template =
    R"(<domain type='kvm' id='7' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>ci-template-linux@2024-01-01T00:00:00Z</name>
  <uuid>11111111-1111-4111-8111-111111111111</uuid>
  <genid>22222222-1111-4111-8111-111111111111</genid>
  <metadata>
    <libosinfo:libosinfo xmlns:libosinfo="http://libosinfo.org/xmlns/libvirt/domain/1.0"><libosinfo:os id="x"/></libosinfo:libosinfo>
    <was:runner xmlns:was="urn:ci-monitor">an-older-one</was:runner>
  </metadata>
  <vcpu placement='static' cpuset='0-3'>4</vcpu>
  <cputune><vcpupin vcpu='0' cpuset='2'/></cputune>
  <sysinfo type='smbios'><system><entry name='uuid'>11111111-1111-4111-8111-111111111111</entry></system></sysinfo>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <nvram template='/usr/share/OVMF/OVMF_VARS_4M.fd'>/var/lib/libvirt/qemu/nvram/ci-template-linux_VARS.fd</nvram>
  </os>
  <devices>
    <disk type='file' device='cdrom'><driver name='qemu' type='raw'/><source file='/images/config.iso'/><target dev='sda' bus='sata'/><readonly/></disk>
    <disk type='file' device='disk'><driver name='qemu' type='qcow2' cache='unsafe'/><source file='/images/base/linux/base.img@s' index='1'/><backingStore/><target dev='vda' bus='virtio'/></disk>
    <disk type='file' device='disk'><source file='/images/tools.raw'/><target dev='vdb' bus='virtio'/></disk>
    <disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/images/more.qcow2'/><target dev='vdc' bus='virtio'/></disk>
    <interface type='network'><mac address='52:54:00:00:00:01'/><source network='ci'/><target dev='tap-template'/><model type='virtio'/></interface>
    <interface type='bridge'><mac address='52:54:00:00:00:02'/><source bridge='br0'/><filterref filter='no-mac-spoofing'/></interface>
    <interface type='user'><mac address='52:54:00:00:00:03'/></interface>
    <serial type='file'><source path='/var/log/ci-template-linux@2024-01-01T00:00:00Z.log'/><target port='0'/></serial>
    <graphics type='vnc' port='5901' autoport='no' listen='127.0.0.1'/>
    <vsock model='virtio'><cid auto='no' address='3'/></vsock>
  </devices>
  <qemu:commandline><qemu:arg value='-global'/></qemu:commandline>
</domain>)";

} // namespace ci::test
