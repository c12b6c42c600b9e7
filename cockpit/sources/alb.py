"""The load balancer's rules and the health of its target groups, polled.

A poll is asked once, without retries of its own: the next one comes anyway. An endpoint that does not answer is asked one cheap
thing until it does.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from random import Random

from cockpit.clock import Clock
from cockpit.connections.aws import Elb
from cockpit.connections.pulse import seek
from cockpit.errors import CockpitError, Unreachable
from cockpit.model.arch import Arch
from cockpit.model.playbook import Alb
from cockpit.model.share import Rule, TargetGroup
from cockpit.model.snapshot import SourceName
from cockpit.sources.base import Kind, Observation
from cockpit.sources.pace import Backoff, patience, speed

EVERY_SECONDS = 4.0
STALE_SECONDS = 30.0
MOST_SECONDS = 8.0
"""Between two attempts while they fail."""
LEAST_WALL_SECONDS = 0.2
"""However fast a rehearsal runs, its load balancer is not asked more often than this."""


class AlbSource:
    """Rules by ARN and target groups by ARN; `every` is in seconds of the clock."""

    names = (SourceName.RULES, SourceName.TARGETS)

    def __init__(self, elb: Elb, alb: Alb, clock: Clock, random: Random | None = None, every: float = EVERY_SECONDS) -> None:
        self._elb = elb.poller
        self._alb = alb
        self._clock = clock
        self._every = max(every, LEAST_WALL_SECONDS * speed(clock)) if speed(clock) > 1 else every
        # Reads have an allowance of their own that one question in a few seconds hardly touches; and whoever writes beside a run
        # must be seen within ten, throttled or not.
        self._backoff = Backoff(clock, random or Random(), first=every, most=max(MOST_SECONDS, self._every))  # noqa: S311 (jitter)

    @property
    def stale_after(self) -> float:
        """Seconds of the clock."""
        return patience(self._clock, STALE_SECONDS, 3.0)

    async def observe(self) -> AsyncGenerator[Observation, None]:
        """Poll until cancelled."""
        sought = False
        while True:
            started = self._clock.monotonic()
            rules, groups = await asyncio.gather(
                self._ask(SourceName.RULES, self._rules),
                self._ask(SourceName.TARGETS, lambda: self._elb.target_groups(self._alb.target_groups)),
            )
            for observation in (*rules[0], *groups[0]):
                yield observation
            error = rules[1] or groups[1]
            if isinstance(error, Unreachable) and not sought:
                await seek(lambda: self._elb.probe(self._alb.target_groups[Arch.ARM64]))
                sought = True
                continue
            sought = False
            if error:
                await self._backoff.wait(error)
            else:
                self._backoff.reset()
                await self._clock.sleep(max(self._every / 2, started + self._every - self._clock.monotonic()))

    def _rules(self) -> Awaitable[Iterable[Rule]]:
        if self._alb.ingress:
            return self._elb.attached(tuple(self._alb.target_groups.values()))
        return self._elb.rules(self._alb.listeners, self._alb.rules)

    async def _ask(
        self, source: SourceName, ask: Callable[[], Awaitable[Iterable[Rule | TargetGroup]]]
    ) -> tuple[list[Observation], CockpitError | None]:
        # The answer is at least as old as the question.
        at = self._clock.monotonic()
        try:
            found = list(await ask())
        except CockpitError as error:
            return [Observation(source, Kind.FAULT, self._clock.monotonic(), why=str(error))], error
        told = [Observation(source, Kind.UPSERT, at, one.arn, one) for one in found]
        return [*told, Observation(source, Kind.LISTED, at, keys=frozenset(one.arn for one in found))], None
