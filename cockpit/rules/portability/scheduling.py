"""Whether the scheduler would put each workload's pods on the architecture that is moved to: pins, labels, taints.

The playbook's own baseline stays where it is as the way back, unless a phase moves its affinity: then a pin of its own stands in
the way, as the affinity lever only ever narrows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cockpit.model.arch import ARCH_LABELS, Arch
from cockpit.model.audit import Layer, Mark, Row
from cockpit.model.cluster import Node
from cockpit.model.playbook import AffinityMode, Playbook
from cockpit.model.workload import Workload
from cockpit.rules.affinity import admits, narrow, pinned_to, preference_for
from cockpit.rules.portability.ground import Ground
from cockpit.rules.portability.pools import by_pools, tainted
from cockpit.rules.tolerations import repelling


def scheduling(workloads: Iterable[Workload], ground: Ground, playbook: Playbook | None) -> Iterator[Row]:
    """A row for each workload that is known to run something; DaemonSets are judged as agents."""
    for workload in workloads:
        if not workload.daemon and not workload.hollow:
            yield _row(workload, ground, playbook)


def stays(workload: Workload, playbook: Playbook | None) -> bool:
    """It is the playbook's baseline, beside a canary, and no phase sends it to the new architecture."""
    if playbook is None or workload.place or workload.ref != playbook.target.baseline or playbook.target.canary is None:
        return False
    sets = [phase.affinity for phase in playbook.phases if phase.affinity and phase.affinity.workload == workload.ref]
    return not any(s.mode is not AffinityMode.NONE and s.arch is playbook.target.to_arch for s in sets)


def pin(workload: Workload, arch: Arch) -> tuple[str, str]:
    """What binds it to the other architecture, and what to do about that; empty when nothing does."""
    for key in ARCH_LABELS:
        value = workload.node_selector.get(key)
        if value not in (None, arch):
            return (
                f"pinned to {value} by nodeSelector {key}",
                f"remove {key} from the pod template's nodeSelector, which is ANDed with every affinity",
            )
    if pinned_to(narrow(workload.affinity, arch), {}) is not arch:
        return (
            f"pinned to {pinned_to(workload.affinity, {}) or 'neither architecture'} by its required node affinity",
            f"let its required node affinity admit {arch}: one of its terms is enough, as terms are ORed",
        )
    return "", ""


def _row(workload: Workload, ground: Ground, playbook: Playbook | None) -> Row:
    mark, status, action = _judged(workload, ground, stays(workload, playbook))
    return Row(
        component=f"{Layer.SCHEDULING}/{workload.name}",
        layer=Layer.SCHEDULING,
        mark=mark,
        status=status,
        action=action,
        owner=owner_of(workload, playbook),
        used_by=(workload.shown,),
        notes=tuple(_notes(workload, ground)),
    )


def _judged(workload: Workload, ground: Ground, home: bool) -> tuple[Mark, str, str]:
    status, action = pin(workload, ground.arch)
    if home:
        how = f" ({status})" if status else ""
        return Mark.PASS, f"stays on {ground.arch.other} as the way back{how}: no phase moves it", ""
    if not status and not workload.node_name and not ground.there and ground.making:
        return by_pools(workload, ground)
    if not status:
        status, action = _named(workload, ground) if workload.node_name else _nodes(workload, ground)
    return (Mark.FIX, status, action) if status else (Mark.PASS, _passes(workload, ground), "")


def owner_of(workload: Workload, playbook: Playbook | None) -> str:
    """The playbook's owner for what is in its namespace, else nobody that is known."""
    mine = playbook is not None and workload.ref.namespace in ("", playbook.target.namespace)
    return playbook.metadata.owner if playbook and mine else ""


def _named(workload: Workload, ground: Ground) -> tuple[str, str]:
    """The template names its node: no scheduler is asked."""
    if ground.nodes is None or any(node.name == workload.node_name for node in ground.there):
        return "", ""
    return f"bound to node {workload.node_name} by nodeName", "take nodeName out of the pod template"


def _nodes(workload: Workload, ground: Ground) -> tuple[str, str]:
    if not ground.there:
        return "", ""
    admitting = [n for n in ground.there if admits(workload.affinity, workload.node_selector, n)]
    count = f"{len(ground.there)} {ground.arch} nodes"
    if not admitting:
        return (
            f"none of {count} has what it asks for: {_asked(workload, ground.there)}",
            f"put the label on {ground.arch} nodes, or take it out of the pod template",
        )
    repelled = [repelling(workload.tolerations, node) for node in admitting]
    if all(repelled):
        return tainted(repelled[0][0], f"of all {len(admitting)} {ground.arch} nodes that it could run on")
    return "", ""


def _asked(workload: Workload, nodes: Iterable[Node]) -> str:
    known = list(nodes)
    for key, value in workload.node_selector.items():
        if all(node.labels.get(key) != value for node in known):
            return f"nodeSelector {key}={value}"
    return "nodeSelector" if workload.node_selector and workload.affinity is None else "its required node affinity"


def _passes(workload: Workload, ground: Ground) -> str:
    if ground.there:
        admitting = [
            n
            for n in ground.there
            if admits(workload.affinity, workload.node_selector, n) and not repelling(workload.tolerations, n)
        ]
        return f"may run on {len(admitting)} of {len(ground.there)} {ground.arch} nodes"
    return f"nothing pins it to {ground.arch.other}"


def _notes(workload: Workload, ground: Ground) -> Iterator[str]:
    against = preference_for(workload.affinity, ground.arch.other)
    if against:
        yield f"it prefers {ground.arch.other} (weight {against}): the scheduler may leave it there"
    if workload.sizes:
        yield f"sized on {ground.arch.other}, measure anew on {ground.arch}: {workload.sizes}"
