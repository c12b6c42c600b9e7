"""What the detectors look at: a snapshot from which everything that may not be believed has been left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from cockpit.model.arch import Arch
from cockpit.model.cluster import Autoscaler, DaemonSet, Deployment, KubeEvent, Node, Pod, Quota, Ref, Resources
from cockpit.model.image import Image
from cockpit.model.playbook import Playbook
from cockpit.model.share import TargetGroup
from cockpit.model.snapshot import Snapshot, SourceName
from cockpit.rules.nodes import ENDED, pods_of

_Named = TypeVar("_Named", Autoscaler, Quota)
NO_WORDS: Mapping[str, str] = {}
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
    members: Mapping[Ref, Sequence[Member]]
    """By workload or agent, in no order."""
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

    @property
    def home(self) -> Arch:
        """The architecture that is left, where a rollback goes."""
        return self.playbook.target.from_arch

    @property
    def away(self) -> Arch:
        """The architecture that is moved to."""
        return self.playbook.target.to_arch

    def of(self, ref: Ref) -> Sequence[Member]:
        """The members of one workload or agent."""
        return self.members.get(ref, ())


def scene(snapshot: Snapshot, playbook: Playbook) -> Scene:
    """Everything that is live, the target's own part of it."""

    def live(*names: SourceName) -> bool:
        return all(snapshot.source(name).live for name in names)

    nodes = snapshot.nodes if live(SourceName.NODES) else {}
    deployments = _deployments(snapshot, playbook) if live(SourceName.DEPLOYMENTS) else ()
    events = snapshot.events if live(SourceName.EVENTS) else ()
    workloads = playbook.target.workloads
    members = _members(snapshot, playbook, deployments, nodes, events) if live(SourceName.PODS) else {}
    return Scene(
        playbook=playbook,
        now=snapshot.time,
        nodes=nodes,
        members=members,
        sick=tuple(sorted((m for some in members.values() for m in some if _sick(m.pod)), key=lambda m: (m.owner.kind, m.name))),
        deployments=deployments,
        events=events,
        images=snapshot.images if live(SourceName.IMAGES) else {},
        autoscalers=_sorted(a for a in snapshot.autoscalers.values() if a.target in workloads)
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


def _sick(pod: Pod) -> bool:
    return not pod.ready or any(c.waiting or c.exit_code is not None for c in pod.containers)


def _members(
    snapshot: Snapshot,
    playbook: Playbook,
    deployments: tuple[Deployment, ...],
    nodes: Mapping[str, Node],
    events: tuple[KubeEvent, ...],
) -> dict[Ref, list[Member]]:
    agents = {(a.daemonset.namespace, f"DaemonSet/{a.daemonset.name}"): a.daemonset for a in playbook.agents}
    # The kubelet knows what it runs on; a label can be anything.
    arches = {node.name: node.reported_arch or node.arch for node in nodes.values()}
    words = _words(events)

    def member(pod: Pod, owner: Ref, part: str) -> Member:
        said = words.get((pod.namespace, f"Pod/{pod.name}"), NO_WORDS) if words else NO_WORDS
        return Member(pod, owner, part, arches.get(pod.node, ""), said)

    found = {ref: [member(pod, ref, APP) for pod in pods_of(snapshot, ref)] for ref in map(ref_of, deployments)}
    for pod in snapshot.pods.values():
        owner = agents.get((pod.namespace, pod.owner))
        if owner is not None and not pod.terminating and pod.phase not in ENDED:
            found.setdefault(owner, []).append(member(pod, owner, f"{owner.namespace}/{owner.name}"))
    return found


def _words(events: tuple[KubeEvent, ...]) -> Mapping[tuple[str, str], dict[str, str]]:
    """By object the newest message of each reason."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for event in events:
        if event.type != "Normal" and event.regarding.startswith("Pod/"):
            found.setdefault((event.namespace, event.regarding), {})[f"{event.reason}"] = event.message
    return found
