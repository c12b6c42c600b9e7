"""Traffic: how many requests come, which target group and architecture gets them, how long they take and how many fail."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from cockpit.model.arch import Arch
from cockpit.model.cluster import Ref
from cockpit.rehearsal import draws, latency
from cockpit.rehearsal.fleet import Fleet, Member
from cockpit.rehearsal.windows import WINDOW, Measured, Windows

BASE_RATE = 1240.0
ERROR_RATE = 0.0002
STICKINESS = 20.0
"""Seconds in which the observed share closes all but 1/e of its distance to the weights: clients keep connections open."""
WARM_UP = -2 * WINDOW
"""The step from which traffic is known, so that rates are whole at the start."""
NEGLIGIBLE = 0.0005
"""A share below this is no traffic: the last kept-open connection has closed."""


class Disturbance(Protocol):
    """How a scenario changes what is measured."""

    def p99_factor(self, arch: Arch) -> float:
        """Times the latency."""
        ...

    def error_rate(self, arch: Arch) -> float | None:
        """Failing share instead of the usual one, 0 to 1; None leaves it."""
        ...


@dataclass(frozen=True, slots=True)
class Pool:
    """The traffic of one workload on one architecture in one step."""

    arch: Arch
    measured: Measured


def rate_at(seed: int, when: datetime) -> float:
    """Requests per second at a time of day (UTC): BASE_RATE at 02:00, a quiet night before and a busy evening after."""
    hours = when.hour + when.minute / 60 + when.second / 3600
    day = 1.0 + 0.35 * math.sin(2 * math.pi * (hours - 2.0) / 24)
    seconds = when.timestamp() % 86_400
    return BASE_RATE * day * (1.0 + 0.012 * draws.wave(seed, "rate", seconds))


class Traffic:
    """The model. `groups` is the workload behind each architecture's target group; without a load balancer all traffic goes to
    the workload of `start`, wherever its pods run.
    """

    def __init__(self, seed: int, origin: datetime, fleet: Fleet, groups: Mapping[Arch, Ref], start: Arch) -> None:
        self._seed = seed
        self._origin = origin
        self._fleet = fleet
        self._groups = dict(groups)
        self._start = start
        self._weights: dict[str, dict[Arch, int]] = {}
        self._shares: dict[Arch, float] = {start: 1.0, start.other: 0.0}
        self.windows = {arch: Windows(WARM_UP) for arch in Arch}
        self.balanced = False
        """Whether a load balancer splits the traffic."""

    def set_weights(self, rule: str, weights: Mapping[Arch, int]) -> None:
        """Take over the weights that the load balancer has for one rule or listener."""
        self.balanced = True
        self._weights[rule] = dict(weights)

    def warm_up(self, disturbance: Disturbance) -> None:
        """Fill the windows with the time before the rehearsal."""
        self._shares = self._wanted()
        for step in range(WARM_UP, 1):
            self.step(step, disturbance)

    def share(self, arch: Arch) -> float:
        """The share that is configured for an architecture, 0 to 1; without a load balancer the one that its ready pods give."""
        if self.balanced:
            return self._wanted()[arch]
        ready = [m.arch for m in self._fleet.members(self._groups[self._start]) if m.ready]
        return ready.count(arch) / len(ready) if ready else 0.0

    def step(self, step: int, disturbance: Disturbance) -> None:
        """Measure one virtual second. Steps must come in order."""
        now = self._origin + timedelta(seconds=step)
        total = rate_at(self._seed, now) * (1.0 + 0.02 * draws.gauss(self._seed, "rate", step))
        self._follow()
        pools = [p for arch in self._groups for p in self._pools(arch, total * self._shares[arch], now)]
        for arch in Arch:
            self.windows[arch].add(self._disturb(arch, _merge([p.measured for p in pools if p.arch is arch]), step, disturbance))

    def _wanted(self) -> dict[Arch, float]:
        """Each rule carries the same part of the traffic; one whose weights are all 0 answers 503 itself."""
        if not self.balanced:
            return {self._start: 1.0, self._start.other: 0.0}
        wanted = {Arch.AMD64: 0.0, Arch.ARM64: 0.0}
        for weights in self._weights.values():
            total = sum(weights.values())
            for arch, weight in weights.items():
                wanted[arch] += weight / total / len(self._weights) if total else 0.0
        return wanted

    def _follow(self) -> None:
        closer = 1.0 - math.exp(-1.0 / STICKINESS)
        for arch, wanted in self._wanted().items():
            share = self._shares[arch] + (wanted - self._shares[arch]) * closer
            self._shares[arch] = wanted if abs(share - wanted) < NEGLIGIBLE else share

    def _pools(self, group: Arch, rate: float, now: datetime) -> list[Pool]:
        members = self._fleet.members(self._groups[group])
        serving = [m for m in members if m.ready]
        failing = not serving
        # A group without a healthy target fails open: all its targets get requests. An empty one gets none anywhere.
        serving = serving or [m for m in members if not m.leaving]
        pools = []
        # Pods of one architecture and speed are alike; the balancer gives every pod the same, however slow it is.
        for arch, speed in sorted({(m.arch, m.speed) for m in serving}):
            mine = [m for m in serving if (m.arch, m.speed) == (arch, speed)]
            if rate > 0:
                pools.append(Pool(arch, _serve(mine, rate / len(serving), now, failing=failing)))
        return pools

    def _disturb(self, arch: Arch, measured: Measured, step: int, disturbance: Disturbance) -> Measured:
        """Noise (some of it shared by both architectures, as both serve the same requests), and what the scenario does."""
        if not measured.requests:
            return measured
        seed = self._seed
        common = 0.008 * draws.wave(seed, "p99", step)
        own = 0.003 * draws.wave(seed, f"p99-{arch}", step) + 0.02 * draws.gauss(seed, "p99", arch, step)
        slower = measured.p99 * (1.0 + common + own) * disturbance.p99_factor(arch)
        usual = measured.errors / measured.requests + ERROR_RATE * (1.0 + 0.3 * draws.gauss(seed, "errors", arch, step))
        failing = disturbance.error_rate(arch)
        rate = usual if failing is None else failing * (1.0 + 0.1 * draws.gauss(seed, "spike", arch, step))
        return Measured(measured.requests, measured.requests * max(0.0, min(1.0, rate)), slower)


def _serve(members: list[Member], rate: float, now: datetime, *, failing: bool) -> Measured:
    """`members`, all of one speed, get `rate` requests per second each."""
    speed = members[0].speed
    # A pod at a third of the speed is one that gets three times the load, with every second three times as long.
    warm = min(latency.TIMEOUT, latency.p99(rate / speed) / speed)
    slow = sum(latency.cold_factor((now - m.since).total_seconds()) if m.since else 1.0 for m in members) / len(members)
    lost = 1.0 if failing else latency.refused(rate / speed)
    return Measured(rate * len(members), rate * len(members) * lost, warm * slow)


def _merge(parts: list[Measured]) -> Measured:
    requests = sum(p.requests for p in parts)
    if not requests:
        return Measured()
    return Measured(requests, sum(p.errors for p in parts), sum(p.requests * p.p99 for p in parts) / requests)
