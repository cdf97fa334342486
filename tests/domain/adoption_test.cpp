#include "actors/domain/adoption.hpp"

#include "actors/domain/names.hpp"

#include <doctest/doctest.h>

using namespace ci::domain;

namespace {

const std::string old_image = "2026-01-01T00:00:00.000000000Z", new_image = "2026-02-01T00:00:00.000000000Z";
const std::string uid = "11111111-2222-4333-8444-555555555555";
const Time noon = *snapshot_time("2026-03-01T12:00:00Z");

std::string xml(const std::string& disk = "", const std::string& more = "") {
  return "<domain><memory unit='KiB'>2097152</memory>" + more +
         "<devices><disk type='file' device='disk'><source file='" + disk +
         "'/><target dev='vda'/></disk><interface type='network'><mac "
         "address='52:54:00:11:22:33'/></interface>"
         "</devices></domain>";
}

/// A host as it was left, and what is decided of it.
struct Left {
  Policy policy;
  Inheritance folders;
  std::vector<GuestObservation> guests;
  Definitions definitions;
  std::vector<Registration> registrations;
  std::set<RunnerId> runner_ids;
  std::set<std::string> unique_ids, template_guests;

  Left() {
    policy.prefixes.registration_suffix = "ci0";
    policy.images_path = "/images";
    auto& linux = policy.profiles["linux"];
    linux.key = "linux";
    linux.requires_ = {4, 0};
    linux.disk_target = "vda";
  }
  void guest(const std::string& name, GuestState state, const std::string& definition = xml()) {
    guests.push_back({name, "uuid-of-" + name, state, "", {}});
    definitions[name] = definition;
  }
  void templ(const std::string& snapshot, const std::string& profile = "linux") {
    guest("ci-template-" + profile + "@" + snapshot, GuestState::off);
  }
  void runner(RunnerId id, GuestState state = GuestState::on) {
    guest("ci-runner-linux." + std::to_string(id), state,
          xml("/images/runner/" + std::to_string(id) + "-base.img"));
  }
  void registration(RunnerId id, const std::string& status, bool busy = false,
                    std::vector<std::string> labels = {}) {
    registrations.push_back(
        {9000 + id, "ci-runner-linux." + std::to_string(id) + "@ci0", status, busy, std::move(labels)});
  }
  Adoption adopt() const {
    return plan_adoption(
        {policy, noon, folders, guests, definitions, registrations, runner_ids, {}, template_guests, unique_ids});
  }
  RunnerRecord only() const {
    auto plan = adopt();
    REQUIRE(plan.runners.size() == 1);
    return plan.runners.front();
  }
};

std::vector<std::string> labels(const std::string& id = uid,
                                const std::string& by = "servo/servo/actions/runs/77",
                                const std::string& since = "1772366000") {
  return {"self-hosted", "reserved-for:" + id, "reserved-since:" + since, "reserved-by:" + by};
}

} // namespace

TEST_CASE("G1: an adopted guest that runs may be running a job, whatever GitHub says of it") {
  for (const auto* status : {"offline", "online"}) {
    Left left;
    left.runner(7);
    left.registration(7, status);
    left.folders.runners[7] = {"", {}, "", noon - std::chrono::hours(3)};
    auto rec = left.only();
    CHECK(rec.id == 7);
    CHECK(rec.profile == "linux");
    CHECK(rec.guest_name == "ci-runner-linux.7");
    CHECK(rec.registration_name == "ci-runner-linux.7@ci0");
    CHECK(rec.uuid == "uuid-of-ci-runner-linux.7");
    CHECK(rec.mac == "52:54:00:11:22:33");
    CHECK(rec.phase == Phase::live);
    CHECK(rec.registration_id == 9007);
    CHECK(rec.held == Resources{4, 0});
    CHECK(rec.created_at == noon - std::chrono::hours(3));
    CHECK(rec.jit_served_at == rec.created_at);
    CHECK_FALSE(rec.busy_seen);
  }
  Left busy;
  busy.runner(7);
  busy.registration(7, "online", true);
  CHECK(busy.only().busy_seen);
  CHECK(busy.only().created_at == noon);
}

