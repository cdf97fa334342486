#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include "actors/edge/threads.hpp"

int main(int argc, char** argv) {
  auto status = doctest::Context(argc, argv).run();
  ci::edge::wait_for_other_threads(std::chrono::seconds(1));
  return status;
}
