#pragma once
/// Reading a guest's definition without trusting it.

#include <pugixml.hpp>

#include <functional>
#include <string>
#include <string_view>

namespace ci::domain {

/// Parses the definition; its root is then `document.child("domain")`. Returns what is wrong with it: no XML,
/// no <domain>, a DOCTYPE, too large or nested too deep (see guest_xml.hpp); empty where nothing is. Never
/// throws.
std::string load_guest(pugi::xml_document& document, std::string_view xml);

/// A definition, or why there is none: exactly one of the two is not empty.
struct XmlText {
  std::string xml;
  std::string error;
  explicit operator bool() const { return error.empty(); }
};

/// The definition after `edit` was at its <domain>; an error of either ends it. `edit` returns what is wrong,
/// or an empty text.
XmlText edit_guest(std::string_view xml, const std::function<std::string(pugi::xml_node domain)>& edit);

} // namespace ci::domain
