#pragma once
/// Folders of files to be served: opened without a way out, read piece by piece. Blocking.

#include "actors/domain/served_file.hpp"

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace ci::edge {

/// An open regular file. Any thread.
class OpenFile {
 public:
  OpenFile(int descriptor, domain::FileVersion version);
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile();

  /// As it was when it was opened.
  const domain::FileVersion& version() const { return version_; }
  /// Exactly \p size bytes from \p offset on; null where it has become shorter, or cannot be read.
  std::shared_ptr<const std::string> read(std::int64_t offset, std::size_t size) const;

 private:
  const int descriptor_;
  const domain::FileVersion version_;
};
using OpenFilePtr = std::shared_ptr<const OpenFile>;

/// One folder. Any thread.
class FileTree {
 public:
  enum class Links {
    followed, ///< wherever they lead: they are the operator's
    inside,   ///< one that leads out of the folder, or is absolute, is as if it were not there
  };
  enum class Etag {
    by_inode,   ///< of the file's number, size and time
    by_content, ///< of its bytes: they are read once a version
  };

  /// \p root: empty for a tree that has no files.
  FileTree(std::filesystem::path root, Links links, Etag etag = Etag::by_inode)
      : root_(std::move(root)), links_(links), etag_(etag) {}

  /// \p path: names separated by `/`. Null where there is no such regular file that may be read, and for
  /// every path with an empty name, `.`, `..` or a NUL: nothing outside of the folder is ever reached but
  /// through a link that is followed.
  OpenFilePtr open(const std::string& path) const;

 private:
  struct Known {
    std::string identity, etag;
  };
  std::optional<std::string> content_etag(int descriptor, const std::string& path,
                                          const std::string& identity) const;

  const std::filesystem::path root_;
  const Links links_;
  const Etag etag_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, Known> known_; ///< by path; bounded
};

} // namespace ci::edge
