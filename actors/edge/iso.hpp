#pragma once
/// CD-ROM images that carry a guest's configuration. Blocking.

#include "actors/domain/image.hpp"

#include <string>

namespace ci::edge {

/// Writes an ISO 9660 image with Joliet and Rock Ridge names: what cloud-init and Windows read. It is written
/// as `.<name>.part` beside its place, mode 0600, brought to disk, and renamed. The folder must be there.
/// Returns an error or an empty text.
std::string write_iso(const domain::IsoOrder&);

} // namespace ci::edge
