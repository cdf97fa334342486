#pragma once
/// For LeakSanitizer, where it is compiled in; without it nothing of this is left.

#if defined(__SANITIZE_ADDRESS__)
#define CI_MONITOR_FINDS_LEAKS
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CI_MONITOR_FINDS_LEAKS
#endif
#endif

#ifdef CI_MONITOR_FINDS_LEAKS
#include <sanitizer/lsan_interface.h>
#endif

namespace ci::edge {

/// What the calling thread allocates while this lives is never reported as leaked. Only around a call of somebody
/// else's code that is known to leak, with a reason beside it: it hides leaks of our own as well.
class LeakPause {
 public:
#ifdef CI_MONITOR_FINDS_LEAKS
  LeakPause() { __lsan_disable(); }
  ~LeakPause() { __lsan_enable(); }
#else
  LeakPause() {} // not defaulted: a variable of it then counts as used
#endif
  LeakPause(const LeakPause&) = delete;
  LeakPause& operator=(const LeakPause&) = delete;
};

} // namespace ci::edge