TEST_CASE("G7: a JIT config is taken over for the live guest and the registration that it was made for") {
  auto config_of = [](auto change) {
    Left left;
    left.runner(7);
    left.registration(7, "offline");
    left.folders.runners[7] = {"eyJ", 9007, "ci-runner-linux.7@ci0", {}};
    change(left);
    return left.only().jit_config;
  };
  CHECK(config_of([](Left&) {}) == "eyJ");
  CHECK(config_of([](Left& l) {
          l.folders.runners[7].registration_id.reset(), l.folders.runners[7].registration_name = "";
        }) == "eyJ");
  CHECK(config_of([](Left& l) { l.folders.runners[7].registration_id = 9008; }) == "");
  CHECK(config_of([](Left& l) { l.folders.runners[7].registration_name = "ci-runner-linux.8@ci0"; }) == "");
  CHECK(config_of([](Left& l) { l.registrations[0].status = "online"; }) == "");
  CHECK(config_of([](Left& l) { l.registrations[0].busy = true; }) == "");
  CHECK(config_of([](Left& l) { l.registrations.clear(); }) == "");
  CHECK(config_of([](Left& l) { l.guests[0].state = GuestState::off; }) == "");
}

TEST_CASE("absent from one listing is not gone: the registration that the file names is asked for") {
  Left left;
  left.runner(7);
  left.folders.runners[7] = {"eyJ", 9007, "ci-runner-linux.7@ci0", {}};
  CHECK(left.only().registration_id == 9007);
  CHECK_FALSE(left.only().registration_ended);
}

TEST_CASE(
    "guests that are off, registrations without a guest and disks without either are ours to be removed") {
  Left left;
  left.runner(1, GuestState::off);
  left.registration(2, "online");
  left.folders.disks = {1, 2, 3};
  auto plan = left.adopt();
  REQUIRE(plan.runners.size() == 3);
  CHECK(plan.runners[0].id == 1);
  CHECK_FALSE(plan.runners[0].jit_served_at);
  CHECK(plan.runners[1].id == 2);
  CHECK(plan.runners[1].registration_id == 9002);
  CHECK_FALSE(plan.runners[1].guest_removed);
  CHECK(plan.runners[2].id == 3);
  CHECK(plan.runners[2].profile == "");
  CHECK(plan.runners[2].registration_ended);
}

TEST_CASE("what another guest depends on, whose id is taken, or whose name does not parse is left alone") {
  Left left;
  left.runner(1);
  left.guest("somebody", GuestState::on, xml("/images/runner/1-base.img"));
  left.guest("else", GuestState::on, xml("/images/runner/2-base.img"));
  left.folders.disks = {1, 2};
  left.guest("ci-runner-linux", GuestState::on);
  left.guest("ci-runner-linux.x", GuestState::on);
  left.guest("ci-runnerlinux.5", GuestState::on);
  left.registrations.push_back({1, "ci-runner-linux.6@other", "online", false, {}});
  left.runner(8);
  left.registration(9, "online");
  left.runner_ids = {8, 9};
  CHECK(left.adopt().runners.empty());
}

TEST_CASE(
    "of two guests with one id the one that runs is taken, and another's registration is not mixed in") {
  Left left;
  left.guest("ci-runner-other.7", GuestState::off);
  left.runner(7);
  left.registrations.push_back({1, "ci-runner-third.7@ci0", "online", false, {}});
  CHECK(left.only().guest_name == "ci-runner-linux.7");
}

TEST_CASE("guests of profiles that are configured no more are as large as their definition says") {
  Left left;
  left.guest("ci-runner-old.kind.3", GuestState::on, xml());
  CHECK(left.only().profile == "old.kind");
  CHECK(left.only().held == Resources{0, std::int64_t{2} << 30});
}

TEST_CASE("the size of a guest is read from its definition") {
  auto pages = [](const std::string& p) {
    return "<memoryBacking><hugepages>" + p + "</hugepages></memoryBacking>";
  };
  CHECK(size_of_guest(xml("", pages("<page size='1' unit='GiB'/>"))) == Resources{2, 0});
  CHECK(size_of_guest(xml("", pages("<page size='1048576'/>"))) == Resources{2, 0});
  CHECK(size_of_guest(xml("", pages(""))) == Resources{2, 0});
  CHECK(size_of_guest(xml("", pages("<page size='2' unit='MiB'/>"))) == Resources{0, std::int64_t{2} << 30});
  CHECK(size_of_guest("<domain><memory unit='MB'>5</memory></domain>") == Resources{0, 5'000'000});
  for (const auto* odd : {"", "<domain/>", "no XML", "<domain><memory>-5</memory></domain>",
                          "<domain><memory unit='parsec'>5</memory></domain>",
                          "<domain><memory unit='T'>9223372036854775807</memory></domain>"})
    CHECK(size_of_guest(odd) == Resources{});
}

