"""Detectors of agents (DaemonSets) that do not work on the architecture that is moved to."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta

from cockpit.model.arch import ARCH_LABELS
from cockpit.model.cluster import Container, DaemonSet, Node, Pod, Ref
from cockpit.model.finding import Certainty, Finding
from cockpit.model.finding import FindingKind as K
from cockpit.model.json import Json
from cockpit.model.playbook import Agent
from cockpit.rules.affinity import admits
from cockpit.rules.certified import uncertified
from cockpit.rules.daemonsets import TOLERATED, keeps_off
from cockpit.rules.kept import Fleet, nodes_in
from cockpit.rules.kept.fleet import CRASH_LOOP, ENDED
from cockpit.rules.matrix import commands
from cockpit.rules.matrix.compose import Told, finding
from cockpit.rules.matrix.scene import Member, Scene
from cockpit.rules.tolerations import repelling

OFTEN = 2
"""Restarts from which on a container that is not Ready after a failure is called looping, though it runs just now."""
STARTING = timedelta(minutes=2)
"""A pod may take as long to become Ready on a new node before the agent counts as missing there."""


def crash_loop(scene: Scene) -> Iterator[Finding]:
    """Agents that crash-loop on nodes of the architecture that is moved to."""
    names = _nodes(scene)
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
                commands.last_words(first.pod, container), side=scene.away, certainty=Certainty.LIKELY,
                told=_looping(scene, agent, first), what=agent.daemonset.name,
            )  # fmt: skip


def missing(scene: Scene) -> Iterator[Finding]:
    """Agents without a Ready pod on a Ready node of that architecture, unless the pod is starting or says itself why it fails."""
    nodes = _nodes(scene)
    for agent in scene.playbook.agents:
        pods = scene.fleet(agent.daemonset)
        lacking = sorted(nodes.keys() - pods.ready.keys())
        without = [nodes[name] for name in lacking if _without(scene, _staying(pods, name))]
        if without:
            yield _missing(scene, agent.daemonset, without, len(nodes), _staying(pods, without[0].name))


def _missing(scene: Scene, ref: Ref, without: list[Node], of: int, here: list[Pod]) -> Finding:
    """`here` are its pods on the first node of `without`."""
    first, daemonset = without[0], scene.daemonsets.get(f"{ref.namespace}/{ref.name}")
    kept = keeps_off(daemonset, first) if daemonset and not here else ""
    why = f"not Ready: {here[0].phase}" if here else kept or "no pod"
    return finding(
        scene, K.AGENT_MISSING, [f"DaemonSet/{ref.name}", *(f"Node/{n.name}" for n in without)],
        f"{len(without)} of {of} Ready {scene.away} nodes without {ref.name}; {first.name}: {why}",
        _placement(ref), side=scene.away, count=len(without), what=ref.name,
        certainty=Certainty.SURE if kept or daemonset is None else Certainty.LIKELY,
        told=_kept_off(scene, ref, daemonset, kept, first),
    )  # fmt: skip


def _kept_off(scene: Scene, ref: Ref, daemonset: DaemonSet | None, kept: str, node: Node) -> Told:
    """The agent's name, and the filter that keeps it off with the command that takes it away."""
    if daemonset is None:
        gone = f"there is no DaemonSet {ref.name} in {ref.namespace}: deleted, or named otherwise in the playbook"
        return Told(ref.name, gone, "install it with an image for both architectures, or mend its name in the playbook")
    if not kept:
        return Told(ref.name)
    whole = daemonset.desired == daemonset.ready
    looks = f"; its own count {daemonset.ready}/{daemonset.desired} looks complete all the same" if whole else ""
    fix = f"make sure that its image has a build for {scene.away}, then let it onto those nodes"
    return Told(ref.name, f"{ref.name} is kept off {scene.away} nodes: {kept}{looks}", fix, _letting_in(ref, daemonset, node))


def _letting_in(ref: Ref, daemonset: DaemonSet, node: Node) -> str:
    """The patch that takes away what keeps the agent off a node; the editor where that takes thinking."""
    pinned = [key for key in ARCH_LABELS if daemonset.node_selector.get(key, node.arch) != node.arch]
    if pinned:
        path = "/spec/template/spec/nodeSelector/" + pinned[0].replace("/", "~1")
        patch: Json = [{"op": "remove", "path": path}]
    elif not daemonset.node_selector.items() <= node.labels.items() or not admits(daemonset.affinity, {}, node):
        return commands.kubectl(ref.namespace, "edit", "daemonset", ref.name)
    else:
        taint = next(t for t in repelling(daemonset.tolerations, node) if t.key not in TOLERATED)
        toleration: Json = {"key": taint.key, "operator": "Exists", "effect": taint.effect}
        path = "/spec/template/spec/tolerations"
        patch = [{"op": "add", "path": f"{path}/-", "value": toleration} if daemonset.tolerations
                 else {"op": "add", "path": path, "value": [toleration]}]  # fmt: skip
    return commands.kubectl(
        ref.namespace, "patch", "daemonset", ref.name, "--type", "json", "-p", json.dumps(patch, separators=(",", ":"))
    )


def _looping(scene: Scene, agent: Agent, member: Member) -> Told:
    """A certified image that fails all the same needs somebody else's answer than one that was never certified."""
    ref = agent.daemonset
    if not agent.certified_images or uncertified(member.pod, agent.certified_images, scene.images, member.arch):
        return Told(ref.name)
    running = {c.image for c in member.pod.containers}
    before = any(m.pod.ready and running.isdisjoint(c.image for c in m.pod.containers) for m in scene.of(ref))
    back = "go back to the version that ran" if before else "choose a version that is known to run there"
    undo = commands.kubectl(ref.namespace, "rollout", "undo", f"daemonset/{ref.name}") if before else ""
    cause = f"the certified image of {ref.name} itself fails on {scene.away}: it is no other version that was rolled out"
    return Told(ref.name, cause, f"ask who signed it off for {scene.away}; {back}", undo)


def _nodes(scene: Scene) -> Mapping[str, Node]:
    return nodes_in(scene.nodes).ready(scene.away)


def _staying(pods: Fleet, node: str) -> list[Pod]:
    return [pod for pod in pods.on(node) if not pod.terminating and pod.phase not in ENDED]


def _without(scene: Scene, here: list[Pod]) -> bool:
    """No pod at all, or one that has not become Ready for long and does not say why."""
    if not here:
        return True
    return not any(p.ready or _young(scene, p) or _says_why(p) for p in here)


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


def _placement(ref: Ref) -> str:
    template = "jsonpath={..nodeSelector}{..affinity}"
    return commands.kubectl(ref.namespace, "get", "daemonset", ref.name, "-o", template)
