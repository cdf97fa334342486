#include "actors/edge/file_tree.hpp"

#include "actors/edge/descriptor.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ci::edge {
namespace {

constexpr std::size_t most_known_etags = 4096;

bool goes_straight_down(std::string_view path) {
  if (path.empty() || path.find('\0') != path.npos)
    return false;
  for (;;) {
    const auto name = path.substr(0, path.find('/'));
    if (name.empty() || name == "." || name == "..")
      return false;
    if (name.size() == path.size())
      return true;
    path.remove_prefix(name.size() + 1);
  }
}

int open_below(int folder, const std::string& path, bool inside) {
  // Not blocking: a pipe that lies there must not hold us up; it is no regular file and is closed at once.
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  how.resolve = RESOLVE_NO_MAGICLINKS | (inside ? RESOLVE_BENEATH : 0);
  for (int tries = 0; tries < 8; ++tries) {
    const auto fd = static_cast<int>(::syscall(SYS_openat2, folder, path.c_str(), &how, sizeof how));
    // EAGAIN: something was renamed at that very moment, and the kernel could not be sure.
    if (fd >= 0 || (errno != EINTR && errno != EAGAIN))
      return fd;
  }
  return -1;
}

std::string hex_number(std::uint64_t value) {
  std::string text;
  do
    text.insert(text.begin(), "0123456789abcdef"[value & 15]);
  while (value >>= 4);
  return text;
}

std::string identity_of(const struct stat& status) {
  const auto nanoseconds = static_cast<std::uint64_t>(status.st_mtim.tv_sec) * 1'000'000'000U +
                           static_cast<std::uint64_t>(status.st_mtim.tv_nsec);
  return hex_number(status.st_ino) + '-' + hex_number(static_cast<std::uint64_t>(status.st_size)) + '-' +
         hex_number(nanoseconds);
}

std::optional<std::string> digest_of(int descriptor) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  if (!context || EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) != 1)
    return std::nullopt;
  std::array<char, 65536> bytes;
  off_t at = 0;
  for (;;) {
    const auto size = ::pread(descriptor, bytes.data(), bytes.size(), at);
    if (size < 0 && errno == EINTR)
      continue;
    if (size < 0)
      return std::nullopt;
    if (size == 0)
      break;
    EVP_DigestUpdate(context.get(), bytes.data(), static_cast<std::size_t>(size));
    at += size;
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  if (EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) != 1)
    return std::nullopt;
  std::string text;
  for (std::size_t i = 0; i < 16; ++i) {
    text += "0123456789abcdef"[digest[i] >> 4];
    text += "0123456789abcdef"[digest[i] & 15];
  }
  return text;
}

} // namespace

OpenFile::OpenFile(int descriptor, domain::FileVersion version)
    : descriptor_(descriptor), version_(std::move(version)) {}
OpenFile::~OpenFile() { ::close(descriptor_); }

std::shared_ptr<const std::string> OpenFile::read(std::int64_t offset, std::size_t size) const {
  std::string bytes(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    const auto got =
        ::pread(descriptor_, bytes.data() + done, size - done, offset + static_cast<off_t>(done));
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      return nullptr;
    done += static_cast<std::size_t>(got);
  }
  return std::make_shared<const std::string>(std::move(bytes));
}

OpenFilePtr FileTree::open(const std::string& path) const {
  if (root_.empty() || !goes_straight_down(path))
    return nullptr;
  const Descriptor folder(::open(root_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder)
    return nullptr;
  Descriptor file(open_below(folder.get(), path, links_ == Links::inside));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode))
    return nullptr;
  const auto identity = identity_of(status);
  const auto tag =
      etag_ == Etag::by_content ? content_etag(file.get(), path, identity) : std::optional(identity);
  if (!tag)
    return nullptr;
  domain::FileVersion version;
  version.size = status.st_size;
  version.modified_at = domain::Time(std::chrono::seconds(status.st_mtim.tv_sec) +
                                     std::chrono::milliseconds(status.st_mtim.tv_nsec / 1'000'000));
  version.etag = '"' + *tag + '"';
  return std::make_shared<const OpenFile>(file.release(), std::move(version));
}

std::optional<std::string> FileTree::content_etag(int descriptor, const std::string& path,
                                                  const std::string& identity) const {
  {
    std::lock_guard lock(mutex_);
    const auto known = known_.find(path);
    if (known != known_.end() && known->second.identity == identity)
      return known->second.etag;
  }
  auto etag = digest_of(descriptor);
  std::lock_guard lock(mutex_);
  if (known_.size() >= most_known_etags)
    known_.clear();
  if (etag)
    known_[path] = {identity, *etag};
  return etag;
}

} // namespace ci::edge