TEST_CASE("labels become reservations, with all their runners") {
  Left left;
  for (auto id : {5, 6}) {
    left.runner(id);
    left.registration(id, "online", id == 6, labels("AAAAAAAA-2222-4333-8444-555555555555"));
  }
  auto plan = left.adopt();
  REQUIRE(plan.reservations.size() == 1);
  auto& r = plan.reservations.front();
  CHECK(r.request.unique_id == "aaaaaaaa-2222-4333-8444-555555555555");
  CHECK(r.request.unique_id_spelt == "AAAAAAAA-2222-4333-8444-555555555555");
  CHECK(r.request.qualified_repo == "servo/servo");
  CHECK(r.request.run_id == 77);
  CHECK(r.request.profile == "linux");
  CHECK(r.request.count == 2);
  CHECK(r.phase == ReservationPhase::granted);
  CHECK(r.slots == std::vector<ReservationSlot>{{5, SlotState::confirmed}, {6, SlotState::started}});
  CHECK(r.created_at == Time(std::chrono::seconds(1772366000)));
  CHECK(r.deadline == r.created_at + left.policy.timings.reserve_timeout);
}

TEST_CASE("labels that nobody could have asked for, or whose id is spent, are no reservation") {
  auto count = [](std::vector<std::string> l, std::set<std::string> known = {}) {
    Left left;
    left.runner(5);
    left.registration(5, "online", false, std::move(l));
    left.unique_ids = std::move(known);
    return left.adopt().reservations.size();
  };
  CHECK(count(labels()) == 1);
  CHECK(count(labels(), {uid}) == 0);
  CHECK(count(labels("job-1")) == 0);
  CHECK(count(labels(uid, "servo/servo")) == 0);
  CHECK(count(labels(uid, "servo/../actions/runs/77")) == 0);
  CHECK(count(labels(uid, "servo/servo/actions/runs/x")) == 0);
  CHECK(count(labels(uid, "servo/servo/actions/runs/0")) == 0);
  CHECK(count(labels(uid, "servo/servo/actions/runs/77x")) == 0);
  CHECK(count({"reserved-for:" + uid}) == 0);
  CHECK(count({}) == 0);
}

