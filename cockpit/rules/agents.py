"""Agent health on the target architecture, computed by node name.

A DaemonSet's own `desired` counts only nodes it is eligible for: pinned to amd64 it looks 100% while no arm64 node has its pod.
The listed agents gate, and so do the sidecars of the workloads' pods; DaemonSets that were merely found on x86 nodes warn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from cockpit.model.arch import Arch
from cockpit.model.cluster import Container, DaemonSet, Node, Pod, Ref
from cockpit.model.image import Image
from cockpit.model.playbook import Agent, AgentsCheck, Playbook, Target
from cockpit.model.snapshot import Snapshot, SourceName
from cockpit.model.verdict import Outcome, Verdict
from cockpit.rules.certified import compared, uncertified
from cockpit.rules.daemonsets import keeps_off
from cockpit.rules.freshness import blind
from cockpit.rules.kept import Fleet, Remembered, fleet, nodes_in
from cockpit.rules.sidecars import CRASH_LOOP, SidecarHealth, sidecars

AGENT_SOURCES = (SourceName.NODES, SourceName.PODS, SourceName.DAEMONSETS)
NO_POD = "no pod"


@dataclass(frozen=True, slots=True)
class AgentHealth:
    """One agent on the target's nodes. `missing` are Ready nodes without a Ready pod of it, each with the reason.

    `crash_looping` are its pods that do. `certified` is None when the playbook names no certified image; `uncertified` are nodes
    with what runs there instead, `compared` says by what they were compared (empty without a pod). `exists` is False when there
    is no such DaemonSet; `desired` and `reported` (ready) are what its own status says. `listed`: by the playbook.
    """

    agent: Ref
    nodes: int
    ready: int
    missing: tuple[tuple[str, str], ...] = ()
    crash_looping: tuple[str, ...] = ()
    restarts: int = 0
    certified: bool | None = None
    exists: bool = True
    uncertified: tuple[tuple[str, str], ...] = ()
    compared: str = ""
    desired: int = 0
    reported: int = 0
    listed: bool = True

    @property
    def healthy(self) -> bool:
        """Every Ready node of the target architecture has a Ready pod with a certified image."""
        return self.exists and not self.missing and not self.crash_looping and self.certified is not False

    @property
    def looks_whole(self) -> bool:
        """Its own status says 100% although nodes lack it."""
        return bool(self.missing) and self.exists and 0 < self.desired == self.reported


def judge_agents(check: AgentsCheck, snapshot: Snapshot, playbook: Playbook) -> Verdict:
    """`ready`: every listed agent on every target node; `crash_loop` (an abort trigger): FAIL when any crash-loops.

    A sidecar of the workloads' pods that crash-loops on a target node fails `ready`, and `crash_loop` when it does nowhere else:
    what loops at home as well is not mended by going there.
    """
    trigger = check.agents == "crash_loop"
    name = f"agents {'crash loop' if trigger else 'ready'}"
    if unknown := blind(snapshot, AGENT_SOURCES, name):
        return unknown
    # Which pods are the workloads' is read in their Deployments: without these no sidecar is seen.
    unseen = blind(snapshot, [SourceName.DEPLOYMENTS], name)
    agents = health(snapshot, playbook.agents, playbook.target.to_arch)
    sick = [h for h in agents if (h.crash_looping if trigger else not h.healthy)]
    beside = () if unseen else tuple(s for s in sidecars(snapshot, playbook) if s.crash_looping)
    faults = [_ailment(h) for h in sick] + [_sidecar(s) for s in beside if s.only_here or not trigger]
    numbers = {"nodes": float(agents[0].nodes) if agents else 0.0, "agents": float(len(agents)), "sick": float(len(faults))}
    if faults:
        return Verdict(name, Outcome.FAIL, "; ".join(faults), numbers)
    if unseen:
        return unseen
    if not agents or not agents[0].nodes:
        return Verdict(name, Outcome.NO_DATA, f"no Ready {playbook.target.to_arch} node")
    words = f"{len(agents)} agents on {agents[0].nodes} {playbook.target.to_arch} nodes"
    others = [_sidecar(s) for s in beside] if trigger else [warning(unlisted(snapshot, playbook))]
    return Verdict(name, Outcome.PASS, "; ".join(filter(None, [words, *others])), numbers)


def warning(others: Sequence[AgentHealth]) -> str:
    """What is to be said of DaemonSets that the playbook does not list; empty when nothing."""
    lacking = [f"{h.agent.name} ({len(h.missing)} of {h.nodes} nodes without it)" for h in others if not h.healthy]
    return f"not listed: {', '.join(lacking)}" if lacking else ""


def _ailment(agent: AgentHealth) -> str:
    name = agent.agent.name
    if not agent.exists:
        return f"{name}: no such DaemonSet"
    if agent.crash_looping:
        more = f" and {len(agent.crash_looping) - 1} more" if len(agent.crash_looping) > 1 else ""
        return f"{name}: crash loop ({agent.crash_looping[0]}{more}, {agent.restarts} restarts)"
    if agent.missing:
        node, why = agent.missing[0]
        whole = f", though it says {agent.reported}/{agent.desired}" if agent.looks_whole else ""
        return f"{name}: {len(agent.missing)} of {agent.nodes} nodes without it ({node}: {why}{whole})"
    node, what = agent.uncertified[0]
    return f"{name}: image is not the certified one ({node} {what})"


def _sidecar(sidecar: SidecarHealth) -> str:
    only = " on these nodes only" if sidecar.only_here else f" and in {sidecar.elsewhere} elsewhere"
    pods = len(sidecar.crash_looping)
    return f"sidecar {sidecar.name} of {sidecar.workload.name}: crash loop in {pods} of {sidecar.pods} pods{only}"


def health(snapshot: Snapshot, agents: Sequence[Agent], arch: Arch) -> tuple[AgentHealth, ...]:
    """The health of each listed agent on the Ready workers of `arch`."""
    return _healths(snapshot.nodes, snapshot.pods, snapshot.daemonsets, snapshot.images, agents, arch)


@Remembered
def _healths(
    nodes: Mapping[str, Node],
    pods: Mapping[str, Pod],
    daemonsets: Mapping[str, DaemonSet],
    images: Mapping[str, Image],
    agents: Sequence[Agent],
    arch: Arch,
) -> tuple[AgentHealth, ...]:
    ready = nodes_in(nodes).ready(arch)
    refs = [agent.daemonset for agent in agents]
    found = [daemonsets.get(f"{ref.namespace}/{ref.name}") for ref in refs]
    return tuple(
        _health(agent, daemonset, ready, fleet(pods, agent.daemonset), images, arch)
        for agent, daemonset in zip(agents, found, strict=True)
    )


def unlisted(snapshot: Snapshot, playbook: Playbook) -> tuple[AgentHealth, ...]:
    """Every DaemonSet that has a pod on a worker of the old architecture and is not listed, on the Ready workers of the new one.

    From the scan of all pods, which is up to a few minutes old; empty until it has ended.
    """
    if not snapshot.source(SourceName.DAEMON_PODS).live:
        return ()
    return _others(snapshot.nodes, snapshot.daemonsets, snapshot.daemon_pods, playbook.agents, playbook.target)


@Remembered
def _others(
    nodes: Mapping[str, Node],
    daemonsets: Mapping[str, DaemonSet],
    pods: Mapping[str, Mapping[str, str]],
    agents: Sequence[Agent],
    target: Target,
) -> tuple[AgentHealth, ...]:
    listed = {f"{a.daemonset.namespace}/{a.daemonset.name}" for a in agents}
    old, new = nodes_in(nodes).workers(target.from_arch).keys(), nodes_in(nodes).ready(target.to_arch)
    return tuple(
        _unlisted(daemonset, new, pods[key])
        for key, daemonset in sorted(daemonsets.items())
        if key not in listed and not old.isdisjoint(pods.get(key, {}))
    )


def _unlisted(daemonset: DaemonSet, nodes: Mapping[str, Node], states: Mapping[str, str]) -> AgentHealth:
    well = _well(states)
    missing = tuple((name, states.get(name) or _absent(daemonset, nodes[name])) for name in sorted(nodes.keys() - well))
    return AgentHealth(
        agent=Ref("daemonset", daemonset.namespace, daemonset.name),
        nodes=len(nodes),
        ready=len(nodes) - len(missing),
        missing=missing,
        crash_looping=tuple(name for name, why in missing if why.startswith(CRASH_LOOP)),
        desired=daemonset.desired,
        reported=daemonset.ready,
        listed=False,
    )


@partial(Remembered, kept=64)
def _well(states: Mapping[str, str]) -> frozenset[str]:
    """The nodes on which a DaemonSet's pod is Ready, by a scan of all pods: it changes with the next scan."""
    return frozenset([name for name, why in states.items() if not why])


