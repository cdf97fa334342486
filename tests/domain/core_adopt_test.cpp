#include "tests/support/bench.hpp"

#include <doctest/doctest.h>

using namespace ci::test;

namespace {

const std::string linux_template = "ci-template-linux@2026-01-01T00:00:00.000000000Z";

/// A host as an older monitor left it, and the decisions started with `--adopt`.
struct Heir : Bench {
  RunnerId left_runner(RunnerId id, const std::string& profile = "linux") {
    auto name = "ci-runner-" + profile + "." + std::to_string(id);
    auto& guest = world.guests[name];
    guest = {"uuid-" + std::to_string(id),
             GuestState::on,
             "booted",
             "10.0.9." + std::to_string(id),
             "",
             true,
             "<domain><memory unit='GiB'>3</memory><memoryBacking><hugepages/></memoryBacking></domain>"};
    left.runners[id] = {};
    return id;
  }
  World::Record& left_registration(RunnerId id, const std::string& status,
                                   const std::string& profile = "linux") {
    auto name = "ci-runner-" + profile + "." + std::to_string(id);
    auto made = world.make({name + "@ci0", {"self-hosted"}, "_work", 1});
    auto& record = world.records.at(made.value->registration.id);
    record.shown.status = status;
    record.online = status == "online";
    if (auto guest = world.guests.find(name); guest != world.guests.end())
      guest->second.config = record.config;
    return record;
  }
  void adopt() {
    adopting = left;
    start();
    adopting.reset();
  }
  Inheritance left;
};

bool happened(const Bench& b, const std::string& event) {
  return std::any_of(b.events.begin(), b.events.end(),
                     [&](auto& line) { return line.starts_with(event + " "); });
}

} // namespace

TEST_CASE("G5: what an older monitor left becomes ours, in one commit, and its files go after that") {
  Heir h;
  h.policy->profiles["linux"].target_count = 2;
  h.left_runner(7);
  h.left_registration(7, "online");
  h.left_runner(9);
  h.left_registration(9, "online");
  h.left_runner(8); // is off: on its way out, and no reason to let go of another
  h.world.power_off("ci-runner-linux.8");
  int commits = 0;
  h.lose = [&](const Effect& e) {
    if (auto* commit = std::get_if<effect::Commit>(&e))
      for (auto& op : commit->batch)
        commits += std::holds_alternative<store::PutRunner>(op) && commits == 0;
    CHECK((commits > 0 || !std::holds_alternative<effect::ForgetInherited>(e)));
    return false;
  };
  h.adopt();
  CHECK(h.count(Status::Idle) == 2);
  CHECK(h.running().size() == 2);
  CHECK(h.world.registered == 2); // nothing was made
  CHECK_FALSE(h.world.guests.count("ci-runner-linux.8"));
  REQUIRE(h.forgotten.size() == 1);
  CHECK(h.forgotten[0].living.contains(7));
  CHECK(h.forgotten[0].living.contains(9));
  CHECK(h.forgotten[0].below == 10);
  CHECK(h.snapshot->strangers.empty());
  CHECK(h.core->images().template_for("linux") == linux_template);
  CHECK(h.links.at("linux") == "2026-01-01T00:00:00.000000000Z");
  for (auto& [key, value] : h.store.notes)
    CHECK(key != "adopted_below");
  // A job ends, and the next runner has an id of its own.
  h.world.end_job("ci-runner-linux.7");
  h.power_off("ci-runner-linux.7");
  h.advance(std::chrono::seconds(31));
  CHECK(h.core->runners().count(10));
}