TEST_CASE("a reservation from a clock that is ahead, or without a time, begins now at the latest") {
  for (const auto* since : {"99999999998", "99999999999", "soon", ""}) {
    auto r =
        reservation_in(labels(uid, "servo/servo/actions/runs/77", since), "linux", noon, Duration{60'000});
    REQUIRE(r);
    CHECK(r->granted_at == noon);
    CHECK(r->deadline == noon + Duration{60'000});
  }
}

TEST_CASE("templates become images, and the link names the one that serves") {
  Left left;
  left.templ(old_image);
  left.templ(new_image);
  auto newest = left.adopt().images;
  REQUIRE(newest.size() == 2);
  CHECK(newest[0].phase == ImagePhase::ready);
  CHECK(newest[1].phase == ImagePhase::ready);
  CHECK(newest[1].snapshot == new_image);
  CHECK(newest[1].rebuild_guest == "ci-rebuild-linux@" + new_image);
  CHECK(newest[1].uuid == "uuid-of-ci-template-linux@" + new_image);
  CHECK(newest[1].disk_target == "vda");
  CHECK(newest[1].fingerprint == "");
  CHECK(newest[1].held == Resources{});
  CHECK(newest[1].ordered_at == *snapshot_time(new_image));

  left.folders.current_snapshots["linux"] = old_image;
  auto linked = left.adopt().images;
  CHECK(linked[0].phase == ImagePhase::ready);
  CHECK(linked[1].phase == ImagePhase::discarding);

  left.folders.current_snapshots["linux"] = "2025-01-01T00:00:00.000000000Z"; // which is not there any more
  CHECK(left.adopt().images[1].phase == ImagePhase::ready);
}

TEST_CASE("a link to an image that is ours already keeps it the one that serves") {
  Left left;
  left.templ(old_image);
  left.templ(new_image);
  left.template_guests = {"ci-template-linux@" + old_image};
  left.folders.current_snapshots["linux"] = old_image;
  left.folders.image_files["linux"] = {old_image};
  auto images = left.adopt().images;
  REQUIRE(images.size() == 1); // the other one, and its own files alone
  CHECK(images[0].snapshot == new_image);
  CHECK(images[0].phase == ImagePhase::discarding);
}

TEST_CASE("each profile has its own link, and a build beside a template of its name is left alone") {
  Left left;
  left.policy.profiles["other"] = left.policy.profiles["linux"];
  left.templ(new_image, "other");
  left.templ(old_image);
  left.templ(new_image);
  left.folders.current_snapshots["linux"] = old_image;
  left.guest("ci-rebuild-linux@" + new_image, GuestState::off); // whose files those are can't be told
  left.guest("ci-rebuild-other@" + old_image, GuestState::off);
  left.templ(old_image, "a/b");
  std::map<std::string, ImagePhase> found;
  for (auto& image : left.adopt().images) {
    found[image.template_guest] = image.phase;
    CHECK(image.held == Resources{}); // none of them runs
  }
  CHECK(found == std::map<std::string, ImagePhase>{{"ci-template-other@" + new_image, ImagePhase::ready},
                                                   {"ci-template-linux@" + old_image, ImagePhase::ready},
                                                   {"ci-template-linux@" + new_image, ImagePhase::discarding},
                                                   {"ci-template-other@" + old_image, ImagePhase::discarding}});
}

TEST_CASE("a guest that came a moment ago, its registration and its disk are left alone") {
  Left left;
  left.runner(7);
  left.definitions.clear();
  left.registration(7, "online");
  left.folders.disks = {7};
  CHECK(left.adopt().runners.empty());
  left.folders.disks = {8}; // another one's
  CHECK(left.only().id == 8);
}

TEST_CASE("a runner of a profile with a template by hand counts as made from that") {
  Left left;
  left.policy.profiles["linux"].template_guest = "golden";
  left.runner(7);
  CHECK(left.only().template_guest == "golden");
}

TEST_CASE("runners of two profiles that bear one reservation's labels are not in it together") {
  Left left;
  left.runner(5);
  left.registration(5, "online", false, labels());
  left.guest("ci-runner-other.6", GuestState::on);
  left.registrations.push_back({9006, "ci-runner-other.6@ci0", "online", false, labels()});
  auto plan = left.adopt();
  REQUIRE(plan.reservations.size() == 1);
  CHECK(plan.reservations[0].slots == std::vector<ReservationSlot>{{5, SlotState::confirmed}});
}

TEST_CASE("what an unreadable definition depends on is not known, and a file without a snapshot is no image's") {
  CHECK(image_needed_by("no XML", "/images", "linux").empty());
  CHECK(image_needed_by(xml("/images/base/linux/base.img"), "/images", "linux").empty());
  CHECK(image_needed_by(xml("/images/base/linux/base.img@s"), "/images", "linux") == "s");
}

TEST_CASE("templates made by hand, that run, or whose snapshot is no time stay as they are") {
  Left left;
  left.templ("by-hand");
  left.guest("ci-template-linux@" + new_image, GuestState::on);
  left.policy.profiles["hand"].template_guest = "ci-template-hand@" + old_image;
  left.templ(old_image, "hand");
  left.templ(new_image, "hand");
  left.templ(old_image, "..");
  left.folders.image_files["hand"] = {old_image, new_image, "2025-01-01T00:00:00Z"};
  CHECK(left.adopt().images.empty());
}

TEST_CASE("what is left of builds goes, with its files, unless somebody depends on them") {
  Left left;
  const std::string third = "2026-02-02T00:00:00Z", fourth = "2026-02-03T00:00:00Z",
                    fifth = "2026-02-04T00:00:00Z";
  left.templ(old_image);
  left.guest("ci-rebuild-linux@" + new_image, GuestState::on);
  left.guest("ci-rebuild-linux@soon", GuestState::on);
  left.guest("somebody", GuestState::on, xml("/images/base/linux/base.img@" + fourth));
  left.guest("ci-rebuild-linux@" + fifth, GuestState::off);
  left.definitions.erase("ci-rebuild-linux@" + fifth); // it came a moment ago
  left.folders.image_files["linux"] = {old_image, new_image, third, fourth, fifth, "nonsense"};
  left.folders.image_files["unknown"] = {third};
  auto images = left.adopt().images;
  REQUIRE(images.size() == 3);
  CHECK(images[0].phase == ImagePhase::ready);
  CHECK(images[1].phase == ImagePhase::discarding);
  CHECK(images[1].snapshot == new_image);
  CHECK(images[1].uuid == "uuid-of-ci-rebuild-linux@" + new_image);
  CHECK(images[1].held == Resources{4, 0});
  CHECK(images[2].phase == ImagePhase::discarding);
  CHECK(images[2].snapshot == third);
  CHECK(images[2].uuid == "");
}

TEST_CASE(
    "a runner keeps the image that its definition depends on, else it counts as made from the current one") {
  Left left;
  left.templ(old_image);
  left.templ(new_image);
  left.guest("ci-runner-linux.1", GuestState::on,
             "<domain><devices><disk device='disk'><source "
             "file='/images/runner/1-base.img'/><backingStore><source file="
             "'/images/base/linux/base.img@" +
                 old_image + "'/></backingStore></disk></devices></domain>");
  left.runner(2);
  auto runners = left.adopt().runners;
  REQUIRE(runners.size() == 2);
  CHECK(runners[0].template_guest == "ci-template-linux@" + old_image);
  CHECK(runners[1].template_guest == "ci-template-linux@" + new_image);
}
