"""Detectors of agents (DaemonSets) that do not work on the architecture that is moved to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from cockpit.model.cluster import Container, Node, Pod, Ref
from cockpit.model.finding import Finding
from cockpit.model.finding import FindingKind as K
from cockpit.rules.matrix import commands
from cockpit.rules.matrix.compose import finding
from cockpit.rules.matrix.scene import Member, Scene

CRASH_LOOP = "CrashLoopBackOff"
OFTEN = 2
"""Restarts from which on a container that is not Ready after a failure is called looping, though it runs just now."""
STARTING = timedelta(minutes=2)
"""A pod may take as long to become Ready on a new node before the agent counts as missing there."""


def crash_loop(scene: Scene) -> Iterator[Finding]:
    """Agents that crash-loop on nodes of the architecture that is moved to."""
    names = {n.name for n in _nodes(scene)}
    for agent in scene.playbook.agents:
        looping = [m for m in scene.sick if m.owner == agent.daemonset and m.pod.node in names and _loops(m.pod)]
        if looping:
            first = looping[0]
            container = next(c for c in first.pod.containers if _ends_again(c))
            last = container.message.split("; back-off ")[0]
            restarts = sum(c.restarts for m in looping for c in m.pod.containers)
            yield finding(
                scene, K.AGENT_CRASH_LOOP, [m.name for m in looping],
                f"{CRASH_LOOP} on {len(looping)} of {len(names)} nodes, {restarts} restarts: {last}",
                commands.logs(scene, first.pod.namespace, first.pod.name, container.name),
                what=agent.daemonset.name,
            )  # fmt: skip


def missing(scene: Scene) -> Iterator[Finding]:
    """Agents without a Ready pod on a Ready node of that architecture, unless the pod is starting or says itself why it fails."""
    nodes = _nodes(scene)
    for agent in scene.playbook.agents:
        by_node: dict[str, list[Member]] = {}
        for member in scene.of(agent.daemonset):
            by_node.setdefault(member.pod.node, []).append(member)
        without = [n for n in nodes if _without(scene, by_node.get(n.name, []))]
        if without:
            first = without[0]
            here = by_node.get(first.name, [])
            why = f"not Ready: {here[0].pod.phase}" if here else "no pod"
            yield finding(
                scene, K.AGENT_MISSING, [f"Node/{n.name}" for n in without],
                f"{len(without)} of {len(nodes)} Ready {scene.away} nodes without {agent.daemonset.name}; {first.name}: {why}",
                _placement(scene, agent.daemonset), what=agent.daemonset.name,
            )  # fmt: skip


def _nodes(scene: Scene) -> list[Node]:
    found = (n for n in scene.nodes.values() if n.arch == scene.away and n.ready and not n.control_plane)
    return sorted(found, key=lambda n: n.name)


def _without(scene: Scene, here: list[Member]) -> bool:
    """No pod at all, or one that has not become Ready for long and does not say why."""
    if not here:
        return True
    return not any(m.pod.ready or _young(scene, m.pod) or _says_why(m.pod) for m in here)


def _young(scene: Scene, pod: Pod) -> bool:
    return pod.created is not None and scene.now - pod.created < STARTING


def _says_why(pod: Pod) -> bool:
    """Crashes and failed pulls are findings of their own."""
    starting = ("", "ContainerCreating", "PodInitializing")
    return any(c.waiting not in starting or c.exit_code not in (None, 0) for c in pod.containers)


def _loops(pod: Pod) -> bool:
    return any(_ends_again(c) for c in pod.containers)


def _ends_again(container: Container) -> bool:
    """It waits to be started again, or has been and is on its way to the next end."""
    if container.waiting == CRASH_LOOP:
        return True
    return not container.ready and container.restarts >= OFTEN and container.exit_code not in (None, 0)


def _placement(scene: Scene, ref: Ref) -> str:
    template = "jsonpath={..nodeSelector}{..affinity}"
    return commands.kubectl(scene, ref.namespace, "get", "daemonset", ref.name, "-o", template)
