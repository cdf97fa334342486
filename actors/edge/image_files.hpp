#pragma once
/// The files of one image: made, and deleted. Blocking.

#include "actors/domain/image.hpp"

#include <atomic>
#include <string>

namespace ci::edge {

/// Makes the folder `<images_path>/base/<profile>` (mode 0711) with its parent, where they are missing; what
/// holds both must be there. Returns an error or an empty text.
std::string make_image_folder(const std::string& folder);

/// Makes the file of an image's disk: a copy (see clone_file) or blank, then grown to its size, mode 0644. One that is
/// there is kept, and grown. Returns an error or an empty text. Gives up soon after `stop` became true.
std::string make_image_disk(const domain::DiskOrder&, const std::atomic<bool>* stop = nullptr);

/// Deletes `{base.img,config.iso,nvram.fd}@<snapshot>` of the folder, and unfinished ones, durably; what is missing is
/// fine. A text that is no snapshot is refused. Returns an error or an empty text.
std::string erase_image_files(const std::string& folder, const std::string& snapshot);

} // namespace ci::edge
