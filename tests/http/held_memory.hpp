#pragma once
/// How much memory this process holds.

#ifdef __has_feature // clang's
#define SANITIZED __has_feature(address_sanitizer)
#else
#define SANITIZED 0
#endif

#if SANITIZED
#include <sanitizer/allocator_interface.h>
#else
#include <malloc.h>
#endif

#include <cstdint>

namespace test {

/// Bytes that were allocated and not freed: unlike what is resident, exact with AddressSanitizer too, which holds
/// on to what was freed.
inline std::int64_t held_bytes() {
#if SANITIZED
  return static_cast<std::int64_t>(__sanitizer_get_current_allocated_bytes());
#else
  const auto info = ::mallinfo2();
  return static_cast<std::int64_t>(info.uordblks + info.hblkhd);
#endif
}

} // namespace test
