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

/// How many bytes are taken now; 0 or less: none.
ssize_t LineWriter::offer(std::string_view bytes) const {
  if (socket_)
    return ::send(descriptor_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (!is_writable(descriptor_, milliseconds{0}))
    return 0;
  // O_NONBLOCK would hold for all who share the pipe. One that is writable has room for so many bytes.
  return ::write(descriptor_, bytes.data(), std::min<std::size_t>(bytes.size(), PIPE_BUF));
}

/// What is left of \p bytes when no more of them are taken.
std::string_view LineWriter::put(std::string_view bytes) const {
  while (!bytes.empty()) {
    const auto taken = offer(bytes);
    if (taken <= 0)
      break;
    bytes.remove_prefix(static_cast<std::size_t>(taken));
  }
  return bytes;
}

void LineWriter::write(std::string_view line) {
  flush();
  if (kept_.empty())
    line = put(line);
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
    kept_.erase(0, kept_.size() - put(kept_).size());
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
