/// What a guest's definition says that it takes of the host, and depends on.
#include "actors/domain/adoption.hpp"
#include "actors/domain/guest_document.hpp"

#include <cstdint>

namespace ci::domain {
namespace {

/// libvirt's words for units of memory; 0: an unknown one.
std::int64_t bytes_in(std::string_view unit) {
  struct Unit {
    std::string_view name;
    std::int64_t bytes;
  };
  constexpr Unit units[] = {{"", 1 << 10},
                            {"b", 1},
                            {"bytes", 1},
                            {"KB", 1'000},
                            {"k", 1 << 10},
                            {"KiB", 1 << 10},
                            {"MB", 1'000'000},
                            {"M", 1 << 20},
                            {"MiB", 1 << 20},
                            {"GB", 1'000'000'000},
                            {"G", 1 << 30},
                            {"GiB", 1 << 30},
                            {"T", std::int64_t{1} << 40},
                            {"TiB", std::int64_t{1} << 40}};
  for (auto& known : units)
    if (known.name == unit)
      return known.bytes;
  return 0;
}

/// An amount with its unit in an attribute; 0 where it makes no sense.
std::int64_t amount(pugi::xml_node node, std::int64_t value) {
  constexpr std::int64_t most = std::int64_t{1} << 52;
  auto unit = bytes_in(node.attribute("unit").value());
  return unit == 0 || value < 0 || value > most / unit ? 0 : value * unit;
}

std::string snapshot_in(std::string_view path, const std::string& folder) {
  auto at = path.rfind('@');
  return path.starts_with(folder) && at != std::string_view::npos ? std::string(path.substr(at + 1)) : "";
}

} // namespace

Resources size_of_guest(std::string_view xml) {
  constexpr std::int64_t page = std::int64_t{1} << 30;
  pugi::xml_document document;
  if (!load_guest(document, xml).empty())
    return {};
  auto domain = document.child("domain");
  auto memory = domain.child("memory");
  auto bytes = amount(memory, memory.text().as_llong());
  auto pages = domain.child("memoryBacking").child("hugepages");
  bool huge = bool(pages) && !pages.child("page");
  for (auto size : pages.children("page"))
    huge |= amount(size, size.attribute("size").as_llong()) == page;
  return huge ? Resources{(bytes + page - 1) / page, 0} : Resources{0, bytes};
}

std::string image_needed_by(std::string_view xml, const std::string& images_path,
                            const std::string& profile) {
  pugi::xml_document document;
  if (!load_guest(document, xml).empty())
    return {};
  const auto folder = images_path + "/base/" + profile + "/";
  for (auto disk : document.child("domain").child("devices").children("disk"))
    for (auto layer = disk; layer; layer = layer.child("backingStore"))
      if (auto found = snapshot_in(layer.child("source").attribute("file").value(), folder); !found.empty())
        return found;
  return {};
}

} // namespace ci::domain
