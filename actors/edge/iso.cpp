#include "actors/edge/iso.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <unistd.h>

namespace ci::edge {
namespace {

struct FreeArchive {
  void operator()(archive* a) const { archive_write_free(a); }
};
struct FreeEntry {
  void operator()(archive_entry* e) const { archive_entry_free(e); }
};

std::string add_file(archive* iso, const std::string& name, const std::string& contents) {
  std::unique_ptr<archive_entry, FreeEntry> entry(archive_entry_new());
  archive_entry_set_pathname(entry.get(), name.c_str());
  archive_entry_set_size(entry.get(), static_cast<la_int64_t>(contents.size()));
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), 0444);
  if (archive_write_header(iso, entry.get()) != ARCHIVE_OK ||
      archive_write_data(iso, contents.data(), contents.size()) != static_cast<la_ssize_t>(contents.size()))
    return archive_error_string(iso);
  return {};
}

std::string fill_iso(int file, const domain::IsoOrder& order) {
  std::unique_ptr<archive, FreeArchive> iso(archive_write_new());
  auto failed = [&] {
    auto text = archive_error_string(iso.get());
    return std::string(text ? text : "libarchive failed");
  };
  if (archive_write_set_format_iso9660(iso.get()) != ARCHIVE_OK ||
      archive_write_set_format_option(iso.get(), "iso9660", "volume-id", order.label.c_str()) != ARCHIVE_OK ||
      archive_write_open_fd(iso.get(), file) != ARCHIVE_OK)
    return failed();
  for (auto& [name, contents] : order.files)
    if (auto error = add_file(iso.get(), name, contents); !error.empty())
      return error;
  if (archive_write_close(iso.get()) != ARCHIVE_OK)
    return failed();
  return ::fsync(file) == 0 ? "" : std::strerror(errno);
}

} // namespace

std::string write_iso(const domain::IsoOrder& order) {
  std::filesystem::path path(order.path);
  auto part = path.parent_path() / ("." + path.filename().string() + ".part");
  ::unlink(part.c_str());
  int file = ::open(part.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  auto error = file < 0 ? std::string(std::strerror(errno)) : fill_iso(file, order);
  if (file >= 0)
    ::close(file);
  if (error.empty() && std::rename(part.c_str(), path.c_str()) != 0)
    error = std::strerror(errno);
  if (error.empty())
    return {};
  ::unlink(part.c_str());
  return "writing " + order.path + ": " + error;
}

} // namespace ci::edge
