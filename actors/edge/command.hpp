#pragma once
/// Programs with fixed arguments. No shell. Blocking.

#include <atomic>
#include <chrono>
#include <string>
#include <vector>

namespace ci::edge {

/// Runs the program (looked for in PATH) in a process group of its own, its output thrown away, its signals
/// as a fresh process has them, without any file that is open here. Ends the group when the time is over or `stop`
/// becomes true: asks it to (SIGTERM), and kills it 1.5 s later. The program itself is also asked to end when the
/// calling thread does, by kill -9 as well. Returns an error, or an empty text where it ended with 0. The error names
/// the first two arguments alone, and where it is `quoted` the beginning of what the program said on stderr: not for
/// programs that know secrets.
std::string run_command(const std::vector<std::string>& arguments, std::chrono::seconds patience,
                        const std::atomic<bool>* stop = nullptr, bool quoted = false);

} // namespace ci::edge
