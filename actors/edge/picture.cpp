#include "actors/edge/picture.hpp"

#include "actors/edge/descriptor.hpp"

#include <png.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ci::edge {
namespace {

namespace fs = std::filesystem;

constexpr auto picture_name = "screenshot.png", draft_name = ".screenshot.png.part";
constexpr std::string_view png_signature = "\x89PNG\r\n\x1a\n";

PngResult not_taken(std::string why) { return {{}, std::move(why)}; }

std::uint32_t big_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char c : bytes.substr(0, 4))
    value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

PngResult checked_png(const std::string& bytes) {
  constexpr std::size_t header_end = 33; // signature, IHDR's length, name, 13 bytes, checksum
  if (bytes.size() < header_end || bytes.compare(12, 4, "IHDR") != 0)
    return not_taken("the picture is no whole PNG");
  const std::string_view header = std::string_view(bytes).substr(16, 13);
  const auto width = big_endian(header), height = big_endian(header.substr(4));
  const auto depth = static_cast<unsigned char>(header[8]);
  const int channels = header[9] == 2 ? 3 : header[9] == 4 ? 2 : header[9] == 6 ? 4 : 1;
  if (width == 0 || height == 0 || depth > 16)
    return not_taken("the picture is no PNG that can be shown");
  // Both factors are below 2^32, and a pixel takes at most 8 bytes: in bits this could pass 2^64.
  const double decoded = static_cast<double>(width) * height * channels * depth / 8;
  if (decoded > static_cast<double>(domain::max_picture_bytes))
    return not_taken("the picture is larger than 64 MiB");
  return {bytes, {}};
}

/// The header of a PPM: three numbers, with white space and comments between.
class PpmHeader {
 public:
  explicit PpmHeader(std::string_view bytes) : rest_(bytes) { rest_.remove_prefix(2); }
  std::optional<std::uint32_t> number() {
    skip_space();
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc())
      return std::nullopt;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }
  /// Behind the one white space that follows the last number.
  std::string_view pixels() const { return rest_.substr(std::min<std::size_t>(1, rest_.size())); }

 private:
  void skip_space() {
    constexpr std::string_view space = " \t\r\n";
    for (;;) {
      rest_.remove_prefix(std::min(rest_.find_first_not_of(space), rest_.size()));
      if (rest_.empty() || rest_.front() != '#')
        return;
      rest_.remove_prefix(std::min(rest_.find('\n'), rest_.size()));
    }
  }
  std::string_view rest_;
};

PngResult converted_ppm(const std::string& bytes) {
  PpmHeader header(bytes);
  const auto width = header.number(), height = header.number(), most = header.number();
  if (!width || !height || !most || *width == 0 || *height == 0 || *most != 255)
    return not_taken("the picture is no PPM with one byte a channel");
  const auto pixels = header.pixels();
  const auto rows = static_cast<std::uint64_t>(*height);
  if (*width > domain::max_picture_bytes / 3 ||
      rows > domain::max_picture_bytes / (std::uint64_t{3} * *width))
    return not_taken("the picture is larger than 64 MiB");
  if (pixels.size() < 3 * *width * rows)
    return not_taken("the picture is no whole PPM");
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = *width;
  image.height = *height;
  image.format = PNG_FORMAT_RGB;
  image.flags = PNG_IMAGE_FLAG_FAST; // four times as quick, a little larger
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  PngResult result;
  result.png.resize(size);
  if (png_image_write_to_memory(&image, result.png.data(), &size, 0, pixels.data(), 0, nullptr) == 0)
    return not_taken(std::string("the picture can't be converted: ") + image.message);
  result.png.resize(size);
  return result;
}

std::string system_trouble(const std::string& what, const fs::path& path) {
  return "can't " + what + ' ' + path.string() + ": " + std::strerror(errno);
}

bool write_whole(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

bool make_private_folder(const fs::path& path) { return ::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST; }

std::optional<domain::RunnerId> runner_of(const std::string& folder) {
  domain::RunnerId id = 0;
  const auto [end, error] = std::from_chars(folder.data(), folder.data() + folder.size(), id);
  const bool whole = error == std::errc() && end == folder.data() + folder.size();
  return whole && id > 0 && std::to_string(id) == folder ? std::optional(id) : std::nullopt;
}

} // namespace

PngResult to_png(const domain::RawPicture& picture) {
  const std::string_view bytes = picture.bytes;
  if (bytes.starts_with(png_signature))
    return checked_png(picture.bytes);
  if (bytes.starts_with("P6"))
    return converted_ppm(picture.bytes);
  return not_taken("the hypervisor gave a picture that is neither PNG nor PPM: " +
                   picture.content_type.substr(0, 80));
}

std::string write_picture(const fs::path& path, const std::string& png) {
  const auto folder = path.parent_path();
  if (!make_private_folder(folder.parent_path()) || !make_private_folder(folder))
    return system_trouble("make the folder", folder);
  const auto draft = folder / draft_name;
  {
    const Descriptor file(::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file || !write_whole(file.get(), png)) {
      auto trouble = system_trouble("write", draft);
      ::unlink(draft.c_str());
      return trouble;
    }
  }
  return ::rename(draft.c_str(), path.c_str()) == 0 ? std::string() : system_trouble("write", path);
}

std::string forget_pictures(const fs::path& data, const std::set<domain::RunnerId>& kept) {
  std::string trouble;
  std::error_code error;
  fs::directory_iterator at(data / "runners", error), end;
  if (error)
    return error == std::errc::no_such_file_or_directory ? std::string() : error.message();
  std::vector<fs::path> stale;
  for (; !error && at != end; at.increment(error))
    if (const auto id = runner_of(at->path().filename().string()); id && !kept.contains(*id))
      stale.push_back(at->path());
  for (const auto& folder : stale) {
    bool had_one = false;
    for (const auto* name : {picture_name, draft_name}) {
      const auto file = folder / name;
      if (::unlink(file.c_str()) == 0)
        had_one = true;
      else if (errno != ENOENT && trouble.empty())
        trouble = system_trouble("delete", file);
    }
    if (had_one)
      ::rmdir(folder.c_str()); // stays where something of an older monitor lies in it
  }
  return trouble;
}

} // namespace ci::edge
