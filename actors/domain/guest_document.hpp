#pragma once
/// Reading a guest's definition without trusting it.

#include <pugixml.hpp>

#include <string>
#include <string_view>

namespace ci::domain {

/// Parses the definition; its root is then `document.child("domain")`. Returns what is wrong with it: no XML,
/// no <domain>, a DOCTYPE, too large or nested too deep (see guest_xml.hpp); empty where nothing is. Never
/// throws.
std::string load_guest(pugi::xml_document& document, std::string_view xml);

} // namespace ci::domain
