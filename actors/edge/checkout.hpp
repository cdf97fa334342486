#pragma once
/// The git checkout that guests clone from. Blocking.

#include <atomic>
#include <string>

namespace ci::edge {

/// Makes the checkout what its remote's main branch is now: reset, fetched, checked out detached at
/// `origin/main`, with the files that dumb HTTP clients need. Nobody else may work in it: the locks and unfinished
/// packs of an earlier git that was interrupted are removed first. Returns an error or an empty text.
std::string update_checkout(const std::string& path, const std::atomic<bool>* stop = nullptr);

} // namespace ci::edge
