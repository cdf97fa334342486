#pragma once
/// What a test needs and a machine may lack.

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

namespace ci::test {

/// Fails the test, for nobody looks at what was skipped, unless the environment has that variable:
/// `CI_MONITOR_NO_...`. The caller returns then.
inline void lacking(const std::string& what, const std::string& variable) {
  if (std::getenv(variable.c_str()))
    MESSAGE("skipped: ", what);
  else
    FAIL_CHECK(what, "; ", variable, "=1 does without");
}

} // namespace ci::test
