#include "actors/domain/guest_document.hpp"

#include "actors/domain/guest_xml.hpp"

#include <sstream>

namespace ci::domain {
namespace {

using pugi::xml_node;

/// Walks without recursion: hostile nesting must not use up the stack, here or when nodes are removed later.
bool nested_too_deep(xml_node root) {
  int depth = 0;
  for (auto node = root; node;) {
    if (depth > max_guest_xml_depth)
      return true;
    if (auto child = node.first_child()) {
      node = child;
      ++depth;
      continue;
    }
    while (node != root && !node.next_sibling()) {
      node = node.parent();
      --depth;
    }
    node = node != root ? node.next_sibling() : xml_node{};
  }
  return false;
}

} // namespace

std::string load_guest(pugi::xml_document& document, std::string_view xml) {
  if (xml.size() > max_guest_xml)
    return "the definition is larger than " + std::to_string(max_guest_xml) + " bytes";
  auto parsed = document.load_buffer(xml.data(), xml.size(), pugi::parse_default | pugi::parse_doctype,
                                     pugi::encoding_utf8);
  if (!parsed)
    return "the definition is no XML: " + std::string(parsed.description()) + " at byte " +
           std::to_string(parsed.offset);
  for (auto child : document.children())
    if (child.type() == pugi::node_doctype)
      return "the definition has a DOCTYPE";
  if (nested_too_deep(document))
    return "the definition is nested too deep";
  if (!document.child("domain"))
    return "the definition has no <domain>";
  return {};
}

XmlText edit_guest(std::string_view xml, const std::function<std::string(pugi::xml_node)>& edit) {
  XmlText result;
  pugi::xml_document document;
  result.error = load_guest(document, xml);
  if (result)
    result.error = edit(document.child("domain"));
  if (!result)
    return result;
  std::ostringstream text;
  document.child("domain").print(text, "  ", pugi::format_default, pugi::encoding_utf8);
  result.xml = text.str();
  return result;
}

} // namespace ci::domain
