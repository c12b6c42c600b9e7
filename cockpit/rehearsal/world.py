"""The embedded world without its servers: cluster, controllers, traffic and scenario around one clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from cockpit.clock import Clock
from cockpit.errors import UsageError
from cockpit.model.arch import Arch
from cockpit.model.cluster import Ref
from cockpit.model.playbook import Playbook
from cockpit.rehearsal.cluster import Cluster
from cockpit.rehearsal.content import AGE, fill
from cockpit.rehearsal.engine import Engine
from cockpit.rehearsal.fleet import Fleet, Member
from cockpit.rehearsal.kube.faults import RequestInfo
from cockpit.rehearsal.kube.storage import Storage
from cockpit.rehearsal.plot import Plot
from cockpit.rehearsal.scenarios import SCENARIOS, MetricsFault, Scenario
from cockpit.rehearsal.traffic import Traffic

ORIGIN = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
"""What the clock of every rehearsal shows at its start."""


class World:
    """Everything that happens. Steps are taken by `engine`; what the servers need is asked here."""

    def __init__(
        self, playbook: Playbook, clock: Clock, *, seed: int, scenario: str = "clean", origin: datetime = ORIGIN
    ) -> None:
        story = _entry(scenario)
        self.playbook = playbook
        self.origin = origin
        self.storage = Storage(clock, seed)
        self.cluster = Cluster(self.storage, seed, origin)
        self.engine = Engine(self.cluster)
        for reference, build in story.builds(playbook).items():
            self.cluster.images.publish(reference, build)
        with self.cluster.past(AGE):
            fill(self.cluster, playbook)
            self.engine.settle()
        self._groups = _groups(playbook)
        self.fleet = Fleet(self.cluster, playbook.target.workloads)
        self.traffic = Traffic(seed, origin, self.fleet, self._groups, playbook.target.from_arch)
        self.plot = Plot(self.cluster, self.traffic, playbook)
        self.scenario: Scenario = Scenario(self.plot)
        self.scenario_name = scenario
        self.engine.each_step.append(self._step)
        self.engine.kubelets.fails = lambda pod, node, container: self.scenario.fails(pod, node, container)

    def begin(self) -> None:
        """Play the time before the rehearsal, then start the scenario. The load balancer's weights must be known by now."""
        self.traffic.warm_up(self.scenario)
        self.drop_in(self.scenario_name)

    def drop_in(self, name: str) -> None:
        """Change the scenario, now. UsageError when there is none of that name."""
        self.scenario = _entry(name)(self.plot)
        self.scenario_name = name
        self.scenario.start()

    @property
    def began(self) -> datetime | None:
        """When the trouble of the scenario began; None before that, and where it has no one beginning."""
        return None if self.scenario.began is None else self.origin + timedelta(seconds=self.scenario.began)

    def members(self, arch: Arch) -> tuple[Member, ...]:
        """The pods behind an architecture's target group."""
        workload = self._groups.get(arch)
        return self.fleet.members(workload) if workload else ()

    def set_weights(self, rule: str, weights: Mapping[Arch, int]) -> None:
        """The load balancer has these weights for a rule or listener now."""
        self.traffic.set_weights(rule, weights)

    def metrics_fault(self) -> MetricsFault | None:
        """How the metrics server fails now."""
        return self.scenario.metrics()

    def throttled(self, action: str) -> bool:
        """Whether a load-balancer call is refused for its rate."""
        return self.scenario.throttled(action)

    async def before(self, request: RequestInfo) -> None:
        """The scenario's say before a Kubernetes request is served."""
        self.scenario.kubernetes(request)

    def _step(self, step: int) -> None:
        self.plot.observe(step)
        self.traffic.step(step, self.scenario)
        self.scenario.step(step)


def _entry(name: str) -> type[Scenario]:
    found = SCENARIOS.get(name)
    if found is None:
        raise UsageError(f"no scenario {name!r}; there are {', '.join(SCENARIOS)}")
    return found.make


def _groups(playbook: Playbook) -> dict[Arch, Ref]:
    """The workload behind each architecture's target group; without a load balancer only the baseline serves."""
    target = playbook.target
    if playbook.alb is None or target.canary is None:
        return {target.from_arch: target.baseline}
    return {target.from_arch: target.baseline, target.to_arch: target.canary}
