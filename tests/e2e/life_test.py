"""A runner's life on real guests."""

from monitor import profile


def test_a_runner_boots_works_and_is_replaced(world):
    monitor = world.begin({"tiny": profile(1, memory="96M")})
    (runner_id, runner), = monitor.wait_for_runners("tiny", 1).items()
    assert runner["ipv4_address"] == world.host.address(runner["guest_name"])
    job = world.github.queue_job("self-hosted-image:tiny", seconds=2)
    world.github.wait_for_job(job["id"])
    (next_id, _), = monitor.wait_for_runners("tiny", 1).items()
    assert next_id > runner_id
