#include "actors/edge/history.hpp"

#include "actors/edge/store.hpp"
#include "tests/support/store_samples.hpp"
#include "tests/support/temp_folder.hpp"

#include <doctest/doctest.h>

#include <fstream>

using namespace ci;
using namespace ci::test;
using edge::HistoryReader;
namespace ops = domain::store;

namespace {

/// Lines 1 to n, a second apart, of the runners 1, 2, 3, 1, 2, 3 ... and the profiles linux and windows in
/// turn.
domain::StoreBatch lines(int from, int to) {
  domain::StoreBatch batch;
  for (int i = from; i <= to; ++i)
    batch.push_back(ops::AppendHistory{
        {at(i * 1'000), i % 2 ? "busy" : "online", 1 + (i - 1) % 3, i % 2 ? "linux" : "windows", "detail"}});
  return batch;
}

std::vector<std::int64_t> numbers(const domain::HistoryPage& page) {
  std::vector<std::int64_t> result;
  for (auto& line : page.lines)
    result.push_back(line.number);
  return result;
}

struct Written {
  TempFolder folder;
  edge::Store store{folder.path()};
  HistoryReader reader{folder.path()};
  explicit Written(int count) { store.apply(lines(1, count)); }
};

using Numbers = std::vector<std::int64_t>;

} // namespace

TEST_CASE("pages lead from the newest line to the oldest, whatever is written meanwhile") {
  Written w(7);
  domain::HistoryQuery query;
  query.limit = 3;
  auto page = w.reader.page(query);
  CHECK(numbers(page) == Numbers{7, 6, 5});
  CHECK(page.lines[0].event.at == at(7'000));
  CHECK(page.lines[0].event.event == "busy");
  CHECK(page.lines[0].event.runner == 1);
  CHECK(page.lines[0].event.profile == "linux");
  CHECK(page.lines[0].event.detail == "detail");
  w.store.apply(lines(8, 9));
  query.before = page.next;
  page = w.reader.page(query);
  CHECK(numbers(page) == Numbers{4, 3, 2});
  query.before = page.next;
  page = w.reader.page(query);
  CHECK(numbers(page) == Numbers{1});
  CHECK_FALSE(page.next);
}

TEST_CASE("a page that is just full has no successor") {
  Written w(3);
  domain::HistoryQuery query;
  query.limit = 3;
  CHECK_FALSE(w.reader.page(query).next);
}

TEST_CASE("each condition of a query holds, and all together") {
  Written w(12);
  domain::HistoryQuery query;
  query.runner = 2;
  CHECK(numbers(w.reader.page(query)) == Numbers{11, 8, 5, 2});
  query.profile = "windows";
  CHECK(numbers(w.reader.page(query)) == Numbers{8, 2});
  query.event = "busy";
  CHECK(numbers(w.reader.page(query)).empty());
  query = {};
  query.since = at(4'000);
  query.until = at(6'000);
  CHECK(numbers(w.reader.page(query)) == Numbers{5, 4});
  query.profile = "'; DROP TABLE history; --";
  CHECK(numbers(w.reader.page(query)).empty());
}

TEST_CASE("lines come in the order in which they were written, in parts") {
  Written w(domain::max_history_limit + 5);
  auto first = w.reader.after(0);
  REQUIRE(first.size() == domain::max_history_limit);
  CHECK(first.front().number == 1);
  auto second = w.reader.after(first.back().number);
  CHECK(second.size() == 5);
  CHECK(w.reader.after(second.back().number).empty());
}

TEST_CASE("a reader neither blocks the writer nor keeps its log from being emptied") {
  Written w(2'000);
  CHECK(w.reader.after(0).size() == 1'000);
  w.store.apply({ops::PutRunner{full_runner(1)}, ops::DropRunner{1}});
  CHECK(w.store.needs_tidying());
  w.store.tidy();
  CHECK_FALSE(w.store.needs_tidying());
  CHECK(w.reader.after(0).size() == 1'000);
}

TEST_CASE("a store that can't be read is told so, with its name") {
  TempFolder folder;
  CHECK_THROWS_WITH_AS(HistoryReader(folder.path()), doctest::Contains("can't read the history"),
                       edge::StoreError);
  std::ofstream(folder.path() / "monitor.db") << std::string(4'096, 'x');
  CHECK_THROWS_AS(HistoryReader(folder.path()).page({}), edge::StoreError);
}