TEST_CASE("G5: adoption survives a crash at any commit, started again with --adopt or without") {
  for (bool again : {true, false})
    for (int cut = 1; cut <= 4; ++cut) {
      Heir h;
      h.policy->profiles["linux"].target_count = 1;
      h.left_runner(7);
      auto& record = h.left_registration(7, "offline");
      h.left.runners[7] = {record.config, record.shown.id, record.shown.name, h.time};
      h.left_runner(8);
      h.world.power_off("ci-runner-linux.8");
      int seen = 0;
      h.lose = [&](const Effect& e) {
        bool stops =
            std::holds_alternative<effect::Commit>(e) || std::holds_alternative<effect::ForgetInherited>(e);
        seen += stops;
        return seen >= cut;
      };
      h.adopt();
      h.lose = nullptr;
      // What was not forgotten is found again.
      bool committed =
          std::any_of(h.store.runners.begin(), h.store.runners.end(), [](auto& r) { return r.id == 7; });
      if (again && h.forgotten.empty())
        h.adopting = h.left;
      h.start();
      h.adopting.reset();
      CAPTURE(again);
      CAPTURE(cut);
      if (!again && !committed) {
        CHECK(h.snapshot->strangers ==
              std::vector<std::string>{"ci-runner-linux.7", "ci-runner-linux.8", "ci-runner-linux.7@ci0"});
        CHECK(h.forgotten.empty());
        CHECK(h.world.guests.count("ci-runner-linux.8"));
        continue;
      }
      h.advance(std::chrono::seconds(30));
      CHECK(h.runner(7).rec.phase == Phase::live);
      CHECK(h.jitconfig(h.world.guests.at("ci-runner-linux.7").address) == record.config);
      CHECK_FALSE(h.world.guests.count("ci-runner-linux.8"));
      CHECK_FALSE(h.forgotten.empty());
    }
}

TEST_CASE("G1: an adopted guest is stopped only by the ladder, although nobody here served its config") {
  Heir h;
  h.policy->profiles["linux"].target_count = 0;
  h.left_runner(7);
  h.left_registration(7, "online");
  h.adopt();
  CHECK(h.runner(7).rec.phase == Phase::destroying); // one more than wanted
  h.advance(std::chrono::seconds(50));
  CHECK(h.world.guests.at("ci-runner-linux.7").state == GuestState::on);
  // GitHub did not show the job until now.
  h.world.begin_job("ci-runner-linux.7");
  h.advance(std::chrono::seconds(90));
  CHECK(h.status(7) == Status::Busy);
  h.world.end_job("ci-runner-linux.7");
  h.power_off("ci-runner-linux.7");
  h.advance(std::chrono::seconds(31));
  CHECK(h.world.killed_at_work.empty());
  CHECK(h.world.stopped_unreleased.empty());
  CHECK(h.core->runners().empty());
}

TEST_CASE(
    "G1: a guest whose registration GitHub does not show is stopped only after a second complete listing") {
  Heir h;
  h.left_runner(7);
  auto& record = h.left_registration(7, "online");
  h.world.begin_job("ci-runner-linux.7");
  // A name that is hidden from the listing and from the search, but not for long.
  auto name = record.shown.name;
  record.shown.name = "hidden";
  bool searched = false;
  h.lose = [&](const Effect& e) {
    searched |= std::holds_alternative<effect::FindRegistration>(e);
    if (searched && std::holds_alternative<effect::ListRegistrations>(e))
      record.shown.name = name;
    auto* remove = std::get_if<effect::Remove>(&e);
    CHECK_FALSE((remove && remove->runner == 7));
    return false;
  };
  h.adopt();
  h.advance(std::chrono::seconds(120));
  CHECK(searched);
  CHECK(h.world.killed_at_work.empty());
  CHECK(h.world.guests.at("ci-runner-linux.7").state == GuestState::on);
}

TEST_CASE(
    "G7: an adopted JIT config goes to its guest after a fresh look, and to nobody once it was online") {
  Heir h;
  h.left_runner(7);
  auto& record = h.left_registration(7, "offline");
  h.left.runners[7] = {record.config, record.shown.id, record.shown.name, h.time - std::chrono::seconds(10)};
  h.left_runner(8);
  auto& other = h.left_registration(8, "online");
  h.left.runners[8] = {other.config, other.shown.id, other.shown.name, {}};
  h.adopt();
  CHECK(h.runner(7).rec.created_at == h.time - std::chrono::seconds(10));
  CHECK(h.jitconfig("10.0.9.7") == record.config);
  Refusal refusal{};
  CHECK(h.jitconfig("10.0.9.8", &refusal).empty());
  CHECK(refusal == Refusal::jit_gone);
  h.world.go_online("ci-runner-linux.7");
  CHECK(h.jitconfig("10.0.9.7", &refusal).empty());
  CHECK(refusal == Refusal::jit_gone);
  for (auto& r : h.store.runners)
    CHECK(r.jit_config.empty() == (r.phase != Phase::live || r.id <= 8));
}

