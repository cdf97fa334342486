#include "actors/historian.hpp"

#include "actors/edge/store.hpp"
#include "tests/support/fake_host.hpp"
#include "tests/support/store_samples.hpp"
#include "tests/support/temp_folder.hpp"

#include <doctest/doctest.h>

using namespace ci;
namespace ops = domain::store;

namespace {

/// A historian on the test's scheduler, and what it answered.
struct Reading {
  test::Stage stage;
  test::TempFolder folder;
  historian_actor historian =
      stage.system.spawn<Historian>(std::make_shared<Meter>("historian"), folder.path());
  std::optional<HistoryReply> recalled;
  std::optional<UsageReply> tallied;

  ~Reading() {
    caf::anon_send_exit(historian, caf::exit_reason::user_shutdown);
    historian = nullptr;
    stage.run();
  }
  const HistoryReply& recall() {
    caf::anon_send(historian, recall_atom::value, domain::HistoryQuery{},
                   RecalledTo([this](const HistoryReply& reply) { recalled = reply; }));
    stage.run();
    return recalled.value();
  }
  const UsageReply& tally() {
    caf::anon_send(historian, tally_atom::value, domain::UsageWindow{test::at(0), test::at(10'000'000)},
                   TalliedTo([this](const UsageReply& reply) { tallied = reply; }));
    stage.run();
    return tallied.value();
  }
};

} // namespace

TEST_CASE("the historian reads what the journal has written, more than one part of it") {
  Reading r;
  edge::Store store(r.folder.path());
  domain::StoreBatch batch;
  for (int i = 1; i <= domain::max_history_limit + 10; ++i)
    batch.push_back(ops::AppendHistory{{test::at(i), "ordered", i, "linux", ""}});
  store.apply(batch);
  CHECK(r.recall().page.value().lines.size() == 100);
  CHECK(r.tally().report.value().total.runners_made == domain::max_history_limit + 10);
}

TEST_CASE("a store that can't be read is an answer, and is opened anew at the next question") {
  Reading r;
  CHECK_FALSE(r.recall().page);
  CHECK(r.recalled->error.find("can't read") != std::string::npos);
  CHECK_FALSE(r.tally().report);
  edge::Store store(r.folder.path());
  CHECK(r.recall().page.value().lines.empty());
  CHECK(r.tally().report);
}

TEST_CASE("who asks a dead historian is told by the end of the function") {
  Reading r;
  auto asked = std::make_shared<int>(0);
  caf::anon_send_exit(r.historian, caf::exit_reason::kill);
  r.stage.run();
  caf::anon_send(r.historian, recall_atom::value, domain::HistoryQuery{},
                 RecalledTo([asked](const HistoryReply&) { ++*asked; }));
  r.stage.run();
  CHECK(asked.use_count() == 1);
  CHECK(*asked == 0);
}
