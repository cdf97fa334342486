#include "actors/edge/data_folder.hpp"

#include "actors/edge/descriptor.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <optional>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ci::edge {
namespace fs = std::filesystem;
namespace {

/// Longer numbers are not ids; this leaves room to count on from any that is.
constexpr std::size_t max_id_digits = 18;

[[noreturn]] void fail(const std::string& what, const fs::path& path, int error) {
  auto hint =
      error == EACCES || error == EPERM || error == EROFS
          ? "; the monitor runs as user id " + std::to_string(geteuid()) + " and must be able to write there"
          : std::string();
  throw StoreError("can't " + what + " " + path.string() + ": " + std::strerror(error) + hint);
}

void make_folder(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error))
    return;
  if (auto parent = path.parent_path(); !parent.empty())
    fs::create_directories(parent, error);
  if (error)
    fail("make the folder", path.parent_path(), error.value());
  if (mkdir(path.c_str(), 0700) != 0)
    fail("make the data folder", path, errno);
}

std::string holder_of(int lock) {
  char text[32] = {};
  auto size = pread(lock, text, sizeof text - 1, 0);
  std::string_view pid(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  pid = pid.substr(0, pid.find_first_not_of("0123456789"));
  return pid.empty() ? "another process" : "process " + std::string(pid);
}

domain::RunnerId read_last_runner_id(const fs::path& file) {
  std::error_code error;
  if (!fs::exists(file, error) && !error)
    return 0;
  std::ifstream in(file);
  std::string word, more;
  auto readable = static_cast<bool>(in >> word);
  auto id = id_in(word);
  if (!readable || !id || in >> more)
    throw StoreError(file.string() +
                     " can't be read as a number: write the highest runner id that was ever used "
                     "into it, or delete it if there was none");
  return *id;
}

/// Of the names in the folder; 0 where it does not exist.
template <class IdOf>
domain::RunnerId highest_in(const fs::path& folder, IdOf id_of) {
  domain::RunnerId highest = 0;
  std::error_code error;
  if (!fs::exists(folder, error) && !error)
    return 0;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    highest = std::max(highest, id_of(it->path().filename().string()).value_or(0));
  if (error)
    fail("list the folder", folder, error.value());
  return highest;
}

std::optional<domain::RunnerId> id_of_disk(const std::string& name) {
  auto dash = name.find('-');
  return dash == std::string::npos ? std::nullopt : id_in(std::string_view(name).substr(0, dash));
}

void write_all(int fd, std::string_view text, const fs::path& path) {
  while (!text.empty()) {
    auto written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      fail("write", path, errno);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

} // namespace

DataFolder::DataFolder(fs::path path) : path_(std::move(path)) {
  make_folder(path_);
  if (faccessat(AT_FDCWD, path_.c_str(), R_OK | W_OK | X_OK, AT_EACCESS) != 0)
    fail("write in the data folder", path_, errno);
  auto file = path_ / "monitor.lock";
  auto fd = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0)
    fail("open", file, errno);
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    auto error = errno;
    auto holder = holder_of(fd);
    close(fd);
    if (error != EWOULDBLOCK)
      fail("lock", file, error);
    throw StoreError("the data folder " + path_.string() + " is in use by " + holder +
                     ": stop that one first, or set another SERVO_CI_MONITOR_DATA_PATH");
  }
  lock_ = fd;
  auto pid = std::to_string(getpid()) + "\n";
  // The pid is for people only: a full disk must not keep the monitor from starting.
  if (ftruncate(lock_, 0) == 0 && pwrite(lock_, pid.data(), pid.size(), 0) < 0)
    errno = 0;
}

DataFolder::~DataFolder() { close(lock_); }

std::optional<domain::RunnerId> id_in(std::string_view text) {
  domain::RunnerId value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  auto all_digits = text.find_first_not_of("0123456789") == std::string_view::npos;
  if (error != std::errc() || end != text.data() + text.size() || !all_digits || text.size() > max_id_digits)
    return std::nullopt;
  return value;
}

domain::RunnerId first_free_id(const fs::path& data, const fs::path& images) {
  auto last = std::max(read_last_runner_id(data / "last-runner-id"), highest_in(data / "runners", id_in));
  return (images.empty() ? last : std::max(last, highest_in(images / "runner", id_of_disk))) + 1;
}

void write_last_runner_id(const fs::path& data, domain::RunnerId last) {
  auto file = data / "last-runner-id", draft = data / "last-runner-id.new";
  {
    Descriptor out(open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!out)
      fail("write", draft, errno);
    write_all(out.get(), std::to_string(last), draft);
    if (fsync(out.get()) != 0)
      fail("write", draft, errno);
  }
  if (rename(draft.c_str(), file.c_str()) != 0)
    fail("write", file, errno);
}

void create_private_file(const fs::path& path) {
  Descriptor file(open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file)
    fail("create", path, errno);
}

void sync_folder(const fs::path& path) {
  Descriptor folder(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || fsync(folder.get()) != 0)
    fail("write in the folder", path, errno);
}

} // namespace ci::edge
