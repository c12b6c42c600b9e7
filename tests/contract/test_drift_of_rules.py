"""Somebody else's change of a rule is seen within ten seconds of the clock, whatever it is, and said with who and what."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pytest

from cockpit.clock import ManualClock
from cockpit.connections.aws import Elb
from cockpit.levers.weights import WeightsLever
from cockpit.levers.weights_actions import EPOCH, ORIGINAL, with_weights
from cockpit.model.arch import Arch
from cockpit.model.event import Event, EventType
from cockpit.model.playbook import Alb
from cockpit.run.assess import judge
from cockpit.run.crew import Crew
from cockpit.run.drift import DriftWatch
from cockpit.run.executor import set_phase
from cockpit.run.logbook import Logbook
from cockpit.run.state import RunState, Stage
from cockpit.sources.alb import AlbSource
from cockpit.store import Store, drive
from tests.contract.alb_story import Story, proxy
from tests.contract.balancer import account
from tests.factories import PLAYBOOK, phase
from tests.thorough import SEED, figure

TICK = 0.5
LIMIT = 10.0
TRIALS = figure(100, 20, 3)


@pytest.fixture(scope="module")
def balancer() -> Iterator[tuple[str, Alb]]:
    with account(listeners=1, rules=1) as made:
        yield made


@dataclass
class Watched:
    """A phase that has been set, and whoever watches it; `clock` moves by `pass_`."""

    story: Story
    clock: ManualClock
    logbook: Logbook
    look: Callable[[], str]

    async def pass_(self, seconds: float) -> list[str]:
        """Let time pass, tick by tick, each once the source has come to rest; what was a reason to hold."""
        held = []
        for _ in range(round(seconds / TICK)):
            await self.clock.advance(TICK)
            async with asyncio.timeout(30):
                while not self.clock._sleepers:  # noqa: ASYNC110 (the clock is turned by hand: nobody would set an event)
                    await asyncio.sleep(0.002)
            held += [words] if (words := self.look()) else []
        return held

    async def until_held(self) -> tuple[float, str]:
        """Seconds of the clock until there is a reason to hold, and which."""
        began = self.clock.monotonic()
        while not (held := await self.pass_(TICK)):
            assert self.clock.monotonic() - began < 60
        return self.clock.monotonic() - began, held[0]

    def drifts(self) -> list[Event]:
        return [e for e in self.logbook.events if e.type is EventType.DRIFT]


@pytest.fixture
async def watched(balancer: tuple[str, Alb], monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Watched]:
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, "testing")
    address, alb = balancer
    clock = ManualClock()
    async with AsyncExitStack() as stack:
        other = await Elb.connect(alb)
        stack.callback(other.close)
        story = Story(alb, other, Random(SEED), healthy=dict.fromkeys(alb.target_groups.values(), 3))
        front = replace(alb, endpoint_url=await stack.enter_async_context(proxy(address, story)))
        elb = await Elb.connect(front)
        stack.callback(elb.close)
        await reset(story)
        lever = WeightsLever(elb, front, clock)
        playbook = replace(PLAYBOOK, phases=(phase("canary-5", 5),), alb=front, rollback_order=("weights",))
        crew, logbook = Crew(playbook, {"weights": lever}), Logbook(clock, "run", "ana@bastion", None)
        await set_phase(playbook.phases[0], crew, logbook, None)
        store, state = Store(clock), RunState("run", Stage.PROVING, 0, stage_at=clock.now(), phase_at=clock.now())
        watch = DriftWatch(logbook, playbook, clock)

        def look() -> str:
            snapshot = store.freeze()
            return watch.look(snapshot, state, judge(crew, snapshot, state, {"weights"}))

        task = asyncio.create_task(drive(AlbSource(elb, front, clock, Random(SEED)), store))
        try:
            yield Watched(story, clock, logbook, look)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def reset(story: Story) -> None:
    groups = story.alb.target_groups
    for rule in await story.rules():
        await story.other.untag(rule.arn, [ORIGINAL, EPOCH, "elbv2.k8s.aws/cluster"])
        await story.other.modify(rule, with_weights(rule.actions, {groups[Arch.ARM64]: 0, groups[Arch.AMD64]: 100}))


async def weights(story: Story, number: int, arm64: int, amd64: int) -> None:
    rule, groups = (await story.rules())[number], story.alb.target_groups
    await story.other.modify(rule, with_weights(rule.actions, {groups[Arch.ARM64]: arm64, groups[Arch.AMD64]: amd64}))


async def sticky(story: Story) -> None:
    rule = (await story.rules())[0]
    config: dict[str, Any] = dict(rule.actions[0]["ForwardConfig"])  # type: ignore[arg-type]
    config["TargetGroupStickinessConfig"] = {"Enabled": True, "DurationSeconds": 60}
    await story.other.modify(rule, [{**rule.actions[0], "ForwardConfig": config}])


async def unrecord(story: Story) -> None:
    await story.other.untag((await story.rules())[1].arn, [ORIGINAL])


CHANGES: dict[str, tuple[Callable[[Story], Awaitable[None]], str]] = {
    "reverted": (lambda s: weights(s, 0, 0, 100), "is arm64 0, amd64 100 ["),
    "another phase": (lambda s: weights(s, 0, 50, 50), "is arm64 50, amd64 50 ["),
    "the same share by other weights": (lambda s: weights(s, 1, 10, 190), "is arm64 10, amd64 190 ["),
    "stickiness": (sticky, "is arm64 5, amd64 95 ["),
    "the record": (unrecord, "without the record of the original"),
}


@pytest.mark.parametrize("what", CHANGES)
async def test_any_change_is_seen_within_ten_seconds_and_said(watched: Watched, what: str) -> None:
    change, words = CHANGES[what]
    assert await watched.pass_(20) == []
    await change(watched.story)
    took, held = await watched.until_held()
    assert took <= LIMIT
    assert words in held
    (event,) = watched.drifts()
    assert {"lever", "target", "who", "was", "is"} <= event.fields.keys()
    assert "aws cloudtrail lookup-events --lookup-attributes AttributeKey=ResourceName,AttributeValue=arn:" in str(
        event.fields["who"]
    )
    assert await watched.pass_(20) == [], "it is told once"


async def test_a_rule_that_a_controller_owns_says_which(watched: Watched) -> None:
    await watched.story.other.tag((await watched.story.rules())[0].arn, {"elbv2.k8s.aws/cluster": "prod"})
    await watched.pass_(10)
    await weights(watched.story, 0, 0, 100)
    assert "the AWS Load Balancer Controller owns it, by its tags (Ingress ? in cluster prod)" in (await watched.until_held())[1]


async def test_what_was_there_before_our_own_write_is_no_change(watched: Watched) -> None:
    assert await watched.pass_(60) == []
    assert watched.drifts() == []


async def test_whenever_it_happens_also_after_throttled_looks_it_is_seen_in_time(watched: Watched) -> None:
    await watched.pass_(10)
    slowest = 0.0
    for _ in range(TRIALS):
        watched.story.chances = {"throttled reads": 0.1}
        await watched.pass_(watched.story.random.choice((0.5, 1.0, 1.5, 2.0, 3.0, 5.5)))
        before = await watched.story.rules()
        await weights(watched.story, 0, 50, 50)
        watched.story.chances = {}
        slowest = max(slowest, (await watched.until_held())[0])
        await watched.story.other.modify(before[0], before[0].actions)
        await watched.pass_(12)
    assert slowest <= LIMIT
