"""Traffic and latency: what the metrics would show."""

from __future__ import annotations

import asyncio

import pytest

from cockpit.clock import ManualClock, ScaledClock
from cockpit.model.arch import Arch
from cockpit.rehearsal import latency
from cockpit.rehearsal.windows import WINDOW, Measured, Windows
from cockpit.rehearsal.world import ORIGIN, World
from tests.unit.rehearsal.worlds import BASELINE, bind, playbook, weights, world


def _at(made: World, arch: Arch) -> Measured:
    found = made.traffic.windows[arch].at(made.cluster.step)
    assert found is not None
    return found


def _share(made: World) -> float:
    arm, amd = (made.traffic.windows[a].at(made.cluster.step) for a in (Arch.ARM64, Arch.AMD64))
    parts = [m.requests if m else 0.0 for m in (arm, amd)]
    return parts[0] / sum(parts)


def _series(made: World, until: int) -> list[Measured | None]:
    return [made.traffic.windows[a].at(s) for s in range(0, until, 10) for a in Arch]


def test_rates_are_whole_at_the_start_and_an_idle_architecture_has_no_sample() -> None:
    made = world()
    made.engine.advance(1)
    assert 1150 < _at(made, Arch.AMD64).requests < 1330
    assert 0.105 < _at(made, Arch.AMD64).p99 < 0.125
    assert made.traffic.windows[Arch.ARM64].at(1) is None


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_clean_traffic_is_alike_on_both_architectures(seed: int) -> None:
    made = world(seed=seed)
    made.set_weights("arn:rule", weights(25))
    for step in range(200, 1200, 20):
        made.engine.advance(step)
        amd, arm = _at(made, Arch.AMD64), _at(made, Arch.ARM64)
        assert abs(arm.p99 / amd.p99 - 1) < 0.03
        assert arm.errors / arm.requests < 0.0005
        assert abs(_share(made) - 0.25) < 0.01


def test_share_follows_the_weights_with_a_lag_and_rates_with_a_window() -> None:
    made = world()
    made.engine.advance(10)
    made.set_weights("arn:rule", weights(50))
    seen = []
    for step in (15, 40, 100, 300):
        made.engine.advance(step)
        seen.append(_share(made))
    assert seen == sorted(seen)
    assert seen[0] < 0.05 and seen[2] < 0.48 and abs(seen[3] - 0.5) < 0.01


def test_a_share_is_of_the_sum_and_rules_that_disagree_are_averaged() -> None:
    made = world()
    made.set_weights("arn:rule", {Arch.AMD64: 1, Arch.ARM64: 3})
    assert made.traffic.share(Arch.ARM64) == 0.75
    made.set_weights("arn:other", weights(0))
    assert made.traffic.share(Arch.ARM64) == 0.375
    made.set_weights("arn:other", {Arch.AMD64: 0, Arch.ARM64: 0})
    assert made.traffic.share(Arch.ARM64) == 0.375
    assert made.traffic.share(Arch.AMD64) == 0.125


def test_traffic_ends_after_the_last_window() -> None:
    made = world()
    made.set_weights("arn:rule", weights(100))
    made.engine.advance(400)
    assert made.traffic.windows[Arch.AMD64].at(400) is None
    assert abs(_share(made) - 1.0) < 1e-9


def test_an_empty_group_gets_nothing_through_and_an_unready_one_fails_open() -> None:
    made = world()
    made.set_weights("arn:rule", weights(50))
    made.cluster.change(
        "deployments",
        made.storage.get("deployments", "payments", "payments-api-arm64"),
        lambda new: new["spec"].update(replicas=0),
    )
    made.engine.advance(400)
    assert made.traffic.windows[Arch.ARM64].at(400) is None
    assert 550 < _at(made, Arch.AMD64).requests < 750
    unready = world()
    for pod in unready.storage.list("pods", BASELINE.namespace):
        status = {**pod["status"], "conditions": [{"type": "Ready", "status": "False"}]}
        unready.cluster.set_status("pods", pod, status)
    unready.traffic.step(1, unready.scenario)
    measured = unready.traffic.windows[Arch.AMD64].at(1)
    assert measured is not None and measured.errors > 0.005 * measured.requests


