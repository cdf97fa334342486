#include "http/router.hpp"

#include <doctest/doctest.h>

using namespace ci::http;
using namespace std::string_literals;

namespace {

void first(Context&, const Request&, const ResponderPtr&) {}
void second(Context&, const Request&, const ResponderPtr&) {}

Router make_router() {
  Router router;
  router.add({"GET", "/", Audience::others, Proof::none, first});
  router.add({"GET", "/thing/{id}", Audience::others, Proof::none, first});
  router.add({"DELETE", "/thing/{id}", Audience::others, Proof::token, second});
  router.add({"POST", "/thing/{id}/part/{part}", Audience::others, Proof::token, second});
  router.add({"GET", "/files/{path...}", Audience::guests, Proof::none, second});
  return router;
}

using Segments = std::vector<std::string>;

} // namespace

TEST_CASE("a path finds its route and parameters") {
  const auto router = make_router();
  CHECK((router.find("GET", {""}).route->handler == first));
  const auto found = router.find("POST", {"thing", "a/b", "part", "2"});
  REQUIRE(found.route);
  CHECK(found.parameters == std::vector<std::pair<std::string, std::string>>{{"id", "a/b"}, {"part", "2"}});
}

TEST_CASE("the method chooses among the routes of a path") {
  const auto router = make_router();
  CHECK((router.find("GET", {"thing", "1"}).route->handler == first));
  CHECK((router.find("DELETE", {"thing", "1"}).route->handler == second));
  CHECK((router.find("HEAD", {"thing", "1"}).route->handler == first));
  const auto wrong = router.find("PUT", {"thing", "1"});
  CHECK(!wrong.route);
  CHECK(wrong.allowed == std::vector{"GET"s, "HEAD"s, "DELETE"s});
  CHECK(!router.find("HEAD", {"thing", "1", "part", "2"}).route);
  CHECK(!router.find("get", {"thing", "1"}).route);
}

TEST_CASE("what no pattern fits is nowhere") {
  const auto router = make_router();
  for (const auto& segments :
       {Segments{"thing"}, Segments{"thing", ""}, Segments{"thing", "1", ""}, Segments{"Thing", "1"},
        Segments{"", "thing", "1"}, Segments{"thing", "1", "part"}, Segments{"{id}"}})
    CHECK(router.find("GET", segments).allowed.empty());
}

TEST_CASE("an open end takes one segment or more, and no encoded slash") {
  const auto router = make_router();
  CHECK(router.find("GET", {"files", "a", "b"}).route);
  CHECK(router.find("GET", {"files", ""}).route);
  CHECK(router.find("GET", {"files", "a"}).audience == Audience::guests);
  CHECK(!router.find("GET", {"files"}).route);
  CHECK(!router.find("GET", {"files", "a/b"}).route);
}
