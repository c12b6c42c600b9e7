"""What is measured, in which unit, and whom it is asked from. Durations are seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from cockpit.model.arch import Arch

ARCH_PLACE = "{{arch}}"
"""What a query holds in the place of the architecture."""


class Unit(StrEnum):
    """What a signal's numbers are."""

    SECONDS = "seconds"
    RATIO = "ratio"
    COUNT = "count"
    REQUESTS_PER_SECOND = "requests_per_second"
    PERCENT = "percent"


def plausible(value: float, unit: Unit) -> bool:
    """Whether a signal can have this value: no time, share or rate is below zero, and nothing is beyond 10^12."""
    return abs(value) <= LARGEST and (value >= 0 or unit is Unit.COUNT)


LARGEST = 1e12
"""A figure beyond it is a mistake of the query or of an exporter, and would break the sums made with it."""


class Measure(StrEnum):
    """What a preset measures; CloudWatch is asked for it by this name."""

    LATENCY_P50 = "latency_p50"
    LATENCY_P95 = "latency_p95"
    LATENCY_P99 = "latency_p99"
    ERROR_RATE = "error_rate"
    REQUESTS = "requests"
    CPU = "cpu"
    THROTTLING = "throttling"
    REQUESTS_PER_POD = "requests_per_pod"


@dataclass(frozen=True, slots=True)
class Prometheus:
    """Where queries go; seconds between them and until a sample is too old to be believed."""

    url: str
    bearer_token_file: str | None = None
    every: float = 15.0
    stale_after: float = 60.0


@dataclass(frozen=True, slots=True)
class CloudWatch:
    """Where an Application Load Balancer's own metrics are asked for: the values of the dimensions, seconds as in Prometheus."""

    region: str
    load_balancer: str
    target_groups: Mapping[Arch, str]
    every: float = 60.0
    stale_after: float = 300.0
    endpoint_url: str | None = None


@dataclass(frozen=True, slots=True)
class Cadence:
    """Seconds between the samples of a signal, and until the newest is too old to be believed."""

    every: float
    stale_after: float


@dataclass(frozen=True, slots=True)
class Signal:
    """A named query; `{{arch}}` in it stands for the architecture.

    With `measure` CloudWatch is asked for that, and `query` only says so in words.
    """

    name: str
    unit: Unit
    query: str
    better: Literal["lower", "higher"] | None = None
    queries: Mapping[Arch, str] = field(default_factory=dict)
    """The query of each architecture where they differ in more than its name."""
    measure: Measure | None = None
    preset: str = ""
    """The preset that the query comes from, empty for one of the playbook's own."""

    def query_for(self, arch: Arch) -> str:
        """What is asked for one architecture."""
        return self.queries.get(arch) or self.query.replace(ARCH_PLACE, arch.value)
