#pragma once
/// Making a definition that was written for one guest another guest's own. Steps of runner_xml() and
/// rebuild_xml(), which say when each is due.

#include "actors/domain/guest.hpp"

#include <pugixml.hpp>

#include <string>
#include <string_view>

namespace ci::domain::xml {

/// "disk" where the element names none.
std::string_view device_of(pugi::xml_node disk);
std::string target_of(pugi::xml_node disk);
/// The disk with that target device; with an empty target the first with device='disk'. Null: there is none.
pugi::xml_node cloned_disk(pugi::xml_node devices, std::string_view target);

pugi::xml_node child_of(pugi::xml_node parent, const char* name);
void set(pugi::xml_node, const char* attribute, std::string_view value);
void set_text(pugi::xml_node, std::string_view text);
void remove_children(pugi::xml_node parent, const char* name);

/// Whether it only keeps the place of a disk that is yet to be made: the block device /dev/null.
bool is_placeholder(pugi::xml_node disk);
/// The guest may write it; it is this file from now on.
void make_own(pugi::xml_node disk, std::string_view file);
/// The same, of a disk that was made of this one: the format is that of `own`, and so is what it is laid
/// over.
void make_cloned(pugi::xml_node disk, const ClonedDisk& own);
/// Read-only, and shareable where the format allows that.
void make_shared(pugi::xml_node disk);
/// Each gets a MAC made from the given one, an isolated port and the filter where its type has these. Returns
/// what is wrong, or an empty text.
std::string own_interfaces(pugi::xml_node devices, const std::string& mac, const std::string& filter);
/// The file that an `<nvram>` names: in an element of its own since libvirt 8.5, else as its text.
std::string nvram_source(pugi::xml_node domain);
/// Where there is an `<nvram>`, it is this file from now on.
void own_nvram(pugi::xml_node domain, const std::string& file);
void own_paths(pugi::xml_node devices, const std::string& template_name, const std::string& name);
void own_ports(pugi::xml_node devices);
void own_identity(pugi::xml_node domain, const std::string& name, const std::string& uuid);
/// Notes in the metadata what it is to us: "runner" or "image".
void mark(pugi::xml_node domain, const char* kind, const std::string& name);

} // namespace ci::domain::xml
