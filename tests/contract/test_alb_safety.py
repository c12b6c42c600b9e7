"""Whatever goes wrong between the writes of a phase: never all zero, never onto nothing healthy, never half.

Seeded random stories (COCKPIT_SEED for others) over a load balancer's API; the invariants are checked on every state in which its
rules ever were, not only on the last.
"""

from __future__ import annotations

import asyncio
import copy
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import boto3
import pytest

from cockpit.connections.aws import Elb
from cockpit.errors import CockpitError, Impossible
from cockpit.levers.weights import WeightsLever
from cockpit.levers.weights_actions import EPOCH, ORIGINAL, comparable, recorded, same, with_weights
from cockpit.levers.weights_balance import is_set
from cockpit.model.arch import Arch
from cockpit.model.json import canonical
from cockpit.model.playbook import Alb
from cockpit.model.share import Rule
from cockpit.run.crew import Crew
from cockpit.run.executor import HalfWritten, set_phase
from cockpit.run.logbook import Logbook
from cockpit.run.rollback import roll_back
from tests.contract.alb_story import Story, proxy, share
from tests.contract.balancer import account
from tests.contract.leaping import LeapingClock
from tests.factories import PLAYBOOK, phase
from tests.thorough import SEED, figure

STORIES = figure(200, 20, 2)
"""Of each kind."""
PHASES = tuple(phase(f"canary-{arm}", arm) for arm in (5, 50, 100))
MOST_CALLS = 4000


@pytest.fixture(scope="module")
def balancer() -> Iterator[Balancer]:
    """One account for all stories, with what takes long to make: the others' clients."""
    with pytest.MonkeyPatch.context() as patch, account(listeners=1, rules=2) as (address, alb):
        for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(key, "testing")
        other = asyncio.run(Elb.connect(alb))
        made = Balancer(address, alb, other, _third(alb))
        yield made
        other.close()
        sys.stdout.write(f"{made.stories} stories, {made.states} states of the rules looked at\n")


@dataclass
class Balancer:
    """`third` is a target group that the playbook does not name; the counts are of what the tests have looked at."""

    address: str
    alb: Alb
    other: Elb
    third: str
    stories: int = 0
    states: int = 0


@dataclass
class Run:
    """A run on a load balancer with a story, and what its rules were before."""

    crew: Crew
    story: Story
    clock: LeapingClock
    before: tuple[Rule, ...]
    logbook: Logbook
    balancer: Balancer

    async def set(self, number: int) -> CockpitError | None:
        """What became of setting a phase."""
        try:
            await set_phase(PHASES[number], self.crew, self.logbook, None)
        except CockpitError as error:
            return error
        return None

    async def home(self) -> dict[str, str]:
        """Roll back once the faults are over; why anything is not home."""
        self.story.chances, self.story.meddle = {}, None
        return (await roll_back(self.crew, self.logbook, self.clock, give_up=600.0)).failures


@asynccontextmanager
async def run(balancer: Balancer, seed: int, chances: dict[str, float]) -> AsyncIterator[Run]:
    alb, clock = balancer.alb, LeapingClock()
    async with AsyncExitStack() as stack:
        story = Story(alb, balancer.other, Random(seed), healthy=dict.fromkeys(alb.target_groups.values(), 3))
        await reset(story, balancer.third)
        story.chances = chances
        front = replace(alb, endpoint_url=await stack.enter_async_context(proxy(balancer.address, story)))
        elb = await Elb.connect(front)
        stack.callback(elb.close)
        lever = WeightsLever(elb, front, clock, rng=Random(seed))
        playbook = replace(PLAYBOOK, phases=PHASES, alb=front, rollback_order=("weights",))
        before = await story.rules()
        await story.note("start")
        logbook = Logbook(clock, "run", "ana@bastion", None)
        yield Run(Crew(playbook, {"weights": lever}), story, clock, before, logbook, balancer)
        balancer.stories += 1
        balancer.states += len(story.states)


