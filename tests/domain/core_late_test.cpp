/// What comes too early, too late, or from an earlier process.
#include "tests/support/forge.hpp"
#include "tests/support/promised.hpp"

using namespace ci::test;
using namespace std::chrono_literals;

namespace {

const std::string first_id = "00000001-0000-4000-8000-000000000000";

/// A process that knows neither store nor settings yet.
struct Blank : Bench {
  Blank() { forget(); }
  void forget() {
    core = std::make_unique<Core>([] { return std::uint64_t{7}; });
  }
};

struct Idle : Bench {
  Idle() {
    start();
    boot_all();
  }
};

template <class E>
bool is(const Effect& e) {
  return std::holds_alternative<E>(e);
}
using Kind = bool (*)(const Effect&);

void check_that_all_are_told_to_come_again(Bench& b) {
  CHECK(b.takes.at(b.take(Bench::ask("linux", 1))).verdict.refusal == Refusal::not_ready);
  CHECK(b.releases.at(b.release(first_id)).verdict.refusal == Refusal::not_ready);
  Refusal refusal{};
  CHECK(b.jitconfig("10.0.0.2", &refusal).empty());
  CHECK(refusal == Refusal::not_ready);
  const auto boot = b.next_request++;
  b.core->boot(b.now(), boot, "10.0.0.2");
  b.run();
  CHECK(b.boots.at(boot).verdict.refusal == Refusal::not_ready);
  CHECK(b.pull(lever::CancelOverride{}).verdict.refusal == Refusal::not_ready);
}

} // namespace

TEST_CASE("before store and settings are read, and after a stop, all that ask are told to come again") {
  Blank b;
  check_that_all_are_told_to_come_again(b);
  b.core->on_loaded(b.now(), {});
  check_that_all_are_told_to_come_again(b);
  Blank c;
  c.core->on_policy(c.now(), c.policy);
  check_that_all_are_told_to_come_again(c);
  CHECK(c.world.registered == 0);
  Bench d;
  d.start();
  d.core->stop(d.now());
  check_that_all_are_told_to_come_again(d);
}

TEST_CASE("what is reported before the settings are known is taken in") {
  Blank b;
  b.start();
  b.boot_all();
  b.forget();
  b.core->on_loaded(b.now(), b.store);
  b.core->on_host(b.now(), true, "");
  b.core->on_guest_listing(b.now(), b.world.list_guests(b.steady), "");
  b.core->on_addresses(b.now(), b.world.addresses(b.steady), "");
  b.core->on_registration_listing(b.now(), b.world.list(b.steady));
  CHECK(b.core->held().hugepages_1g == 3);
  CHECK(b.count(Status::Idle) == 3);
  b.core->on_policy(b.now(), b.policy);
  b.run();
  CHECK(b.count(Status::Idle) == 3);
  CHECK(b.core->runners().size() == 3);
}

TEST_CASE("answers about what is no more change nothing") {
  Idle b;
  const auto runners = b.store.runners;
  const auto gone = World::error(GithubError::Kind::not_found, 404);
  b.core->on_committed(b.now());
  b.core->on_looked(b.now(), 99, GithubReply<Registration>::failed(gone));
  b.core->on_found(b.now(), 99, GithubReply<std::vector<Registration>>::failed(gone));
  b.core->on_registered(b.now(), 99, GithubReply<JitRegistration>::failed(gone));
  b.core->on_unregistered(b.now(), 99, GithubReply<Done>::failed(gone));
  b.core->on_prepared(b.now(), 99, {"", b.steady});
  b.core->on_started(b.now(), 99, {"", b.steady});
  b.core->on_removed(b.now(), 99, {"", b.steady});
  b.core->on_run(b.now(), first_id, GithubReply<WorkflowRun>::failed(gone));
  b.core->on_jobs(b.now(), first_id, GithubReply<std::vector<WorkflowJob>>::failed(gone));
  b.core->on_labelled(b.now(), first_id, 99, GithubReply<std::vector<std::string>>::failed(gone));
  b.core->on_slot_looked(b.now(), first_id, 99, GithubReply<Registration>::failed(gone));
  b.core->on_unlabelled(b.now(), first_id, 99, GithubReply<Done>::failed(gone));
  b.core->on_image_prepared(b.now(), "nobody", {"", b.steady});
  b.core->on_image_started(b.now(), "nobody", {"", b.steady});
  b.core->on_image_sealed(b.now(), "nobody", {"", b.steady});
  b.core->on_image_discarded(b.now(), "nobody", {"", b.steady});
  b.run();
  CHECK(b.count(Status::Idle) == 3);
  CHECK(b.store.runners == runners);
  CHECK(b.core->reservations().empty());
  CHECK(b.core->images().all().empty());
}

