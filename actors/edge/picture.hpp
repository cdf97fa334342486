#pragma once
/// Pictures of guests: brought into PNG, kept as files, deleted with their runners. Blocking.

#include "actors/domain/picture.hpp"

#include <filesystem>
#include <set>
#include <string>

namespace ci::edge {

/// PNG bytes, or why there are none.
struct PngResult {
  std::string png;
  std::string error;
  explicit operator bool() const { return error.empty(); }
};

/// PNG stays as it is; PPM (P6, one byte a channel, as QEMU gives it) is converted. Anything else, and a
/// picture that is larger than domain::max_picture_bytes when decoded, is an error. Believes the bytes, not
/// what they are called.
PngResult to_png(const domain::RawPicture&);

/// Writes the file beside its place and renames it, so that a reader sees the old or the new one, whole.
/// Folders that are missing are made (mode 0700). Returns an error or an empty text.
std::string write_picture(const std::filesystem::path&, const std::string& png);

/// Deletes the pictures in `<data>/runners/<id>/` of runners that are not among \p kept, and such a folder if
/// that leaves it empty. Nothing else there is touched. Returns the first error or an empty text.
std::string forget_pictures(const std::filesystem::path& data, const std::set<domain::RunnerId>& kept);

} // namespace ci::edge
