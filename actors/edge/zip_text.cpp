#include "actors/edge/zip_text.hpp"

#include "actors/domain/utf8.hpp"

#include <zip.h>

#include <algorithm>
#include <memory>
#include <optional>

namespace ci::edge {

namespace {

constexpr zip_int64_t most_entries = 100;
/// Of the external attributes of an entry made under Unix: its file type.
constexpr zip_uint32_t unix_type_mask = 0170000, unix_regular = 0100000;

using ZipArchive = std::unique_ptr<zip_t, decltype(&zip_discard)>;
using ZipFile = std::unique_ptr<zip_file_t, decltype(&zip_fclose)>;

ZipArchive open_zip(std::string_view bytes) {
  zip_error_t error;
  zip_error_init(&error);
  auto* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  auto* archive = source ? zip_open_from_source(source, ZIP_RDONLY, &error) : nullptr;
  if (source && !archive)
    zip_source_free(source);
  zip_error_fini(&error);
  return {archive, zip_discard};
}

bool is_folder(std::string_view name) { return name.ends_with('/'); }

/// Nothing is ever written under it; but an archive that tries is no honest one.
bool is_harmless(std::string_view name) {
  if (name.empty() || name.front() == '/' || name.find_first_of("\\:") != std::string_view::npos)
    return false;
  while (!name.empty()) {
    const auto end = std::min(name.find('/'), name.size());
    const auto part = name.substr(0, end);
    if (part == ".." || part == ".")
      return false;
    name.remove_prefix(std::min(end + 1, name.size()));
  }
  return true;
}

bool is_regular(zip_t* archive, zip_uint64_t index) {
  zip_uint8_t system = 0;
  zip_uint32_t attributes = 0;
  if (zip_file_get_external_attributes(archive, index, 0, &system, &attributes) != 0)
    return false;
  const auto type = attributes >> 16 & unix_type_mask;
  return system != ZIP_OPSYS_UNIX || type == 0 || type == unix_regular;
}

ZipFault unfit(std::string trouble) { return {false, std::move(trouble)}; }

/// The index of the only file.
std::variant<zip_uint64_t, ZipFault> only_file(zip_t* archive) {
  const auto count = zip_get_num_entries(archive, 0);
  if (count > most_entries)
    return unfit("it has too many entries");
  std::optional<zip_uint64_t> file;
  for (zip_uint64_t i = 0; i < static_cast<zip_uint64_t>(count); ++i) {
    const char* name = zip_get_name(archive, i, ZIP_FL_ENC_RAW);
    if (!name || !is_harmless(name))
      return unfit("a name in it leads elsewhere");
    if (is_folder(name))
      continue;
    if (file)
      return unfit("it holds more than one file");
    file = i;
  }
  if (!file)
    return unfit("it holds no file");
  return *file;
}

std::variant<std::string, ZipFault> unpack(zip_t* archive, zip_uint64_t index, std::size_t max_bytes) {
  zip_stat_t stat;
  if (zip_stat_index(archive, index, 0, &stat) != 0 || !(stat.valid & ZIP_STAT_SIZE))
    return unfit("the size of its file is not known");
  if (stat.size > max_bytes)
    return ZipFault{true, "its file is too large"};
  if ((stat.valid & ZIP_STAT_ENCRYPTION_METHOD) && stat.encryption_method != ZIP_EM_NONE)
    return unfit("its file is encrypted");
  const ZipFile file{zip_fopen_index(archive, index, 0), zip_fclose};
  if (!file)
    return unfit("its file can't be unpacked");
  // One byte more than it says: that there is none is known only at its end, where the checksum is compared.
  std::string text(stat.size + 1, '\0');
  const auto got = zip_fread(file.get(), text.data(), text.size());
  if (got != static_cast<zip_int64_t>(stat.size))
    return unfit("its file is damaged");
  char more = 0;
  if (zip_fread(file.get(), &more, 1) != 0)
    return unfit("its file is damaged");
  text.resize(stat.size);
  return text;
}

bool is_plain_text(std::string_view text) {
  const auto is_control = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == 0x7f || (byte < 0x20 && c != '\n' && c != '\r' && c != '\t');
  };
  return domain::is_utf8(text) && std::none_of(text.begin(), text.end(), is_control);
}

} // namespace

std::variant<std::string, ZipFault> text_in_zip(std::string_view bytes, std::size_t max_bytes) {
  const auto archive = open_zip(bytes);
  if (!archive)
    return unfit("it is no zip archive");
  const auto found = only_file(archive.get());
  if (const auto* fault = std::get_if<ZipFault>(&found))
    return *fault;
  const auto index = std::get<zip_uint64_t>(found);
  if (!is_regular(archive.get(), index))
    return unfit("its file is no regular file");
  auto unpacked = unpack(archive.get(), index, max_bytes);
  if (const auto* text = std::get_if<std::string>(&unpacked); text && !is_plain_text(*text))
    return unfit("its file is no text");
  return unpacked;
}

} // namespace ci::edge