TEST_CASE("an answer about a reservation that is no more still tells of its runner") {
  Idle b;
  const auto registration = *b.runner(1).rec.registration_id;
  b.core->on_slot_looked(b.now(), first_id, 1,
                         GithubReply<Registration>::failed(World::error(GithubError::Kind::server, 500)));
  CHECK(b.status(1) == Status::Idle);
  b.world.begin_job(b.runner(1).rec.guest_name);
  b.core->on_slot_looked(b.now(), first_id, 1, b.world.look(registration, b.steady));
  CHECK(b.status(1) == Status::Busy);
}

TEST_CASE("an image that is being deleted is not brought back by late answers") {
  Forge b;
  b.lose = is<effect::DiscardImage>;
  b.start();
  b.policy->dont_create_runners = true;
  b.start(); // its build is given up, and no other begins
  REQUIRE(b.core->images().all().size() == 1);
  const auto image = b.core->images().all().begin()->first;
  for (const auto* error : {"", "made up"}) {
    b.core->on_image_prepared(b.now(), image, {error, b.steady});
    b.core->on_image_started(b.now(), image, {error, b.steady});
    b.core->on_image_sealed(b.now(), image, {error, b.steady});
    b.run();
    CHECK(b.core->images().is_discarded(image));
  }
  CHECK(b.counts().image.failures == 0);
  CHECK(b.templates().empty());
}

TEST_CASE("a stop refuses guests, repeats and releases that wait") {
  Idle b;
  b.profile("linux", 4); // the last one is not online yet
  b.apply_policy();
  const auto address = b.world.guests.at(b.runner(4).rec.guest_name).address;
  REQUIRE_FALSE(b.jitconfig(address).empty());
  b.take(Bench::ask("linux", 1));
  b.lose = [](const Effect& e) { return is<effect::Unlabel>(e) || is<effect::Look>(e); };
  const auto release = b.release(first_id);
  const auto repeat = b.next_request;
  b.jitconfig(address); // until GitHub was looked at
  b.lose = is<effect::ListAddresses>;
  const auto fetch = b.next_request;
  b.jitconfig(address);
  const auto boot = b.next_request++;
  b.core->boot(b.now(), boot, address);
  b.run();
  REQUIRE(b.jits.count(repeat) + b.jits.count(fetch) + b.releases.count(release) + b.boots.count(boot) == 0);
  b.core->stop(b.now());
  b.run();
  CHECK(b.jits.at(repeat).verdict.refusal == Refusal::not_ready);
  CHECK(b.jits.at(fetch).verdict.refusal == Refusal::not_ready);
  CHECK(b.boots.at(boot).verdict.refusal == Refusal::not_ready);
  CHECK(b.releases.at(release).verdict.refusal == Refusal::not_ready);
}

TEST_CASE("no guest is started after a stop, however far it was made") {
  Bench b;
  b.profile("linux", 1);
  SUBCASE("its disk is made afterwards") {
    std::optional<effect::Prepare> prepare;
    b.lose = [&](const Effect& e) {
      if (auto* p = std::get_if<effect::Prepare>(&e))
        prepare = *p;
      return is<effect::Prepare>(e);
    };
    b.start();
    REQUIRE(prepare);
    b.core->stop(b.now());
    b.core->on_prepared(b.now(), prepare->runner, b.world.prepare(prepare->spec, b.steady));
  }
  SUBCASE("its registration becomes durable afterwards") {
    b.lose = [&](const Effect& e) {
      return is<effect::Commit>(e) && !b.core->runners().empty() && b.runner(1).rec.registration_id;
    };
    b.start();
    REQUIRE(b.runner(1).prepared);
    b.core->stop(b.now());
    for (int i = 0; i < 3; ++i)
      b.core->on_committed(b.now());
  }
  b.lose = nullptr;
  b.run();
  CHECK(b.running().empty());
  CHECK(b.runner(1).rec.phase == Phase::creating);
}

