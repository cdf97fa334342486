#include "actors/edge/line_writer.hpp"

#include <algorithm>
#include <climits>
#include <utility>

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ci::edge {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// Whether it takes something within so long.
bool is_writable(int descriptor, milliseconds within) {
  pollfd at{descriptor, POLLOUT, 0};
  return ::poll(&at, 1, static_cast<int>(within.count())) > 0 && (at.revents & POLLOUT);
}

} // namespace

LineWriter::LineWriter(int descriptor, Gap gap, std::size_t bound)
    : descriptor_(descriptor), gap_(std::move(gap)), bound_(bound) {
  struct stat kind {};
  socket_ = ::fstat(descriptor, &kind) == 0 && S_ISSOCK(kind.st_mode);
}

/// Hands on the beginning of \p bytes, and shortens them. False: nothing is taken now.
bool LineWriter::is_taken(std::string_view& bytes) const {
  ssize_t written = -1;
  if (socket_) {
    written = ::send(descriptor_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  } else if (is_writable(descriptor_, milliseconds{0})) {
    // O_NONBLOCK would hold for all who share the pipe. One that is writable has room for so many bytes.
    written = ::write(descriptor_, bytes.data(), std::min<std::size_t>(bytes.size(), PIPE_BUF));
  }
  if (written > 0)
    bytes.remove_prefix(static_cast<std::size_t>(written));
  return written > 0;
}

void LineWriter::write(std::string_view line) {
  flush();
  if (kept_.empty())
    while (!line.empty() && is_taken(line)) {
    }
  if (line.empty())
    return;
  // The rest of a line that was begun is kept whatever the bound.
  if (lost_ > 0 || (!kept_.empty() && kept_.size() + line.size() > bound_))
    ++lost_;
  else
    kept_ += line;
}

void LineWriter::flush() {
  while (!kept_.empty()) {
    std::string_view left = kept_;
    while (!left.empty() && is_taken(left)) {
    }
    kept_.erase(0, kept_.size() - left.size());
    if (!kept_.empty())
      return;
    if (const auto lost = std::exchange(lost_, 0))
      kept_ = gap_(lost);
  }
}

bool LineWriter::drain(milliseconds patience) {
  const auto end = steady_clock::now() + patience;
  for (flush(); !kept_.empty(); flush()) {
    const auto left = std::chrono::ceil<milliseconds>(end - steady_clock::now());
    if (left <= milliseconds{0} || !is_writable(descriptor_, left))
      return false;
  }
  return true;
}

} // namespace ci::edge
