#pragma once
/// What a profile's folder says of it: `<profiles_path>/<key>/`.

#include "config/load.hpp"
#include "config/table.hpp"

namespace ci::config {

/// Takes `image.toml` of the folder into the profile, then the table `[profiles.<key>.image]` over it; either
/// may be missing. `place` is where that table stands in monitor.toml.
void read_image(domain::Profile&, const std::string& folder, const toml::table* image,
                const TableContext& place, const FileReader&, Findings&);

/// Takes in `boot-script`, and complains of what a profile with a target lacks, given neither a hand-made
/// template.
void read_boot_script(domain::Profile&, const std::string& folder, const FileReader&, Findings&);

/// Takes in the files that images are made from, and a fingerprint of them and of the image table.
void read_image_sources(domain::Profile&, const std::string& folder, const FileReader&);

} // namespace ci::config
