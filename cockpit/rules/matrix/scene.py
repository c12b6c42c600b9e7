"""What the detectors look at: a snapshot from which everything that may not be believed has been left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any, TypeAlias, TypeVar

from cockpit.model.arch import Arch
from cockpit.model.cluster import Autoscaler, DaemonSet, Deployment, KubeEvent, Node, Pod, Quota, Ref, Resources
from cockpit.model.image import Image
from cockpit.model.playbook import Playbook
from cockpit.model.share import TargetGroup
from cockpit.model.snapshot import Snapshot, SourceName
from cockpit.rules.kept import Fleet, Remembered, fleet, nodes_in
from cockpit.rules.kept.fleet import sick
from cockpit.rules.nodes import pods_of

_Named = TypeVar("_Named", Autoscaler, Quota)
NO_WORDS: Mapping[str, str] = {}
Telling: TypeAlias = Mapping[tuple[str, str], Mapping[str, str]]
"""By namespace and object the newest message of each reason."""
NO_TELLING: Telling = {}
APP = "app"
"""The part that baseline and canary play together: the same program, so that one is measured against the other."""


@dataclass(slots=True)
class Member:
    """A live pod of a workload or agent (`owner`), and the arch that its node really has (empty: on no node that is known).

    Members with the same `part` run the same program. Never changed; frozen they would take five times as long to make.
    """

    pod: Pod
    owner: Ref
    part: str
    arch: str
    words: Mapping[str, str] = field(default_factory=dict)
    """What its Events say, by reason."""

    @property
    def name(self) -> str:
        """`Pod/name`."""
        return f"Pod/{self.pod.name}"


@dataclass(frozen=True, slots=True)
class Scene:
    """The believable part of one snapshot; `now` is the snapshot's time."""

    playbook: Playbook
    now: datetime
    nodes: Mapping[str, Node]
    pods: Mapping[str, Pod]
    workloads: Mapping[Ref, Sequence[Member]]
    sick: tuple[Member, ...]
    """Those that are not Ready, or of which a container waits or has ended; by name."""
    deployments: tuple[Deployment, ...]
    events: tuple[KubeEvent, ...]
    images: Mapping[str, Image]
    autoscalers: tuple[Autoscaler, ...]
    quotas: tuple[Quota, ...]
    targets: tuple[TargetGroup, ...]
    daemonsets: Mapping[str, DaemonSet]
    """By `namespace/name`."""
    usage: Mapping[str, Resources]
    """What is requested on each node, by its name."""
    attached: frozenset[str]
    """ARNs of the target groups that a rule forwards to, whatever the weight."""
    memo: dict[object, Any] = field(default_factory=dict, compare=False, repr=False)
    """What detectors found out about it that others ask again."""

    @property
    def home(self) -> Arch:
        """The architecture that is left, where a rollback goes."""
        return self.playbook.target.from_arch

    @property
    def away(self) -> Arch:
        """The architecture that is moved to."""
        return self.playbook.target.to_arch

    def of(self, ref: Ref) -> Sequence[Member]:
        """The members of one workload or agent, in no order."""
        if ref in self.workloads:
            return self.workloads[ref]
        if ref not in self.memo:
            # Thousands, of which hardly ever one is asked for.
            self.memo[ref] = [self.member(pod, ref) for pod in self.fleet(ref).pods()]
        found: list[Member] = self.memo[ref]
        return found

    def alike(self, member: Member) -> Iterator[Member]:
        """All that play the same part, itself too."""
        owners = self.workloads if member.part == APP else (member.owner,)
        return chain.from_iterable(map(self.of, owners))

    def fleet(self, ref: Ref) -> Fleet:
        """An agent's pods; to be read at once."""
        return fleet(self.pods, ref)

    def member(self, pod: Pod, owner: Ref) -> Member:
        """An agent's pod as a member. What Events say of it stays unsaid: that is looked up for those that are sick."""
        return _member(_arches(self.nodes), NO_TELLING, pod, owner)


def scene(snapshot: Snapshot, playbook: Playbook) -> Scene:
    """Everything that is live, the target's own part of it."""

    def live(*names: SourceName) -> bool:
        return all(snapshot.source(name).live for name in names)

    nodes = snapshot.nodes if live(SourceName.NODES) else {}
    deployments = _deployments(snapshot, playbook) if live(SourceName.DEPLOYMENTS) else ()
    events = snapshot.events if live(SourceName.EVENTS) else ()
    pods = snapshot.pods if live(SourceName.PODS) else {}
    targets, words = playbook.target.workloads, _words(events)
    arches = _arches(nodes)
    workloads = {
        ref: [_member(arches, words, pod, ref) for pod in (pods_of(snapshot, ref) if pods else ())]
        for ref in map(ref_of, deployments)
    }
    agents = dict.fromkeys(agent.daemonset for agent in playbook.agents)
    ill = [_member(arches, words, pod, ref) for ref in agents for pod in fleet(pods, ref).sick.values()]
    ill += [member for some in workloads.values() for member in some if sick(member.pod)]
    return Scene(
        playbook=playbook,
        now=snapshot.time,
        nodes=nodes,
        pods=pods,
        workloads=workloads,
        sick=tuple(sorted(ill, key=lambda m: (m.owner.kind, m.name))),
        deployments=deployments,
        events=events,
        images=snapshot.images if live(SourceName.IMAGES) else {},
        autoscalers=_sorted(a for a in snapshot.autoscalers.values() if a.target in targets)
        if live(SourceName.AUTOSCALERS)
        else (),
        quotas=_sorted(q for q in snapshot.quotas.values() if q.namespace == playbook.target.namespace)
        if live(SourceName.QUOTAS)
        else (),
        targets=tuple(snapshot.targets.values()) if live(SourceName.TARGETS) else (),
        daemonsets=snapshot.daemonsets if live(SourceName.DAEMONSETS) else {},
        usage=snapshot.usage if live(SourceName.USAGE) else {},
        attached=frozenset(arn for rule in snapshot.rules.values() for arn in rule.weights)
        if live(SourceName.RULES)
        else frozenset(),
    )


def _sorted(found: Iterable[_Named]) -> tuple[_Named, ...]:
    return tuple(sorted(found, key=lambda each: each.name))


def _deployments(snapshot: Snapshot, playbook: Playbook) -> tuple[Deployment, ...]:
    found = (snapshot.deployments.get(f"{ref.namespace}/{ref.name}") for ref in playbook.target.workloads)
    return tuple(d for d in found if d)


def ref_of(deployment: Deployment) -> Ref:
    """How the playbook names it."""
    return Ref("deployment", deployment.namespace, deployment.name)


def _arches(nodes: Mapping[str, Node]) -> Mapping[str, str]:
    return nodes_in(nodes).arches if nodes else {}


def _member(arches: Mapping[str, str], words: Telling, pod: Pod, owner: Ref) -> Member:
    said = words.get((pod.namespace, f"Pod/{pod.name}"), NO_WORDS) if words else NO_WORDS
    part = f"{owner.namespace}/{owner.name}" if owner.kind == "daemonset" else APP
    return Member(pod, owner, part, arches.get(pod.node, ""), said)


@Remembered
def _words(events: tuple[KubeEvent, ...]) -> Mapping[tuple[str, str], dict[str, str]]:
    """By object the newest message of each reason."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for event in events:
        if event.type != "Normal" and event.regarding.startswith("Pod/"):
            found.setdefault((event.namespace, event.regarding), {})[f"{event.reason}"] = event.message
    return found
