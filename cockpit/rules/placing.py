"""What would keep a workload's pods from an architecture that a phase sends them to: leftover selectors, topology spread."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cockpit.errors import Impossible
from cockpit.model.arch import ARCH_LABELS, Arch
from cockpit.model.cluster import Deployment, Node
from cockpit.model.placement import Spread
from cockpit.rules.affinity import pinned_to
from cockpit.rules.nodes import workers
from cockpit.rules.original import original


def pinned(deployment: Deployment, arch: Arch) -> str:
    """Why no pod may ever run on `arch`, by what the workload's own placement names, with the way out; empty when it may."""
    name = f"deployment/{deployment.name}"
    for label in ARCH_LABELS:
        value = deployment.node_selector.get(label)
        if value not in (None, arch):
            path = f"/spec/template/spec/nodeSelector/{label.replace('/', '~1')}"
            command = f'kubectl -n {deployment.namespace} patch {name} --type=json -p \'[{{"op":"remove","path":"{path}"}}]\''
            return f"{name} has the node selector {label}={value}, so its pods would stay Pending on {arch}: {command}"
    try:
        affinity = original(deployment)
    except Impossible as damaged:
        return str(damaged)
    if pinned_to(affinity, {}) is arch.other:
        return (
            f"{name} has a required node affinity for {arch.other}, so its pods would stay Pending on {arch}: take it out first"
        )
    return ""


def spread_thin(deployment: Deployment, arch: Arch, nodes: Sequence[Node]) -> Iterator[str]:
    """Spread constraints that the nodes of `arch` may not satisfy as all nodes do; nothing where the nodes are not known."""
    there, all_ = workers(nodes, arch), [n for n in nodes if not n.control_plane]
    if not there:
        return
    for spread in deployment.spreads:
        if words := _thin(spread, _domains(spread, there), _domains(spread, all_)):
            yield f"deployment/{deployment.name} spreads over {spread.key}: {words}"


def _thin(spread: Spread, there: set[str], all_: set[str]) -> str:
    if not there:
        return "no node of the new side has this label, so no pod could be put there"
    if len(there) < spread.domains:
        return f"it wants {spread.domains} domains and the new side has {len(there)}: at most {spread.skew} pods in each"
    if not spread.honors_affinity and there != all_:
        missing = ", ".join(sorted(all_ - there)[:3])
        return f"it counts domains that the new side lacks ({missing}): at most {spread.skew} pods in each of the others"
    if len(there) == 1 < len(all_):
        return f"the new side has only {min(there)}, so all pods would be in one"
    return ""


def _domains(spread: Spread, nodes: Sequence[Node]) -> set[str]:
    return {n.labels[spread.key] for n in nodes if spread.key in n.labels}