TEST_CASE("G3: an adopted reservation is kept, answers a repeat, and ends by the usual rules") {
  Heir h;
  auto ask = Bench::ask("linux", 1);
  h.left_runner(7);
  auto& record = h.left_registration(7, "online");
  for (auto& label : reservation_labels(ask, h.time))
    record.shown.labels.push_back(label);
  h.world.runs[77] = {77, "in_progress", "", "servo/servo"};
  h.adopt();
  CHECK(h.status(7) == Status::Reserved);
  auto repeat = h.take(ask);
  REQUIRE(h.takes.count(repeat));
  REQUIRE(h.takes.at(repeat).runners.size() == 1);
  CHECK(h.takes.at(repeat).runners[0]->id == 7);
  auto other = ask;
  other.run_id = 78;
  CHECK(h.takes.at(h.take(other)).verdict.refusal == Refusal::id_conflict);
  h.world.runs[77].status = "completed";
  h.world.runs[77].conclusion = "cancelled";
  h.advance(std::chrono::minutes(5));
  CHECK_FALSE(h.core->runners().count(7));
  CHECK(h.takes.at(h.take(ask)).verdict.refusal == Refusal::id_spent);
}

TEST_CASE("nothing is taken over, made or destroyed until GitHub and libvirt were heard") {
  Heir h;
  h.left_runner(7);
  h.left_registration(7, "online");
  bool away = true;
  h.fail = [&](const Effect& e) -> std::optional<GithubError> {
    if (away && std::holds_alternative<effect::ListRegistrations>(e))
      return World::error(GithubError::Kind::server, 500);
    return std::nullopt;
  };
  bool unreadable = true;
  h.fail_host = [&](const Effect& e) -> std::optional<std::string> {
    return unreadable && std::holds_alternative<effect::ReadGuests>(e) ? std::optional<std::string>("made up")
                                                                       : std::nullopt;
  };
  h.adopt();
  h.advance(std::chrono::seconds(30));
  CHECK(h.core->runners().empty());
  CHECK(h.core->held().hugepages_1g == 1); // it counts meanwhile
  away = false;
  h.advance(std::chrono::seconds(120));
  CHECK(h.core->runners().empty());
  CHECK(h.forgotten.empty());
  unreadable = false;
  h.advance(std::chrono::seconds(120));
  CHECK(h.status(7) == Status::Idle);
  CHECK(h.running().size() == 3);
}

TEST_CASE("registrations without a guest and left-over disks are removed, builds and spare images likewise") {
  Heir h;
  h.policy->profiles["linux"].target_count = 0;
  h.left_registration(5, "offline");
  h.left.disks = {5, 6};
  h.world.disks = {"/var/lib/libvirt/images/runner/5-", "/var/lib/libvirt/images/runner/6-",
                   "/var/lib/libvirt/images/runner/x"};
  h.world.guests["ci-rebuild-linux@2026-02-01T00:00:00Z"] = {"b", GuestState::on, "",         "",
                                                             "",  false,          "<domain/>"};
  h.left.image_files["linux"] = {"2026-02-02T00:00:00Z"}; // of no guest
  h.world.image_files = {"/var/lib/libvirt/images/base/linux@2026-02-01T00:00:00Z",
                         "/var/lib/libvirt/images/base/linux@2026-02-02T00:00:00Z"};
  h.world.guests["somebody"] = {"s", GuestState::on, "", "", "", false, "<domain/>"};
  h.adopt();
  h.advance(std::chrono::seconds(90));
  CHECK(h.world.records.empty());
  CHECK(h.world.disks == std::set<std::string>{"/var/lib/libvirt/images/runner/x"});
  CHECK(h.world.image_files.empty());
  CHECK_FALSE(happened(h, "stranger")); // a listing may still show what is removed by now
  CHECK(h.core->runners().empty());
  CHECK(h.world.guests.size() == 2);
  CHECK(h.core->held() == Resources{});
  CHECK(h.snapshot->profiles.size() == 1);
}

TEST_CASE("G4: a build that is taken over holds one slot, from the first moment") {
  Heir h;
  h.policy->profiles["linux"].target_count = 0;
  h.world.guests["ci-rebuild-linux@2026-02-01T00:00:00Z"] = {"b", GuestState::on, "",         "",
                                                             "",  false,          "<domain/>"};
  std::set<std::int64_t> held;
  h.lose = [&](const Effect& e) {
    if (auto* published = std::get_if<effect::Publish>(&e))
      held.insert(published->snapshot->held.hugepages_1g);
    return std::holds_alternative<effect::DiscardImage>(e);
  };
  h.adopt();
  CHECK(held == std::set<std::int64_t>{1});
}

