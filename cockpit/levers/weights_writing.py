"""One write of weights: tag, modify, read back; repeated within a budget, each time from reading the rule again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from random import Random
from typing import TypedDict, Unpack

from cockpit.clock import Clock
from cockpit.connections.aws import Elb
from cockpit.errors import Drift, NotInControl, Throttled, Unreachable
from cockpit.levers.base import Fence
from cockpit.levers.difference import first_difference
from cockpit.levers.fencing import demand_epoch
from cockpit.levers.health import demand_still_healthy
from cockpit.levers.weights_actions import EPOCH, ORIGINAL, Actions, comparable, same
from cockpit.model.json import Json
from cockpit.model.plan import Write
from cockpit.model.playbook import Alb
from cockpit.model.share import Rule

BUDGET = 180.0
_FIRST_WAIT = 1.0
_LONGEST_WAIT = 20.0
_LOOKS = 5
_LOOK_AGAIN = 1.0


class Manner(TypedDict, total=False):
    """How it is written.

    `on_retry` is told, in words, of each repetition. `budget` is the longest that one write is repeated for, in seconds
    (`BUDGET`). With `dry_run` everything is read and compared and nothing written. `rng` spreads the retries.
    """

    dry_run: bool
    budget: float
    on_retry: Callable[[str], None] | None
    rng: Random | None


class RuleWriter:
    """Carries out the writes of a `WeightsLever`, whose arguments these are."""

    def __init__(self, elb: Elb, alb: Alb, clock: Clock, **manner: Unpack[Manner]) -> None:
        self._elb = elb
        self._alb = alb
        self._clock = clock
        self._dry_run = manner.get("dry_run", False)
        self._budget = manner.get("budget", BUDGET)
        self._on_retry = manner.get("on_retry") or _nobody
        self._rng = manner.get("rng") or Random()  # noqa: S311 (spreads retries, guards nothing)

    async def apply(self, write: Write, fence: Fence | None = None) -> None:
        """Tag, modify, read back. Harmless when the write is already there; Drift when the rule is not what the plan read.

        Throttled and time-outs are repeated with full jitter within the budget, each time from reading the rule again, so
        that nothing is ever shifted twice or over somebody else's change. The epoch of `fence` is left in a tag before.
        """
        start = self._clock.monotonic()
        attempt = 0
        unanswered: _Unanswered | None = None
        while True:
            try:
                return await self._attempt(write, fence)
            except NotInControl as lost:
                # Whether the earlier request was carried out is not known, and may no longer be found out by sending it again.
                raise unanswered.cause if unanswered else lost from None
            except (Throttled, _Unanswered) as fault:
                unanswered = fault if isinstance(fault, _Unanswered) else unanswered
                wait = self._wait(attempt, fault)
                left = self._budget - (self._clock.monotonic() - start)
                if wait > left:
                    raise fault.cause if isinstance(fault, _Unanswered) else fault from None
                self._on_retry(f"{write.target}: {fault}; trying again in {wait:.0f} s, for {left:.0f} s more at most")
                await self._clock.sleep(wait)
                attempt += 1

    async def _attempt(self, write: Write, fence: Fence | None) -> None:
        rule = await (self._look_and_prove(write) if fence is None and not self._dry_run else self.look(write))
        epoch = demand_epoch(rule.tags.get(EPOCH), fence, write.target)
        sent, expected = actions_of(write.request), actions_of(write.expects)
        done = same(rule.actions, sent)
        if not done and not same(rule.actions, expected):
            raise _drift(write, expected, rule)
        if self._dry_run:
            return
        if tags := _tags(write, rule, epoch):
            await _answered(self._elb.tag(rule.arn, tags, way_back=fence is None, ask=fence))
        if not done:
            await self._modify(write, rule, sent, expected, fence)
        # Only a rollback takes the epoch away: one of a phase that was undone still keeps older ones out.
        ours = (ORIGINAL, EPOCH) if fence is None else (ORIGINAL,)
        if write.request.get("untag") and (left := [key for key in ours if key in rule.tags or key in tags]):
            await _answered(self._elb.untag(rule.arn, left, way_back=fence is None, ask=fence))

    async def _modify(self, write: Write, rule: Rule, sent: Actions, expected: Actions, fence: Fence | None) -> None:
        # No tag is a precondition of modify-rule: a cockpit that is stopped right here, and goes on after another one took the
        # controls, is held back by its fence, which counts the time. What remains is a request that is on its way already; the
        # new holder settles the intent of it before its own first write, and the watch on the rule sees it within 10 s.
        await demand_still_healthy(write, self._elb, self._alb.target_groups)
        await _answered(self._elb.modify(rule, sent, way_back=fence is None, ask=fence))
        for _ in range(_LOOKS):
            found = await self.look(write)
            if same(found.actions, sent):
                return
            if not same(found.actions, expected):
                raise _drift(write, sent, found)
            await self._clock.sleep(_LOOK_AGAIN)
        raise Drift(
            f"{write.target}: the load balancer accepted the new weights but still has the old ones; look who sets them back"
        )

    async def _look_and_prove(self, write: Write) -> Rule:
        """`look`; meanwhile it is asked whose the credentials are, as each write does, which then need not wait for that."""
        rule, _ = await asyncio.gather(self.look(write), self._elb.prove(way_back=True))
        return rule

    async def look(self, write: Write) -> Rule:
        """The rule that a write is for, as it is now. Drift when it is gone."""
        arn = str(write.request["arn"])
        listeners, rules = ((arn,), ()) if write.request["is_default"] else ((), (arn,))
        for rule in await self._elb.rules(listeners, rules):
            return rule
        raise Drift(f"{write.target}: it is gone; nothing was written; plan again")

    def _wait(self, attempt: int, fault: Exception) -> float:
        asked = fault.retry_after if isinstance(fault, Throttled) else None
        # Full jitter: many cockpits and controllers share one bucket per account and Region.
        return max(asked or 0.0, self._rng.uniform(0, min(_LONGEST_WAIT, _FIRST_WAIT * 2**attempt)))


class _Unanswered(Exception):
    """A write without an answer: whether it was carried out is only known after reading again."""

    def __init__(self, cause: Unreachable) -> None:
        super().__init__(str(cause))
        self.cause = cause


def _tags(write: Write, rule: Rule, epoch: str | None) -> dict[str, str]:
    """The tags to set before the weights: the record of the original where there is none, the epoch where it is another one."""
    original = write.request.get("tag")
    tags = {ORIGINAL: original} if isinstance(original, str) and ORIGINAL not in rule.tags else {}
    stays = not write.request.get("untag")
    return tags | ({EPOCH: epoch} if stays and epoch is not None and rule.tags.get(EPOCH) != epoch else {})


async def _answered(write: Awaitable[None]) -> None:
    try:
        await write
    except Unreachable as fault:
        raise _Unanswered(fault) from fault


def _nobody(message: str) -> None:
    del message


def actions_of(part: Mapping[str, Json]) -> Actions:
    """The action list in what a write sends or expects."""
    actions = part["actions"]
    return tuple(a for a in actions if isinstance(a, dict)) if isinstance(actions, list) else ()


def _drift(write: Write, expected: Actions, rule: Rule) -> Drift:
    found = first_difference(comparable(expected), comparable(rule.actions), "actions")
    return Drift(f"{write.target}: {found}: somebody else changed it; nothing more was written; plan again")
