#pragma once
/// Zip archives in memory, honest and not.

#include <zip.h>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace zip_test {

/// A name and a content; a name that ends in `/` is a folder.
using Entries = std::vector<std::pair<std::string, std::string>>;

/// The archive's bytes. `attributes`: external ones of each file, as under Unix; 0: none.
inline std::string make_zip(const Entries& entries, zip_uint32_t attributes = 0,
                            const char* password = nullptr) {
  zip_error_t error;
  zip_error_init(&error);
  auto* source = zip_source_buffer_create(nullptr, 0, 0, &error);
  zip_source_keep(source);
  auto* archive = zip_open_from_source(source, ZIP_TRUNCATE, &error);
  for (const auto& [name, content] : entries) {
    if (name.ends_with('/')) {
      zip_dir_add(archive, name.c_str(), ZIP_FL_ENC_RAW);
      continue;
    }
    auto* data = zip_source_buffer(archive, content.data(), content.size(), 0);
    const auto index = zip_file_add(archive, name.c_str(), data, ZIP_FL_ENC_RAW);
    if (attributes != 0)
      zip_file_set_external_attributes(archive, static_cast<zip_uint64_t>(index), 0, ZIP_OPSYS_UNIX,
                                       attributes);
    if (password)
      zip_file_set_encryption(archive, static_cast<zip_uint64_t>(index), ZIP_EM_AES_256, password);
  }
  if (zip_close(archive) != 0)
    throw std::runtime_error(zip_strerror(archive));
  zip_source_open(source);
  zip_source_seek(source, 0, SEEK_END);
  std::string bytes(static_cast<std::size_t>(zip_source_tell(source)), '\0');
  zip_source_seek(source, 0, SEEK_SET);
  zip_source_read(source, bytes.data(), bytes.size());
  zip_source_close(source);
  zip_source_free(source);
  return bytes;
}

} // namespace zip_test