TEST_CASE("guests of a profile that is configured no more end their jobs, and are destroyed") {
  Heir h;
  h.left_runner(7, "old");
  auto& busy = h.left_registration(7, "online", "old");
  busy.shown.busy = busy.working = true;
  h.left_runner(8, "old");
  h.left_registration(8, "online", "old");
  h.adopt();
  CHECK(h.core->held().hugepages_1g == 3 + 3 + 3); // three pages each, by their definitions, and the pool
  h.advance(std::chrono::minutes(3));
  CHECK_FALSE(h.core->runners().count(8));
  CHECK(h.status(7) == Status::Busy);
  h.world.end_job("ci-runner-old.7");
  h.power_off("ci-runner-old.7");
  h.advance(std::chrono::seconds(31));
  CHECK_FALSE(h.core->runners().count(7));
  CHECK(h.core->held().hugepages_1g == 3);
}

TEST_CASE("without --adopt what only looks ours is reported once, counted, and never touched") {
  Heir h;
  h.left_runner(7);
  h.left_registration(7, "online");
  h.left_runner(8, "old");
  h.policy->budget = {6, std::int64_t{1} << 40};
  h.start();
  // Ids begin above those names.
  CHECK(h.core->runners().begin()->first == 9);
  h.advance(std::chrono::minutes(10));
  CHECK(h.snapshot->strangers.size() == 3);
  CHECK(std::count_if(h.events.begin(), h.events.end(), [](auto& e) { return e.starts_with("stranger "); }) ==
        3);
  CHECK(h.core->held().hugepages_1g == 6); // 1 by its profile, 3 by its definition, and two runners
  CHECK(h.forgotten.empty());
  CHECK(h.world.guests.at("ci-runner-linux.7").state == GuestState::on);
  CHECK(h.world.guests.at("ci-runner-old.8").state == GuestState::on);
  CHECK(h.links.empty()); // its image is not ours
}

TEST_CASE("G4: a stranger whose definition could not be read is asked for again, and counted then") {
  Heir h;
  h.left_runner(8, "old");
  h.policy->budget = {4, std::int64_t{1} << 40};
  int failures = 1;
  h.fail_host = [&](const Effect& e) -> std::optional<std::string> {
    if (std::holds_alternative<effect::ReadGuests>(e) && failures-- > 0)
      return "no answer in time";
    return {};
  };
  h.start();
  h.advance(std::chrono::minutes(10));
  CHECK(failures < 0);
  CHECK(h.core->held().hugepages_1g <= 4); // 3 by its definition
  CHECK(h.running().size() == 2); // with the stranger
}

TEST_CASE("an empty store makes nothing before GitHub told which ids are taken") {
  Heir h;
  h.left_registration(41, "offline");
  h.left_registration(99'999'999, "offline"); // nobody's that ever ran here
  bool away = true;
  h.fail = [&](const Effect& e) -> std::optional<GithubError> {
    if (away && std::holds_alternative<effect::ListRegistrations>(e))
      return World::error(GithubError::Kind::server, 500);
    return std::nullopt;
  };
  h.start();
  h.advance(std::chrono::seconds(30));
  CHECK(h.core->runners().empty());
  away = false;
  h.advance(std::chrono::seconds(60));
  CHECK(h.core->runners().begin()->first == 42);
}

TEST_CASE("files that can't be deleted are tried again, and a link that can't be made likewise") {
  Heir h;
  h.left_runner(7);
  h.left_registration(7, "online");
  bool stuck = true;
  h.fail_host = [&](const Effect& e) -> std::optional<std::string> {
    bool disk =
        std::holds_alternative<effect::ForgetInherited>(e) || std::holds_alternative<effect::LinkSnapshot>(e);
    return stuck && disk ? std::optional<std::string>("made up") : std::nullopt;
  };
  h.adopt();
  h.advance(std::chrono::seconds(20));
  CHECK(h.forgotten.empty());
  CHECK(happened(h, "inherited_files_left"));
  CHECK(happened(h, "snapshot_not_linked"));
  stuck = false;
  h.advance(std::chrono::minutes(5));
  CHECK(h.forgotten.size() == 1);
  CHECK(h.links.size() == 1);
}

