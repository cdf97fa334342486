#pragma once
/// Programs with fixed arguments. No shell. Blocking.

#include <atomic>
#include <chrono>
#include <string>
#include <vector>

namespace ci::edge {

/// Runs the program (looked for in PATH) in a process group of its own, its output thrown away, its signals
/// as a fresh process has them. Ends the group when the time is over or `stop` becomes true. Returns an error,
/// or an empty text where it ended with 0. The error names the first two arguments alone.
std::string run_command(const std::vector<std::string>& arguments, std::chrono::seconds patience,
                        const std::atomic<bool>* stop = nullptr);

/// Makes the checkout what its remote's main branch is now: reset, fetched, checked out detached at
/// `origin/main`, with the files that dumb HTTP clients need. Returns an error or an empty text.
std::string update_checkout(const std::string& path, const std::atomic<bool>* stop = nullptr);

} // namespace ci::edge
