"""Agent health on the target architecture, computed by node name.

A DaemonSet's own `desired` counts only nodes it is eligible for: pinned to amd64 it looks 100% while no arm64 node has its pod.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cockpit.model.arch import Arch
from cockpit.model.cluster import Container, Pod, Ref
from cockpit.model.playbook import Agent, AgentsCheck, Playbook
from cockpit.model.snapshot import Snapshot, SourceName
from cockpit.model.verdict import Outcome, Verdict
from cockpit.rules.freshness import blind
from cockpit.rules.nodes import workers

CRASH_LOOP = "CrashLoopBackOff"
AGENT_SOURCES = (SourceName.NODES, SourceName.PODS, SourceName.DAEMONSETS)


@dataclass(frozen=True, slots=True)
class AgentHealth:
    """One agent on the target's nodes. `missing` are Ready nodes without a Ready pod of it, each with the reason.

    `certified` is None when the playbook names no certified image. `exists` is False when there is no such DaemonSet.
    """

    agent: Ref
    nodes: int
    ready: int
    missing: tuple[tuple[str, str], ...] = ()
    crash_looping: tuple[str, ...] = ()
    restarts: int = 0
    certified: bool | None = None
    exists: bool = True

    @property
    def healthy(self) -> bool:
        """Every Ready node of the target architecture has a Ready pod with a certified image."""
        return self.exists and not self.missing and not self.crash_looping and self.certified is not False


def judge_agents(check: AgentsCheck, snapshot: Snapshot, playbook: Playbook) -> Verdict:
    """`ready`: every agent on every target node; `crash_loop` (an abort trigger): FAIL when any crash-loops."""
    name = f"agents {'ready' if check.agents == 'ready' else 'crash loop'}"
    if unknown := blind(snapshot, AGENT_SOURCES, name):
        return unknown
    found = health(snapshot, playbook.agents, playbook.target.to_arch)
    sick = [h for h in found if (h.crash_looping if check.agents == "crash_loop" else not h.healthy)]
    if sick:
        return Verdict(name, Outcome.FAIL, "; ".join(_ailment(h) for h in sick))
    if not found or not found[0].nodes:
        return Verdict(name, Outcome.NO_DATA, f"no Ready {playbook.target.to_arch} node")
    return Verdict(name, Outcome.PASS, f"{len(found)} agents on {found[0].nodes} {playbook.target.to_arch} nodes")


def _ailment(agent: AgentHealth) -> str:
    name = agent.agent.name
    if not agent.exists:
        return f"{name}: no such DaemonSet"
    if agent.crash_looping:
        return f"{name}: crash loop ({agent.crash_looping[0]})"
    if agent.missing:
        return f"{name}: {len(agent.missing)} of {agent.nodes} nodes without it ({agent.missing[0][0]}: {agent.missing[0][1]})"
    return f"{name}: image is not the certified one"


def health(snapshot: Snapshot, agents: Sequence[Agent], arch: Arch) -> tuple[AgentHealth, ...]:
    """The health of each agent on the Ready workers of `arch`."""
    nodes = {n.name for n in workers(snapshot.nodes.values(), arch) if n.ready}
    return tuple(_health(snapshot, agent, nodes) for agent in agents)


def _health(snapshot: Snapshot, agent: Agent, nodes: set[str]) -> AgentHealth:
    ref = agent.daemonset
    pods = [p for p in _pods(snapshot, ref) if p.node in nodes]
    by_node: dict[str, list[Pod]] = {}
    for pod in pods:
        by_node.setdefault(pod.node, []).append(pod)
    ready = {name for name, here in by_node.items() if any(p.ready and not p.terminating for p in here)}
    return AgentHealth(
        agent=ref,
        nodes=len(nodes),
        ready=len(ready),
        missing=tuple((name, _why(by_node.get(name, []))) for name in sorted(nodes - ready)),
        crash_looping=tuple(sorted(p.name for p in pods if _crash_looping(p))),
        restarts=sum(c.restarts for p in pods for c in p.containers),
        certified=_certified(agent, pods),
        exists=f"{ref.namespace}/{ref.name}" in snapshot.daemonsets,
    )


def _pods(snapshot: Snapshot, ref: Ref) -> list[Pod]:
    return [p for p in snapshot.pods.values() if p.namespace == ref.namespace and p.owner == f"DaemonSet/{ref.name}"]


def _crash_looping(pod: Pod) -> bool:
    return not pod.terminating and any(c.waiting == CRASH_LOOP for c in pod.containers)


def _why(pods: list[Pod]) -> str:
    if not pods:
        return "no pod"
    waiting = [c.waiting for p in pods for c in p.containers if c.waiting]
    return waiting[0] if waiting else f"not ready ({pods[0].phase})"


def _certified(agent: Agent, pods: list[Pod]) -> bool | None:
    if not agent.certified_images:
        return None
    # A pod that shows no certified image at all is uncertified; sidecars beside one are not the agent's own.
    return all(any(_matches(c, agent.certified_images) for c in p.containers) for p in pods)


def _matches(container: Container, images: Sequence[str]) -> bool:
    return container.image in images or any(image.partition("@")[2] in container.image_id for image in images if "@" in image)