TEST_CASE("a guest of which GitHub never heard is removed when a later listing does not show it either") {
  Heir h;
  h.policy->profiles["linux"].target_count = 1;
  h.left_runner(7);
  h.left_runner(8);
  h.left_registration(8, "online");
  bool off = false;
  SUBCASE("while it runs") {}
  SUBCASE("at once, where it is off by then") { off = true; }
  int listings = 0;
  h.lose = [&](const Effect& e) {
    listings += std::holds_alternative<effect::ListRegistrations>(e);
    if (off && std::holds_alternative<effect::FindRegistration>(e))
      h.power_off("ci-runner-linux.7");
    CHECK((off || listings >= 2 || !std::holds_alternative<effect::Remove>(e)));
    return false;
  };
  h.adopt();
  h.advance(std::chrono::seconds(60));
  CHECK_FALSE(h.world.guests.count("ci-runner-linux.7"));
  CHECK(h.status(8) == Status::Idle);
}

TEST_CASE("what an older monitor left is taken over beside what is here already") {
  Heir h;
  h.start();
  h.boot_all();
  h.take(Bench::ask("linux", 1, 1));
  h.take(Bench::ask("linux", 1, 2));
  h.release(Bench::ask("linux", 1, 2).unique_id);
  h.world.end_job("ci-runner-linux.3");
  h.power_off("ci-runner-linux.3");
  h.boot_all();
  REQUIRE(h.core->runners().count(3) == 0);
  h.policy->profiles["linux"].target_count = 4;
  h.left_runner(50);
  h.left_registration(50, "online");
  h.adopt();
  h.advance(std::chrono::seconds(10));
  CHECK(h.status(50) == Status::Idle);
  CHECK(h.core->runners().size() == 4);
  CHECK(h.core->reservations().count(Bench::ask("linux", 1, 1).unique_id));
  CHECK(h.core->spent().find(Bench::ask("linux", 1, 2).unique_id));
  CHECK(h.core->images().all().empty() == false);
}

TEST_CASE("G5: the files of a stranger are left alone, and those of the older monitor go part by part") {
  Heir h;
  h.policy->profiles["linux"].target_count = 1;
  h.left_runner(7);
  h.left_registration(7, "online");
  h.world.guests["ci-runner-other.7"] = {"foreign", GuestState::on, "", "", "", false, "<domain/>"};
  int orders = 0;
  h.lose = [&](const Effect& e) {
    auto* forget = std::get_if<effect::ForgetInherited>(&e);
    if (forget) {
      ++orders;
      CHECK(forget->files.others.contains(7));
    }
    return forget != nullptr;
  };
  h.adopt();
  REQUIRE(orders == 1);
  h.core->on_forgotten(h.now(), false, ""); // a part of them
  h.run();
  REQUIRE(orders == 2);
  h.core->on_forgotten(h.now(), true, "");
  h.run();
  h.advance(std::chrono::minutes(10));
  CHECK(orders == 2);
}

TEST_CASE("without registrations GitHub need not be heard to take a host over") {
  Heir h;
  h.policy->dont_register_runners = true;
  h.left_runner(7);
  h.adopt();
  CHECK(h.runner(7).rec.phase == Phase::live);
  CHECK(h.running().size() == 3);
}

TEST_CASE("nothing is taken over after a stop") {
  Heir h;
  h.left_runner(7);
  h.left_registration(7, "online");
  h.lose = [](const Effect& e) { return std::holds_alternative<effect::ReadGuests>(e); };
  h.adopt();
  h.core->stop(h.now());
  h.core->on_guests_read(h.now(), Definitions{{"ci-runner-linux.7", "<domain/>"}}, "");
  h.run();
  CHECK(h.core->runners().empty());
}

TEST_CASE("a stranger of no profile that has no definition any more counts as nothing") {
  Heir h;
  h.left_runner(8, "old");
  int reads = 0;
  h.lose = [&](const Effect& e) {
    reads += std::holds_alternative<effect::ReadGuests>(e);
    return std::holds_alternative<effect::ReadGuests>(e);
  };
  h.start();
  h.advance(std::chrono::seconds(20));
  CHECK(reads == 1); // one at a time
  CHECK(h.running().size() == 1); // nothing is made meanwhile
  h.core->on_guests_read(h.now(), Definitions{}, "");
  h.run();
  CHECK(h.running().size() == 4);
  CHECK(h.core->held().hugepages_1g == 3);
}
