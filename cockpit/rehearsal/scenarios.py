"""What can go wrong in a rehearsal. A scenario is one small class that overrides the hooks it needs, and one entry below."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from cockpit.model.arch import Arch
from cockpit.rehearsal import draws
from cockpit.rehearsal.cluster import Cluster
from cockpit.rehearsal.kube.errors import Obj, conflict
from cockpit.rehearsal.kube.faults import RequestInfo
from cockpit.rehearsal.objects import arch_of
from cockpit.rehearsal.scheduler import allocatable


class Story(Protocol):
    """What a scenario may look at and touch. Times are in virtual seconds."""

    cluster: Cluster

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

    def metrics(self) -> MetricsFault | None:
        """How the metrics server fails now."""
        return None

    def kubernetes(self, request: RequestInfo) -> None:
        """May raise KubeError or Dropped before a request is served."""

    def throttled(self, action: str) -> bool:  # noqa: ARG002
        """Whether a load-balancer call is refused for its rate. Asked once for each call."""
        return False


class Clean(Scenario):
    """The plain rehearsal."""


class P99Regression(Scenario):
    """arm64 gets a quarter slower once it carries a quarter of the traffic."""

    def p99_factor(self, arch: Arch) -> float:
        """Slower while the share is there."""
        slow = arch is Arch.ARM64 and self.story.share_since(arch, 0.25) is not None
        return 1.25 if slow else 1.0


class ErrorSpike(Scenario):
    """arm64 starts failing a minute after it carries a quarter of the traffic."""

    def error_rate(self, arch: Arch) -> float | None:
        """3% from a minute on."""
        since = self.story.share_since(Arch.ARM64, 0.25)
        failing = arch is Arch.ARM64 and since is not None and self.story.step >= since + 60
        return 0.03 if failing else None


class _MetricsFail(Scenario):
    """The metrics server fails a minute into the first phase."""

    fault: MetricsFault

    def metrics(self) -> MetricsFault | None:
        """The class's fault, from a minute after the first change on."""
        moved = self.story.moved_at
        return self.fault if moved is not None and self.story.step >= moved + 60 else None


class PrometheusDown(_MetricsFail):
    """It answers 503."""

    fault = MetricsFault.DOWN


class PrometheusNan(_MetricsFail):
    """Its values are NaN."""

    fault = MetricsFault.NAN


class PrometheusStale(_MetricsFail):
    """Its samples keep the time and value of one moment."""

    fault = MetricsFault.STALE


class ApiConflict(Scenario):
    """Somebody else writes to each Deployment just before the first two writes to it."""

    def __init__(self, story: Story) -> None:
        super().__init__(story)
        self._refused: dict[tuple[str, str], int] = {}

    def kubernetes(self, request: RequestInfo) -> None:
        """Refuse the first two patches of each Deployment, which has just got a new resourceVersion."""
        if request.resource != "deployments" or request.verb not in ("patch", "update") or request.dry_run or request.subresource:
            return
        who = (request.namespace, request.name)
        count = self._refused[who] = self._refused.get(who, 0) + 1
        found = self.story.cluster.storage.find("deployments", *who)
        if count > 2 or found is None:
            return
        note = {"example.com/last-reviewed": f"{self.story.cluster.stamp} by release-bot, review {count}"}
        self.story.cluster.change("deployments", found, lambda new: new["metadata"].setdefault("annotations", {}).update(note))
        raise conflict("deployments", "apps", request.name)


class WatchGone(Scenario):
    """The API server forgets its history every 20 seconds or so: watches end with 410."""

    def __init__(self, story: Story) -> None:
        super().__init__(story)
        self._next = story.step + 20

    def step(self, step: int) -> None:
        """Cut all watches when it is time."""
        if step >= self._next:
            self._next = step + 16 + int(draws.between(0, 9, self.story.cluster.seed, "watch-gone", step))
            self.story.cluster.storage.expire_watches()


class NoArmCapacity(Scenario):
    """Another team's batch pods fill the arm64 nodes: what runs there runs on, but no further pod of 500m fits."""

    LEFT = 300
    """Thousandths of a core that stay free on each node."""

    def start(self) -> None:
        """Put one pod that takes what is left on each arm64 node."""
        cluster = self.story.cluster
        if cluster.storage.find("namespaces", None, "analytics") is None:
            meta = {"name": "analytics", "labels": {"kubernetes.io/metadata.name": "analytics"}}
            namespace: Obj = {"metadata": meta, "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}
            cluster.create("namespaces", namespace)
        nodes = [n for n in cluster.storage.list("nodes") if arch_of(n) == Arch.ARM64]
        for number, node in enumerate(nodes):
            self._fill(number, node)

    def _fill(self, number: int, node: Obj) -> None:
        cluster, name = self.story.cluster, node["metadata"]["name"]
        free = allocatable(node)[0] - cluster.used[name].cpu - self.LEFT
        if free <= 0 or cluster.storage.find("pods", "analytics", f"feature-batch-{number}"):
            return
        resources = {"requests": {"cpu": f"{free}m", "memory": "1Gi"}}
        container = {"name": "batch", "image": "registry.example.com/analytics/feature-batch:31", "resources": resources}
        spec = {"nodeName": name, "containers": [container], "restartPolicy": "Never"}
        meta = {"name": f"feature-batch-{number}", "namespace": "analytics", "labels": {"app": "feature-batch"}}
        cluster.create("pods", {"metadata": meta, "spec": spec, "status": {"phase": "Pending"}})


class AwsThrottled(Scenario):
    """The account is over its rate for a minute from the second change of a rule or listener on."""

    def __init__(self, story: Story) -> None:
        super().__init__(story)
        self._calls = 0
        self._until: int | None = None

    def throttled(self, action: str) -> bool:
        """Refuse every Modify call in that minute."""
        if not action.startswith("Modify"):
            return False
        self._calls += action in ("ModifyRule", "ModifyListener")
        if self._calls >= 2 and self._until is None:
            self._until = self.story.step + 60
        return self._until is not None and self.story.step < self._until


@dataclass(frozen=True, slots=True)
class Entry:
    """A scenario in the list: what happens and what the cockpit is expected to do."""

    name: str
    summary: str
    expected: str
    make: type[Scenario]


_ABORTS = "abort trigger: holds or rolls back"
_HOLDS = "holds, never aborts or promotes"
_ALL = (
    Entry("clean", "nothing goes wrong", "completes", Clean),
    Entry("p99-regression", "arm64 p99 +25% from 25% share", _ABORTS, P99Regression),
    Entry("error-spike", "3% errors on arm64 a minute after 25% share", _ABORTS, ErrorSpike),
    Entry("prometheus-down", "metrics answer 503 a minute into the first phase", _HOLDS, PrometheusDown),
    Entry("prometheus-nan", "metrics are NaN a minute into the first phase", _HOLDS, PrometheusNan),
    Entry("prometheus-stale", "metrics freeze a minute into the first phase", _HOLDS, PrometheusStale),
    Entry("api-conflict", "somebody else writes to each Deployment first", "plans again and completes", ApiConflict),
    Entry("watch-gone", "watches end with 410 every 20 s", "lists again and completes", WatchGone),
    Entry("no-arm-capacity", "another team's pods fill the arm64 nodes", "Pending is classified, holds", NoArmCapacity),
    Entry("aws-throttled", "load-balancer changes are throttled for 60 s", "retries in its budget, completes", AwsThrottled),
)
SCENARIOS: dict[str, Entry] = {entry.name: entry for entry in _ALL}