def test_fewer_pods_are_slower_and_too_few_refuse() -> None:
    made = world()
    usual = _at(made, Arch.AMD64)
    made.cluster.change(
        "deployments", made.storage.get("deployments", "payments", "payments-api"), lambda new: new["spec"].update(replicas=4)
    )
    made.engine.advance(300)
    assert _at(made, Arch.AMD64).p99 > 1.5 * usual.p99
    assert _at(made, Arch.AMD64).errors > 0.05 * _at(made, Arch.AMD64).requests


def test_latency_rises_with_load_and_falls_as_pods_warm_up() -> None:
    rates = [1.0, 100.0, 180.0, 230.0, 255.0, 300.0]
    values = [latency.p99(r) for r in rates]
    assert values == sorted(values) and values[1] < 1.02 * values[0] and values[-1] > 3 * values[0]
    assert latency.cold_factor(0) > latency.cold_factor(15) > latency.cold_factor(30) == 1.0
    assert latency.refused(latency.CAPACITY) == 0.0 and latency.refused(2 * latency.CAPACITY) == pytest.approx(0.5)


def test_without_a_load_balancer_traffic_is_where_the_ready_pods_are() -> None:
    made = world(balanced=False)
    assert made.traffic.share(Arch.ARM64) == 0.0
    bind(made, BASELINE, "arm64")
    made.engine.advance(12)
    assert 0.0 < made.traffic.share(Arch.ARM64) < 1.0
    made.engine.advance(300)
    assert made.traffic.windows[Arch.AMD64].at(300) is None
    assert _at(made, Arch.ARM64).requests > 1000


def test_the_same_seed_tells_the_same_story_and_another_seed_another() -> None:
    def told(seed: int, strides: list[int]) -> list[Measured | None]:
        made = world(seed=seed)
        made.set_weights("arn:rule", weights(25))
        bind(made, BASELINE, "arm64")
        for step in strides:
            made.engine.advance(step)
        return _series(made, 300)

    assert told(7, list(range(1, 301))) == told(7, [1, 13, 300]) == told(7, [300])
    assert told(7, [300]) != told(8, [300])


@pytest.mark.parametrize("speed", [400.0, 2000.0])
async def test_the_story_does_not_depend_on_the_speed(speed: float) -> None:
    import time

    made = World(playbook(), ManualClock(), seed=5)
    made.set_weights("arn:rule", weights(5))
    made.begin()
    running = asyncio.create_task(made.engine.run(ScaledClock(ORIGIN, time.monotonic(), speed), speed))
    reached = asyncio.Event()
    made.engine.each_step.append(lambda step: reached.set() if step >= 200 else None)
    await asyncio.wait_for(reached.wait(), 30)
    running.cancel()
    slow = World(playbook(), ManualClock(), seed=5)
    slow.set_weights("arn:rule", weights(5))
    slow.begin()
    slow.engine.advance(200)
    assert _series(made, 200) == _series(slow, 200)


def test_windows_average_and_forget() -> None:
    windows = Windows(0)
    assert windows.at(0) is None
    for step in range(3 * WINDOW):
        windows.add(Measured(100.0, 1.0, 0.1) if step < WINDOW else Measured())
    full = windows.at(WINDOW - 1)
    assert full is not None and (full.requests, full.errors, full.p99) == pytest.approx((100.0, 1.0, 0.1))
    half = windows.at(WINDOW + WINDOW // 2 - 1)
    assert half is not None and half.requests == pytest.approx(50.0) and half.p99 == pytest.approx(0.1)
    assert windows.at(3 * WINDOW) is None
