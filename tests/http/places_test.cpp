#include "http/places.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace ci::http;

TEST_CASE("guests and strangers have a quarter each, and who shows the token has what is left") {
  Places places(8);
  std::vector<Places::Place> held;
  const auto take = [&](Asker asker, const std::string& address = {}) {
    auto place = places.take(asker, address);
    if (place)
      held.push_back(place);
    return place != nullptr;
  };
  for (const auto asker : {Asker::guest, Asker::stranger}) {
    CHECK(take(asker, "a"));
    CHECK(take(asker, "b"));
    CHECK(!take(asker, "c"));
  }
  for (int i = 0; i < 4; ++i)
    CHECK(take(Asker::with_token));
  CHECK(!take(Asker::with_token));
  held.erase(held.begin()); // a guest's
  CHECK(take(Asker::with_token));
  CHECK(!take(Asker::guest, "a"));
}

TEST_CASE("a guest's address has so many places, and gets each back with its last copy") {
  Places places(1'000);
  std::vector<Places::Place> held;
  for (std::size_t i = 0; i < Places::most_of_a_guest; ++i)
    held.push_back(places.take(Asker::guest, "a"));
  CHECK(!places.take(Asker::guest, "a"));
  CHECK(places.take(Asker::guest, "b"));
  auto copy = held.back();
  held.pop_back();
  CHECK(!places.take(Asker::guest, "a"));
  copy = nullptr;
  CHECK(places.take(Asker::guest, "a"));
}

TEST_CASE("however few places there are, guests and strangers have one") {
  Places places(2);
  const auto guest = places.take(Asker::guest, "a");
  CHECK(guest);
  CHECK(places.take(Asker::stranger));
}

TEST_CASE("a place may outlive those who gave it") {
  Places::Place place;
  {
    Places places(1);
    place = places.take(Asker::guest, "a");
  }
  CHECK(place);
}
