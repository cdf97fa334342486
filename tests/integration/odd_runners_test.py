"""What GitHub may do wrong to single runners: see faults_test.py."""

from harness import wait_until
from monitor import GITHUB_TOKEN, REPOSITORY
from outside import settle
from pool_test import check_nothing_double, wait_until_settled
from under_fault import RIGHT_AGAIN, Pool


def test_g5_empty_lists_are_not_believed_at_once(world):
    pool = Pool(world, job_seconds=8.0)
    before = set(pool.monitor.runners())
    world.github.fault("list", "empty_list", count=-1)
    settle(2.0, "all runners live", lambda: set(pool.monitor.runners()) >= before and pool.works())
    world.github.no_faults()
    pool.check_right_again()


def test_g5_a_lost_201_leaves_nothing_behind(world):
    """The registration is made, its answer is lost, and the name is taken."""
    pool = Pool(world, job_seconds=4.0)
    world.github.fault("register", "reset_after_acting", count=1)
    idle = next(iter(pool.monitor.runners("linux", "Idle").values()))
    world.libvirt.stop_guest(idle["guest_name"])
    wait_until("the answer was lost", lambda: not world.github.state()["faults"])
    pool.check_right_again()


def test_g5_a_registration_whose_answer_is_nonsense_leaves_nothing_behind(world):
    """It is made, and nobody can read its id: it is found by its name."""
    pool = Pool(world, job_seconds=4.0)
    world.github.fault("register", "wrong_types", count=1)
    idle = next(iter(pool.monitor.runners("linux", "Idle").values()))
    world.libvirt.stop_guest(idle["guest_name"])
    wait_until("the answer came", lambda: not world.github.state()["faults"])
    pool.check_right_again()


def test_g1_busy_that_is_not_true(world):
    """An idle runner is called busy, a busy one idle, each for a while."""
    pool = Pool(world, job_seconds=4.0)
    idle = next(iter(pool.monitor.runners("linux", "Idle").values()))
    names = {idle["registration"]["name"]: True, pool.busy["registration"]["name"]: False}
    for name, busy in names.items():
        world.github.control("PUT", f"runners/{name}".replace("@", "%40"), {"busy": busy})
    wait_until("it is taken for busy", lambda: not pool.monitor.runners("linux", "Idle"))
    assert pool.take().json() is None
    settle(2.0, "the job goes on", pool.works)
    # The other one's lie ends with its job.
    world.github.control("PUT", f"runners/{idle['registration']['name']}".replace("@", "%40"), {"busy": None})
    # Who was busy once is Busy until it is gone, lie or not.
    settle(1.0, "it is not idle again", lambda: idle["id"] not in pool.monitor.runners("linux", "Idle"))
    world.libvirt.stop_guest(idle["guest_name"])
    pool.check_right_again()


def test_g1_runners_that_are_missing_from_one_place(world):
    """From listings, while a GET finds them; then the other way round."""
    pool = Pool(world, job_seconds=5.0)
    names = [runner["registration"]["name"] for runner in pool.monitor.runners().values()]
    for operation in ("list", "get"):
        for name in names:
            world.github.fault(operation, "forget", runner=name, count=-1)
        settle(1.5, "the job goes on", pool.works)
        world.github.no_faults()
    pool.check_right_again()


def test_g5_runners_that_vanish_everywhere_and_come_back(world):
    """A registration that is nowhere has ended; that it comes back changes nothing."""
    pool = Pool(world, job_seconds=4.0)
    assert world.github.wait_for_job(pool.job["id"])["conclusion"] == "success"
    pool.monitor.wait_for_runners("linux", 2)
    wait_until_settled(world, 3)
    before = pool.monitor.runners().values()
    names = [runner["registration"]["name"] for runner in before]
    gone = {runner["guest_name"] for runner in before}
    for name in names:
        world.github.control("POST", f"runners/{name}/vanish".replace("@", "%40"))
    wait_until("they are replaced", lambda: not gone & set(world.libvirt.guests()) and len(pool.monitor.runners("linux", "Idle")) == 3)
    for name in names:
        world.github.control("POST", f"runners/{name}/appear".replace("@", "%40"))
    wait_until_settled(world, 3)
    check_nothing_double(world, 3)
    assert not pool.trouble()


def test_g5_names_that_are_taken(world):
    """Somebody else's registrations bear the names of runners to come: they stay, and those runners get other ids."""
    pool = Pool(world, job_seconds=4.0)
    taken = [f"ci-runner-linux.{number}@ci0" for number in (4, 5)]
    for name in taken:
        world.github.control("POST", "runners", {"name": name, "scope": f"repos/{REPOSITORY}"})
    assert world.github.wait_for_job(pool.job["id"])["conclusion"] == "success"
    pool.monitor.wait_for_runners("linux", 2, seconds=RIGHT_AGAIN)  # beside the reserved one
    assert not {4, 5} & set(pool.monitor.runners())
    registrations = world.github.registrations()
    for name in taken:
        answer = world.github.http.delete(f"/repos/{REPOSITORY}/actions/runners/{registrations[name]['id']}", token=GITHUB_TOKEN,
                                          headers={"User-Agent": "someone"})
        assert answer.status == 204
    pool.check_right_again()


def test_g2_labels_that_are_lost(world):
    """Someone takes the labels off a reserved runner: its job can't come, so it is given up in time, and replaced."""
    pool = Pool(world, job_seconds=4.0, monitor_reserve_timeout=4, reserve_timeout_max=8)
    registration = pool.monitor.runners()[pool.reserved]["registration"]
    answer = world.github.http.delete(f"/repos/{REPOSITORY}/actions/runners/{registration['id']}/labels", token=GITHUB_TOKEN,
                                      headers={"User-Agent": "someone"})
    assert answer.status == 200
    wait_until("it is given up", lambda: pool.monitor.reservation(pool.unique_id).json()["state"] == "expired", RIGHT_AGAIN)
    pool.monitor.wait_for_runners("linux", 3, seconds=RIGHT_AGAIN)
    wait_until_settled(world, 3)
    check_nothing_double(world, 3)