namespace {

/// Something of all that can be asked of GitHub, libvirt, the disks and the store, and after each step `look`.
void live_through_all(Bench& b, const std::function<void()>& look) {
  b.adopting.emplace();
  b.policy->repo_to_update = "/srv/repo";
  auto& built = b.profile("built", 1);
  built.image.begins_with.kind = ImageBase::Kind::blank;
  built.disk_target = "vda";
  bool lost = false; // a registration was made, and the answer lost
  b.fail = [&b, lost](const Effect& e) mutable -> std::optional<GithubError> {
    auto* ask = std::get_if<effect::Register>(&e);
    if (!ask || std::exchange(lost, true))
      return {};
    b.world.make(ask->request);
    return World::error(GithubError::Kind::unreachable);
  };
  b.world.runs[77] = {77, "in_progress", "", "servo/servo"};
  b.world.jobs[77] = {{1, "queued", {"reserved-for:" + first_id}, ""}};
  b.start();
  look();
  b.boot_all();
  b.take(Bench::ask("linux", 1));
  b.advance(61s);
  look();
  b.release(first_id);
  b.profile("linux", 1);
  b.apply_policy();
  look();
  b.advance(125s);
  look();
}

} // namespace

TEST_CASE("an order is under way until it is answered, whatever it is") {
  Bench quiet;
  live_through_all(quiet, [&] { CHECK_FALSE(quiet.core->orders_under_way()); });
  const std::map<std::string, Kind> kinds = {{"commit", is<effect::Commit>},
                                             {"list registrations", is<effect::ListRegistrations>},
                                             {"list guests", is<effect::ListGuests>},
                                             {"list addresses", is<effect::ListAddresses>},
                                             {"read guests", is<effect::ReadGuests>},
                                             {"forget inherited", is<effect::ForgetInherited>},
                                             {"update repo", is<effect::UpdateRepo>},
                                             {"prepare image", is<effect::PrepareImage>},
                                             {"prepare", is<effect::Prepare>},
                                             {"start", is<effect::Start>},
                                             {"register", is<effect::Register>},
                                             {"look", is<effect::Look>},
                                             {"find", is<effect::FindRegistration>},
                                             {"unregister", is<effect::Unregister>},
                                             {"remove", is<effect::Remove>},
                                             {"ask run", is<effect::AskRun>},
                                             {"ask jobs", is<effect::AskJobs>},
                                             {"label", is<effect::Label>},
                                             {"look at slot", is<effect::LookSlot>},
                                             {"unlabel", is<effect::Unlabel>}};
  for (auto& kind : kinds) {
    CAPTURE(kind.first);
    Bench b;
    bool lost = false, seen = false;
    b.lose = [&](const Effect& e) {
      lost |= kind.second(e);
      return kind.second(e);
    };
    live_through_all(b, [&] { seen |= lost && b.core->orders_under_way(); });
    CHECK(seen);
  }
}

TEST_CASE("a reservation of runners that the store does not know ends by what is known of them") {
  Promised b(2);
  b.jobs(0, {b.registration_of(b.given[0])});
  b.world.begin_job(b.guest_of(b.given[0]));
  b.advance(31s);
  REQUIRE(b.state() == "started");
  b.store.runners.clear();
  b.start();
  b.advance(35s); // until its deadline it might be a job of the run that took the other
  CHECK(b.state() == "finished");
  CHECK(b.core->reservations().empty());
}

TEST_CASE("a spoiled runner is not idle after a restart, even before libvirt was heard") {
  Idle b;
  b.store.runners.front().spoiled = true;
  b.lose = is<effect::ListGuests>;
  b.start();
  CHECK(b.count(Status::Idle) == 2);
}
