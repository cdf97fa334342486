#include "tests/actors/registrations_fixture.hpp"

using namespace registrations_test;
using Kind = GithubError::Kind;

namespace {

ListReply listing(std::vector<RegistrationId> ids) {
  RegistrationListing result;
  for (const auto id : ids)
    result.runners.push_back({id, "r", "online", false, {}});
  return ListReply::ok(std::move(result));
}

FetchReply fetched(RegistrationId id) { return FetchReply::ok({id, "r", "online", false, {}}); }

template <class Reply>
Reply limited(Duration time, bool secondary = true) {
  return Reply::failed({Kind::limited, 429, "slow down", time, secondary});
}

} // namespace

TEST_CASE_FIXTURE(Fixture, "calls are passed on, and the link's answers back") {
  auto fetch = ask(fetch_atom::value, RegistrationId{7});
  answer(fetched(7));
  CHECK(receive<FetchReply>(fetch).value->id == 7);
  auto find = ask(find_atom::value, std::string{"x"});
  CHECK(receive<detail::FindReply>(find));
  auto made = ask(register_atom::value, JitRequest{"x", {"l"}, "_work", 1});
  CHECK(receive<detail::RegisterReply>(made).value->encoded_jit_config == "secret");
  auto label = ask(label_atom::value, RegistrationId{7}, std::vector<std::string>{"l"});
  CHECK(receive<detail::LabelReply>(label).value->size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "an error of one runner is passed on, and holds back nothing") {
  auto fetch = ask(fetch_atom::value, RegistrationId{7});
  answer(FetchReply::failed({Kind::not_found, 404, "gone"}));
  CHECK(receive<FetchReply>(fetch).error.kind == Kind::not_found);
  ask(fetch_atom::value, RegistrationId{8});
  CHECK(calls.fetches.size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "who asks for a listing no newer than the one in flight shares it") {
  const auto moment = now();
  auto first = ask(list_atom::value, moment);
  scheduler.advance_time(1s);
  auto second = ask(list_atom::value, moment);
  auto older = ask(list_atom::value, moment - 1h);
  CHECK(calls.lists.size() == 1);
  answer(listing({1, 2}));
  for (auto* handle : {&first, &second, &older}) {
    const auto reply = receive<ListReply>(*handle);
    REQUIRE(reply);
    CHECK(reply.value->runners.size() == 2);
    CHECK(reply.value->started_at == moment);
  }
}

TEST_CASE_FIXTURE(Fixture, "who asks for a newer one gets the next, which starts when the other is over") {
  auto first = ask(list_atom::value, now());
  scheduler.advance_time(1s);
  const auto later = now();
  auto second = ask(list_atom::value, later);
  auto third = ask(list_atom::value, later);
  CHECK(calls.lists.size() == 1);
  scheduler.advance_time(1s);
  answer(listing({1}));
  CHECK(receive<ListReply>(first).value->runners.size() == 1);
  CHECK(!answered());
  CHECK(calls.lists.size() == 1);
  answer(listing({1, 2}));
  for (auto* handle : {&second, &third}) {
    const auto reply = receive<ListReply>(*handle);
    CHECK(reply.value->runners.size() == 2);
    CHECK(reply.value->started_at == later + 1s);
  }
}

TEST_CASE_FIXTURE(Fixture, "a listing that is new enough is given again without a call") {
  const auto moment = now();
  auto first = ask(list_atom::value, moment);
  answer(listing({1}));
  receive<ListReply>(first);
  scheduler.advance_time(20s);
  auto second = ask(list_atom::value, now() - 20s);
  CHECK(calls.lists.empty());
  CHECK(receive<ListReply>(second).value->started_at == moment);
  ask(list_atom::value, now() - 19s);
  CHECK(calls.lists.size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "a moment to come is met by a listing that starts now") {
  auto first = ask(list_atom::value, now() + 1h);
  answer(listing({1}));
  CHECK(receive<ListReply>(first));
}

TEST_CASE_FIXTURE(Fixture,
                  "a failed listing is told to all who shared it, is not kept, and the next one starts") {
  auto first = ask(list_atom::value, now());
  scheduler.advance_time(1s);
  auto second = ask(list_atom::value, now());
  answer(ListReply::failed({Kind::server, 502, "bad"}));
  CHECK(receive<ListReply>(first).error.kind == Kind::server);
  answer(listing({}));
  CHECK(receive<ListReply>(second));
}

TEST_CASE_FIXTURE(Fixture, "G11: after a limit calls are answered at once, with the time that remains") {
  auto first = ask(fetch_atom::value, RegistrationId{7});
  answer(limited<FetchReply>(90s));
  receive<FetchReply>(first);
  scheduler.advance_time(30s);
  auto fetch = ask(fetch_atom::value, RegistrationId{7});
  auto list = ask(list_atom::value, now());
  auto remove = ask(delete_atom::value, RegistrationId{7});
  CHECK(calls.fetches.empty());
  CHECK(calls.lists.empty());
  CHECK(calls.deletes.empty());
  const auto held = receive<FetchReply>(fetch);
  CHECK(held.error.kind == Kind::limited);
  CHECK(held.error.status == 0);
  CHECK(held.error.retry_after == 60s);
  CHECK(receive<ListReply>(list).error.retry_after == 60s);
  CHECK(receive<DoneReply>(remove).error.retry_after == 60s);
  SUBCASE("until it is over") {
    scheduler.advance_time(60s);
    ask(fetch_atom::value, RegistrationId{7});
    CHECK(calls.fetches.size() == 1);
  }
  SUBCASE("or the token is another one") {
    caf::anon_send(registrations, token_atom::value);
    ask(fetch_atom::value, RegistrationId{7});
    CHECK(calls.fetches.size() == 1);
  }
}

TEST_CASE_FIXTURE(Fixture, "a listing that waited for another is held back by the limit that the other met") {
  ask(list_atom::value, now());
  scheduler.advance_time(1s);
  auto second = ask(list_atom::value, now());
  answer(limited<ListReply>(90s));
  CHECK(calls.lists.empty());
  CHECK(receive<ListReply>(second).error.retry_after == 90s);
}

TEST_CASE_FIXTURE(Fixture, "a limit that deletes need not share lets them through") {
  auto first = ask(fetch_atom::value, RegistrationId{7});
  answer(limited<FetchReply>(90s, false));
  receive<FetchReply>(first);
  ask(delete_atom::value, RegistrationId{7});
  ask(unlabel_atom::value, RegistrationId{7}, std::vector<std::string>{"x"});
  CHECK(calls.deletes.size() == 2);
}

TEST_CASE_FIXTURE(Fixture, "G11: the last of the hour's budget is left to deletes") {
  auto first = ask(fetch_atom::value, RegistrationId{7});
  auto scarce = fetched(7);
  scarce.budget = RateBudget{5000, 30, 10min};
  answer(scarce);
  receive<FetchReply>(first);
  auto fetch = ask(fetch_atom::value, RegistrationId{7});
  CHECK(receive<FetchReply>(fetch).error.retry_after == 10min);
  ask(delete_atom::value, RegistrationId{7});
  CHECK(calls.deletes.size() == 1);
}

TEST_CASE_FIXTURE(
    Fixture,
    "G10: a link that does not answer is unreachable after a time, and what comes later is dropped") {
  auto fetch = ask(fetch_atom::value, RegistrationId{7});
  auto list = ask(list_atom::value, now());
  scheduler.advance_time(Registrations::call_timeout);
  scheduler.run();
  CHECK(receive<FetchReply>(fetch).error.kind == Kind::unreachable);
  CHECK(!answered());
  scheduler.advance_time(Registrations::listing_timeout - Registrations::call_timeout);
  scheduler.run();
  CHECK(receive<ListReply>(list).error.kind == Kind::unreachable);
  answer(fetched(7));
  answer(listing({1}));
  CHECK(!answered());
  ask(list_atom::value, now());
  CHECK(calls.lists.size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "G6: a link that dies leaves nobody waiting") {
  auto fetch = ask(fetch_atom::value, RegistrationId{7});
  auto list = ask(list_atom::value, now());
  caf::anon_send_exit(link, caf::exit_reason::kill);
  scheduler.run();
  auto after = ask(delete_atom::value, RegistrationId{7});
  CHECK(receive<DoneReply>(after).error.kind == Kind::unreachable);
  scheduler.advance_time(Registrations::listing_timeout);
  scheduler.run();
  CHECK(receive<FetchReply>(fetch).error.kind == Kind::unreachable);
  CHECK(receive<ListReply>(list).error.kind == Kind::unreachable);
}

TEST_CASE_FIXTURE(Fixture, "when it ends, everyone who waits is told") {
  auto fetch = ask(fetch_atom::value, RegistrationId{7});
  auto list = ask(list_atom::value, now());
  scheduler.advance_time(1s);
  auto next = ask(list_atom::value, now());
  caf::anon_send_exit(registrations, caf::exit_reason::user_shutdown);
  scheduler.run();
  CHECK(receive<FetchReply>(fetch).error.message == "stopping");
  CHECK(receive<ListReply>(list).error.message == "stopping");
  CHECK(receive<ListReply>(next).error.kind == Kind::unreachable);
}

TEST_CASE_FIXTURE(Fixture, "G11: calls beyond a minute's points are answered at once, and deletes go on") {
  const std::vector<std::string> labels{"l"};
  for (int i = 0; i < 158; ++i) { // 5 points each, of 900 less an eighth
    auto label = ask(label_atom::value, RegistrationId{7}, labels);
    REQUIRE(receive<detail::LabelReply>(label));
  }
  auto late = ask(label_atom::value, RegistrationId{7}, labels);
  const auto reply = receive<detail::LabelReply>(late);
  CHECK(reply.error.kind == Kind::limited);
  CHECK(reply.error.retry_after == 60s);
  ask(delete_atom::value, RegistrationId{7});
  CHECK(calls.deletes.size() == 1);
}