async def reset(story: Story, third: str) -> None:
    """All traffic on x86, by rules of any shape that people make: sticky ones, a third group, somebody's tags, odd sums."""
    for rule in await story.rules():
        sticky = story.random.random() < 0.5
        x86, heavy = story.alb.target_groups[Arch.AMD64], story.random.choice((1, 100, 999))
        groups: list[Any] = [{"TargetGroupArn": x86, "Weight": heavy}]
        groups.append({"TargetGroupArn": story.alb.target_groups[Arch.ARM64], "Weight": 0})
        if story.random.random() < 0.5:
            groups.insert(story.random.randrange(3), {"TargetGroupArn": third, "Weight": story.random.choice((0, 7))})
        config: dict[str, Any] = {"TargetGroups": groups, "TargetGroupStickinessConfig": {"Enabled": sticky}}
        if sticky:
            config["TargetGroupStickinessConfig"]["DurationSeconds"] = 600
        await story.other.untag(rule.arn, [ORIGINAL, EPOCH])
        await story.other.modify(rule, [{"Type": "forward", "Order": 1, "ForwardConfig": config}])


def _third(alb: Alb) -> str:
    client = boto3.client("elbv2", region_name=alb.region, endpoint_url=alb.endpoint_url)
    vpc = client.describe_target_groups()["TargetGroups"][0]["VpcId"]
    made = client.create_target_group(Name="third", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip")
    client.close()
    return made["TargetGroups"][0]["TargetGroupArn"]


def apart_from_weights(rule: Rule, alb: Alb) -> str:
    """The rule's actions without the two weights that are ours to set: everything that must stay as it is."""
    return canonical(comparable(with_weights(rule.actions, dict.fromkeys(alb.target_groups.values(), 0))))


def check_states(made: Run) -> None:
    """The invariants of every state that the cockpit made.

    What may move onto nothing healthy is a way back alone, and only to the very weights from before the run: somebody else may
    have given arm64 some of them.
    """
    groups = made.story.alb.target_groups
    for before, after in zip(made.story.states, made.story.states[1:], strict=False):
        for old, new in zip(before.rules, after.rules, strict=True):
            assert sum(new.weights.values()) > 0, f"{after.who} left {new.arn} with nothing"
            if after.who != "cockpit" or same(old.actions, new.actions):
                continue
            assert apart_from_weights(new, made.story.alb) == apart_from_weights(old, made.story.alb)
            if share(new, made.story.alb) > share(old, made.story.alb) and not after.healthy[groups[Arch.ARM64]]:
                assert is_set(new, recorded(old, tuple(groups.values()))), "moved onto nothing healthy"


@pytest.mark.parametrize("number", range(STORIES))
async def test_a_phase_is_set_whole_or_not_at_all_and_home_is_home(balancer: Balancer, number: int) -> None:
    chances = {"throttled": 0.3, "lost": 0.15, "unanswered": 0.15}
    async with run(balancer, 10_000 * SEED + number, chances) as made:
        for index in range(3):
            stood = await made.story.rules()
            error = await made.set(index)
            now = await made.story.rules()
            if error is None:
                assert {share(r, made.story.alb) for r in now} == {(5, 50, 100)[index] / 100}
                assert all(ORIGINAL in r.tags for r in now)
            elif not isinstance(error, HalfWritten):
                assert [canonical(comparable(r.actions)) for r in now] == [canonical(comparable(r.actions)) for r in stood]
                assert [r.tags for r in now] == [r.tags for r in stood]
            if error:
                break
        assert await made.home() == {}
        check_states(made)
        home = await made.story.rules()
        assert [canonical(comparable(r.actions)) for r in home] == [canonical(comparable(r.actions)) for r in made.before]
        assert [r.tags for r in home] == [{}] * 3
        assert len(made.story.calls) < MOST_CALLS


@pytest.mark.parametrize("number", range(STORIES))
async def test_others_who_write_and_targets_that_die_in_between(balancer: Balancer, number: int) -> None:
    async with run(balancer, 20_000 * SEED + number, {"throttled": 0.2, "lost": 0.1, "unanswered": 0.1}) as made:
        story, busy = made.story, False
        groups, said = story.alb.target_groups, Counter[str]()

        async def meddle(action: str) -> None:
            nonlocal busy
            draw = story.random.random()
            if draw < 0.08:
                story.healthy[groups[Arch.ARM64]] = story.random.choice((0, 3))
            elif draw < 0.13 and action.startswith("Describe") and not busy:
                busy = True
                rule = story.random.choice(await story.rules())
                arm = story.random.choice((0, 5, 50, 100))
                weights = {groups[Arch.ARM64]: arm, groups[Arch.AMD64]: 100 - arm}
                await story.other.modify(rule, with_weights(rule.actions, weights))
                await story.note("somebody else")
                busy = False

        story.meddle = meddle
        for index in range(3):
            error = await made.set(index)
            said[type(error).__name__] += 1
            if error:
                break
        check_states(made)
        failures = await made.home()
        check_states(made)
        home = await story.rules()
        if not failures:
            assert all(ORIGINAL not in rule.tags for rule in home)


async def test_targets_that_die_between_two_rules_stop_the_second_and_take_the_first_back(balancer: Balancer) -> None:
    async with run(balancer, SEED, {}) as made:
        arm, tagged = made.story.alb.target_groups[Arch.ARM64], Counter[str]()

        async def die(action: str) -> None:
            tagged[action] += 1
            if tagged["AddTags"] == 2:
                made.story.healthy[arm] = 0

        made.story.meddle = die
        error = await made.set(0)
        assert isinstance(error, Impossible)
        assert "has lost its last healthy target since this was planned (3 unhealthy, 0 draining)" in str(error)
        now = await made.story.rules()
        assert [copy.deepcopy(r.weights) for r in now] == [r.weights for r in made.before]
        assert [r.tags for r in now] == [{}] * 3
        check_states(made)


async def test_a_way_back_onto_sick_targets_is_never_refused(balancer: Balancer) -> None:
    async with run(balancer, SEED, {}) as made:
        assert await made.set(0) is None
        made.story.healthy = dict.fromkeys(made.story.healthy, 0)
        assert await made.home() == {}
        assert [r.weights for r in await made.story.rules()] == [r.weights for r in made.before]


@pytest.mark.parametrize(
    "extra",
    [
        {
            "Type": "authenticate-cognito",
            "Order": 1,
            "AuthenticateCognitoConfig": {
                "UserPoolArn": "arn:aws:cognito-idp:ap-south-1:123456789012:userpool/p",
                "UserPoolClientId": "client",
                "UserPoolDomain": "login.example.com",
            },
        }
    ],
)
async def test_an_action_before_the_forward_stays_where_it_is(balancer: Balancer, extra: dict[str, Any]) -> None:
    async with run(balancer, SEED, {}) as made:
        for rule in made.before[1:]:
            await made.story.other.modify(rule, [extra, {**rule.actions[0], "Order": 2}])
        shaped = await made.story.rules()
        await made.story.note("somebody else")
        assert await made.set(0) is None
        for old, new in zip(shaped[1:], (await made.story.rules())[1:], strict=True):
            assert [a["Type"] for a in new.actions] == ["authenticate-cognito", "forward"]
            assert apart_from_weights(new, made.story.alb) == apart_from_weights(old, made.story.alb)
        assert await made.home() == {}
        check_states(made)
        assert [canonical(comparable(r.actions)) for r in await made.story.rules()] == [
            canonical(comparable(r.actions)) for r in shaped
        ]


async def test_a_rule_that_only_redirects_is_refused_before_anything_is_written(balancer: Balancer) -> None:
    async with run(balancer, SEED, {}) as made:
        target = made.before[1]
        await made.story.other.modify(
            target, [{"Type": "redirect", "Order": 1, "RedirectConfig": {"Protocol": "HTTPS", "StatusCode": "HTTP_301"}}]
        )
        error = await made.set(0)
        assert isinstance(error, Impossible)
        assert "it has no forward actions" in str(error)
        assert not [c for c in made.story.calls if not c.startswith("Describe")]
