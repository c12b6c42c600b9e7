"""What every scenario is: hooks into the story, all of which do nothing."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

from cockpit.model.arch import Arch
from cockpit.model.playbook import Playbook
from cockpit.rehearsal.cluster import Cluster
from cockpit.rehearsal.containers import Exit
from cockpit.rehearsal.images import Build
from cockpit.rehearsal.kube.errors import Obj
from cockpit.rehearsal.kube.faults import RequestInfo


class Story(Protocol):
    """What a scenario may look at and touch. Times are in virtual seconds."""

    cluster: Cluster
    playbook: Playbook

    @property
    def step(self) -> int:
        """Virtual seconds since the origin."""
        ...

    @property
    def moved_at(self) -> int | None:
        """When the first phase took hold: weights were written or a workload's template was changed."""
        ...

    def share_since(self, arch: Arch, share: float) -> int | None:
        """Since when at least that share has been configured for the architecture, None while it is not."""
        ...


class MetricsFault(StrEnum):
    """How the metrics server fails."""

    DOWN = "down"
    NAN = "nan"
    STALE = "stale"


class Scenario:
    """Nothing happens. Hooks are asked again for each step or request, so that a scenario can be dropped in at any time."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.began: int | None = None
        """The step at which the trouble began, where that is one moment; None before it."""

    @classmethod
    def builds(cls, playbook: Playbook) -> Mapping[str, Build]:  # noqa: ARG003 (for those that override it)
        """What images of this world were built for from the beginning, by reference, where that is not both architectures."""
        return {}

    def start(self) -> None:
        """Change the world once, when the scenario begins."""

    def step(self, step: int) -> None:
        """Act after each virtual second."""

    def p99_factor(self, arch: Arch) -> float:  # noqa: ARG002 (for those that override it)
        """Times the latency of an architecture."""
        return 1.0

    def error_rate(self, arch: Arch) -> float | None:  # noqa: ARG002
        """The failing share of an architecture's requests, 0 to 1; None for the usual one."""
        return None

    def fails(self, pod: Obj, node: Obj, container: str) -> Exit | None:  # noqa: ARG002
        """How a container that has just been started ends by itself; None for one that goes on running."""
        return None

    def metrics(self) -> MetricsFault | None:
        """How the metrics server fails now."""
        return None

    def kubernetes(self, request: RequestInfo) -> None:
        """May raise KubeError or Dropped before a request is served."""

    def throttled(self, action: str) -> bool:  # noqa: ARG002
        """Whether a load-balancer call is refused for its rate. Asked once for each call."""
        return False


class Later(Scenario):
    """Something happens once: a minute after the first phase took hold, when a run believes itself under way."""

    WAIT = 60
    """Virtual seconds."""

    def step(self, step: int) -> None:
        """Let it happen when it is time."""
        moved = self.story.moved_at
        if self.began is None and moved is not None and step >= moved + self.WAIT and self.prepared():
            self.began = step
            self.happen()

    def prepared(self) -> bool:
        """Whether what the story needs is there yet."""
        return True

    def happen(self) -> None:
        """Change the world."""