def _health(
    agent: Agent, daemonset: DaemonSet | None, nodes: Mapping[str, Node], pods: Fleet, images: Mapping[str, Image], arch: Arch
) -> AgentHealth:
    lacking = nodes.keys() - pods.ready.keys()
    waiting = pods.unplaced[min(pods.unplaced)].unschedulable if pods.unplaced else ""
    wrong = _uncertified(agent, pods, nodes, images, arch)
    here = not pods.nodes.keys().isdisjoint(nodes)
    return AgentHealth(
        agent=agent.daemonset,
        nodes=len(nodes),
        ready=len(nodes) - len(lacking),
        missing=tuple((name, _why(pods.on(name)) or _absent(daemonset, nodes[name], waiting)) for name in sorted(lacking)),
        crash_looping=tuple(sorted([p.name for p in pods.looping.values() if p.node in nodes])),
        restarts=sum([count for node, count in pods.restarts.items() if node in nodes]),
        certified=not wrong if agent.certified_images else None,
        exists=daemonset is not None,
        uncertified=wrong,
        compared=compared(agent.certified_images, images) if agent.certified_images and here else "",
        desired=daemonset.desired if daemonset else 0,
        reported=daemonset.ready if daemonset else 0,
    )


def _uncertified(
    agent: Agent, pods: Fleet, nodes: Mapping[str, Node], images: Mapping[str, Image], arch: Arch
) -> tuple[tuple[str, str], ...]:
    if not agent.certified_images:
        return ()
    found: list[tuple[str, str]] = []
    for some in pods.alike.values():
        if what := uncertified(next(iter(some.values())), agent.certified_images, images, arch):
            found += [(pod.node, what) for pod in some.values() if pod.node in nodes]
    return tuple(sorted(found))


def _why(pods: Sequence[Pod]) -> str:
    """Why the pods of a node are not Ready; empty when there is none that stays."""
    staying = [p for p in pods if not p.terminating]
    if not staying:
        return ""
    said = [_state(c) for p in staying for c in p.containers if c.waiting or (c.ended and not c.ready)]
    return said[0] if said else f"not ready ({staying[0].phase})"


def _state(container: Container) -> str:
    ended = f", exit {container.exit_code}" if container.exit_code is not None else ""
    restarts = f", {container.restarts} restarts" if container.restarts else ""
    return f"{container.waiting or container.ended}{ended}{restarts}"


def _absent(daemonset: DaemonSet | None, node: Node, waiting: str = "") -> str:
    """Why a node has no pod: the DaemonSet keeps off it, or its pod waits for room (`waiting`, the scheduler's words)."""
    kept = keeps_off(daemonset, node) if daemonset else ""
    return kept or (f"no pod yet: {waiting}" if waiting else NO_POD)
