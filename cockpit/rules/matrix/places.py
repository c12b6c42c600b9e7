"""Detectors of what pods stand on: nodes whose label is not true, target groups that no pod answers in."""

from __future__ import annotations

from collections.abc import Iterator

from cockpit.model.arch import Arch
from cockpit.model.finding import Finding
from cockpit.model.finding import FindingKind as K
from cockpit.rules.kept import nodes_in
from cockpit.rules.matrix import commands
from cockpit.rules.matrix.compose import finding
from cockpit.rules.matrix.scene import Scene


def arch_label_mismatch(scene: Scene) -> Iterator[Finding]:
    """Nodes whose label and kubelet disagree on the architecture, by the label, which is what the scheduler goes by."""
    wrong = sorted(nodes_in(scene.nodes).mislabelled.values(), key=lambda n: n.name)
    both = "jsonpath={.metadata.labels} {.status.nodeInfo.architecture}"
    for label in dict.fromkeys(n.arch for n in wrong):
        nodes = [n for n in wrong if n.arch == label]
        first = nodes[0]
        yield finding(
            scene, K.ARCH_LABEL_MISMATCH, [f"Node/{n.name}" for n in nodes],
            f"{first.name}: labelled {label or 'with no architecture'}, its kubelet says {first.reported_arch}",
            commands.kubectl("", "get", "node", first.name, "-o", both), side=Arch(label) if label in tuple(Arch) else None,
        )  # fmt: skip


def no_healthy_targets(scene: Scene) -> Iterator[Finding]:
    """Target groups of the playbook that a rule forwards to and in which no target is healthy."""
    alb = scene.playbook.alb
    wanted = set(alb.target_groups.values()) & scene.attached if alb else set()
    for group in sorted((g for g in scene.targets if g.arn in wanted and not g.healthy), key=lambda g: g.arch):
        states = (
            [f"{group.unhealthy} unhealthy", f"{group.draining} draining"] if group.unhealthy or group.draining else ["empty"]
        )
        yield finding(
            scene, K.NO_HEALTHY_TARGETS, [f"TargetGroup/{group.name}"], f"{group.arch}: 0 healthy, {', '.join(states)}",
            commands.target_health(scene, group.arn), side=group.arch, arch=str(group.arch), what=group.name,
        )  # fmt: skip
