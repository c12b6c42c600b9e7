"""What is wrong is found within a minute of its beginning, by the world's own account of when that was, and named.

Both times are of the rehearsal's clock: the first failing verdict from the run's event lines, the beginning from the world.
"""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from cockpit.flight import Flight
from cockpit.model.arch import Arch
from cockpit.model.event import Event, EventType
from cockpit.model.finding import FindingKind
from cockpit.rehearsal.client import Ready
from cockpit.run.frame import Frame
from cockpit.run.state import Stage
from tests.scenarios.flights import LIMIT, PLAYBOOK, ended, every_seed, flying

pytestmark = pytest.mark.slow

SPEED = 40.0
IN_TIME = timedelta(minutes=1)
Fly = Callable[[str, int], AbstractAsyncContextManager[tuple[Flight, Ready]]]


@pytest.fixture
def fly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fly:
    """Fly a scenario on autopilot, slowly enough that a minute of it is not over between two ticks of a busy machine."""
    return lambda scenario, seed: flying(
        PLAYBOOK, monkeypatch, tmp_path, scenario=scenario, seed=seed, speed=SPEED, autopilot=True
    )


async def began(ready: Ready) -> datetime:
    """When the world says that the trouble began."""
    answer = await asyncio.to_thread(lambda: urllib.request.urlopen(f"{ready.control_url}/scenario").read())  # noqa: S310
    return datetime.fromisoformat(json.loads(answer)["began"].replace("Z", "+00:00"))


def failures(flight: Flight) -> list[Event]:
    """Every verdict that turned to FAIL, in order."""
    return [e for e in told(flight, EventType.VERDICT) if e.fields["verdict"] == "FAIL"]


async def failed(flight: Flight, *gates: str) -> Event:
    """Wait until one of these gates or triggers says FAIL."""
    async with asyncio.timeout(LIMIT):
        while not (found := [e for e in failures(flight) if e.fields["gate"] in gates]):
            await flight.next_tick()
    return found[0]


async def seen(flight: Flight, wanted: Callable[[Frame], bool]) -> Frame:
    """Wait until the picture is as wanted."""
    async with asyncio.timeout(LIMIT):
        while (picture := flight.frame()) is None or not wanted(picture):
            await flight.next_tick()
    return picture


def kinds(picture: Frame) -> set[FindingKind]:
    return {finding.kind for finding in picture.matrix.findings}


def told(flight: Flight, *types: EventType) -> list[Event]:
    return [e for e in flight.events() if e.type in types]


def phases(flight: Flight) -> list[str]:
    return [e.phase for e in told(flight, EventType.PHASE_STARTED)]


@every_seed
async def test_a_crash_looping_agent_fails_the_gate_and_goes_home(seed: int, fly: Fly) -> None:
    async with fly("agent-crashloop", seed) as (flight, ready):
        gate, trigger = await failed(flight, "agents ready"), await failed(flight, "agents crash loop")
        since = await began(ready)
        assert since <= gate.time <= since + IN_TIME and gate.fields["role"] == "gate"
        assert since <= trigger.time <= since + IN_TIME and "edr-sensor: crash loop" in trigger.message
        picture = await seen(flight, lambda p: any(h.crash_looping for h in p.agents))
        assert [h.agent.name for h in picture.agents if not h.healthy] == ["edr-sensor"]
        assert FindingKind.AGENT_CRASH_LOOP in kinds(picture)
        await ended(flight)
        assert flight.state.stage is Stage.ROLLED_BACK and phases(flight) == ["canary-5"]


@every_seed
async def test_an_agent_that_is_pinned_to_amd64_is_seen_through(seed: int, fly: Fly) -> None:
    async with fly("agent-missing", seed) as (flight, ready):
        gate = await failed(flight, "agents ready")
        since = await began(ready)
        assert since <= gate.time <= since + IN_TIME
        picture = await seen(flight, lambda p: any(h.looks_whole for h in p.agents))
        [agent] = [h for h in picture.agents if not h.healthy]
        arm64 = {n.name for n in picture.snapshot.nodes.values() if n.arch == Arch.ARM64}
        assert dict(agent.missing) == dict.fromkeys(arm64, "pinned to amd64 by nodeSelector kubernetes.io/arch")
        assert agent.desired == agent.reported == 8, "by its own account it is complete"
        assert FindingKind.AGENT_MISSING in kinds(picture)
        assert not picture.promote.allowed and "agents ready" in picture.promote.why
        assert phases(flight) == ["canary-5"]


@every_seed
async def test_an_emulated_release_fails_native_and_is_then_stopped_by_its_latency(seed: int, fly: Fly) -> None:
    async with fly("emulated", seed) as (flight, ready):
        gate = await failed(flight, "native")
        since = await began(ready)
        assert since <= gate.time <= since + IN_TIME
        picture = await seen(flight, lambda p: FindingKind.EMULATED in kinds(p))
        assert not picture.promote.allowed
        await ended(flight)
        assert flight.state.stage is Stage.ROLLED_BACK and phases(flight) == ["canary-5"]
        [aborted] = told(flight, EventType.ABORT_TRIGGERED)
        assert "latency_p99" in aborted.message


@every_seed
@pytest.mark.parametrize(
    ("scenario", "kind"), [("exec-format", FindingKind.EXEC_FORMAT), ("no-manifest", FindingKind.NO_MANIFEST)]
)
async def test_a_release_that_cannot_run_on_arm64_is_named_and_goes_home(
    scenario: str, kind: FindingKind, seed: int, fly: Fly
) -> None:
    async with fly(scenario, seed) as (flight, ready):
        trigger = await failed(flight, f"finding {kind}")
        since = await began(ready)
        assert since <= trigger.time <= since + IN_TIME
        assert kind in kinds(await seen(flight, lambda p: bool(p.matrix.findings)))
        await ended(flight)
        assert flight.state.stage is Stage.ROLLED_BACK and phases(flight) == ["canary-5"]
        assert told(flight, EventType.ABORT_TRIGGERED)[0].message.startswith(f"finding {kind}")


@every_seed
async def test_the_way_back_turns_red_before_anything_else_when_x86_is_drained(seed: int, fly: Fly) -> None:
    async with fly("x86-gone", seed) as (flight, ready):
        gate = await failed(flight, "rollback ready")
        since = await began(ready)
        assert since <= gate.time <= since + IN_TIME
        assert failures(flight)[0].fields["gate"] == "rollback ready"
        picture = await seen(flight, lambda p: p.readiness.headroom == 0)
        assert not picture.promote.allowed
        assert any(why.startswith("rollback ready: no amd64 node is ready and schedulable") for why in picture.promote.why)
        assert told(flight, EventType.ABORT_TRIGGERED, EventType.PROMOTED) == []
        assert phases(flight) == ["canary-5"]
