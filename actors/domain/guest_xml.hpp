#pragma once
/// A runner's libvirt definition, made from its template's. Pure text to text; libvirt is not asked.

#include "actors/domain/guest.hpp"
#include "actors/domain/guest_document.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace ci::domain {

/// Definitions that are larger, or nested deeper, are refused: libvirt's own are some kilobytes.
constexpr std::size_t max_guest_xml = std::size_t{1} << 20;
constexpr int max_guest_xml_depth = 64;
/// More interfaces than these have no MAC addresses of their own.
constexpr int max_interfaces = 32;

/// What of a definition is cloned: one disk, and the firmware's variables.
struct SourceDisk {
  /// Absolute path of the file; empty, without an error: there is no disk, so nothing is cloned.
  std::string path;
  /// libvirt's `type` of the disk. Only `file` disks are cloned; others are an error.
  std::string type;
  /// Stated format; `raw` where the template states none. Never probed.
  std::string format;
  /// Target device, e.g. `vda`.
  std::string target;
  /// It names no file, but the place of one that is yet to be made: an error only for who would clone it.
  bool placeholder = false;
  /// Whether a qcow2 overlay may be laid over it: its format and its options leave that open.
  bool may_back = false;
  /// The file that holds the firmware's variables; empty where the definition names none.
  std::string nvram;
  /// One line for people.
  std::string error;
  explicit operator bool() const { return error.empty(); }
};

/// Looks at the disk with that target device; with an empty target at the first with device='disk', if there
/// is any. A named target that is missing is an error. `placeholders`: whether such a disk is none. Never
/// throws.
SourceDisk source_disk(std::string_view xml, std::string_view target, bool placeholders = false);

/// Whether the definition names that file for a disk, for what a disk is laid over, or for the firmware. One
/// that can't be read might. Never throws.
bool uses_file(std::string_view xml, std::string_view file);

/// Whether an NVRAM file is the guest's own: its name carries the guest's, or its snapshot. Others are left when the
/// guest goes.
bool is_own_nvram(std::string_view file, std::string_view guest);

/// Where the runner's copy of that file is: `<disk_folder>/<disk_prefix><name>_VARS<extension>`, beside its
/// disk, so that it goes with it. Empty where `source` is.
std::string own_nvram_file(const GuestSpec& spec, std::string_view source);

/// The definition of the runner `spec` from its template's inactive definition. `spec.disk` takes the place
/// of the file of the disk that source_disk() finds; without a file: the template has none. An overlay's
/// backing file and all formats are stated. What only one guest may have at a time (name, UUID, MACs, NVRAM,
/// fixed ports, paths that carry the template's name) becomes the runner's own; every other disk becomes
/// read-only, and shareable where its format allows that. Interfaces get an isolated port and the filter
/// where their type has these. Never throws.
XmlText runner_xml(std::string_view template_xml, const GuestSpec& spec);

/// MAC of a runner's interface `index`: the given one for the first, the others differ in the first byte,
/// which stays that of a local unicast address. Empty where `mac` is no MAC or the index is out of range.
std::string interface_mac(std::string_view mac, int index);

/// MACs of all interfaces, in lower case. Empty also where the definition can't be read.
std::vector<std::string> interface_macs(std::string_view xml);

} // namespace ci::domain
