"""Which of the topologies a cluster has, and what that one asks of everything in it.

Source: Sysdig, "Migrating Kubernetes to Arm": Arm workers with an x86 control plane, all Arm, and mixed Arm and x86 nodes. Where
pods may land on nodes of both architectures, their images have to be built for both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

from cockpit.model.arch import Arch
from cockpit.model.audit import Layer, Mark, Row
from cockpit.model.builds import ImageFacts
from cockpit.model.cluster import Node
from cockpit.model.playbook import Playbook
from cockpit.model.workload import Role, Workload
from cockpit.rules.affinity import admits
from cockpit.rules.portability.agents import lands_on
from cockpit.rules.portability.ground import Ground, names
from cockpit.rules.portability.scheduling import owner_of
from cockpit.rules.tolerations import repelling

CLUSTER = f"{Layer.TOPOLOGY}/cluster"


class Topology(StrEnum):
    """How the architectures are spread over a cluster."""

    X86 = "all workers are x86"
    ARM = "all Arm"
    ARM_WORKERS = "x86 control plane with Arm workers"
    MANAGED = "Arm workers under a managed control plane"
    MIXED = "mixed x86 and Arm workers"
    NONE = "no workers"


def named(ground: Ground) -> Topology:
    """The topology that the nodes show. A managed control plane shows none."""
    arm, x86 = bool(ground.workers(Arch.ARM64)), bool(ground.workers(Arch.AMD64))
    if arm and x86:
        return Topology.MIXED
    if not arm:
        return Topology.X86 if x86 else Topology.NONE
    control = {node.arch for node in ground.nodes or () if node.control_plane}
    if not control:
        return Topology.MANAGED
    return Topology.ARM if control == {Arch.ARM64} else Topology.ARM_WORKERS


def topology(
    workloads: Iterable[Workload], ground: Ground, playbook: Playbook | None, images: Mapping[str, ImageFacts]
) -> Iterator[Row]:
    """The row that names it, and one for each workload that could land where one of its images does not run."""
    if ground.nodes is None:
        return
    yield _cluster(ground)
    for workload in workloads:
        if not workload.place:
            yield from _misplaced(workload, ground, playbook, images)


def _cluster(ground: Ground) -> Row:
    found, arch = named(ground), ground.arch
    mark, status, action = Mark.PASS, str(found), ""
    ready = [n for n in ground.there if n.ready and not n.unschedulable]
    if not ground.there and ground.making:
        status = f"{found}; NodePool {ground.making[0].name} may make {arch} nodes"
    elif not ground.there:
        mark, action = Mark.UNKNOWN, f"add a single canary node group of {arch} nodes, then audit again"
        status = f"{found}: without {arch} nodes neither their taints nor what lands on them are known"
    elif not ready:
        mark, action = Mark.GATE, "make one ready, or uncordon it"
        status = f"{found}; none of {len(ground.there)} {arch} nodes is ready and open for pods ({names(ground.there)})"
    return Row(CLUSTER, Layer.TOPOLOGY, mark, status, action, used_by=_counted(ground), notes=tuple(_notes(found, ground)))


def _counted(ground: Ground) -> tuple[str, ...]:
    control = sum(node.control_plane for node in ground.nodes or ())
    workers = tuple(f"{len(ground.workers(arch))} {arch} workers" for arch in Arch)
    return (*workers, f"{control} control-plane nodes" if control else "a managed control plane")


def _notes(found: Topology, ground: Ground) -> Iterator[str]:
    liars = [n for n in ground.nodes or () if n.reported_arch and n.reported_arch != n.arch]
    if liars:
        yield f"the kubelet of {names(liars)} reports another architecture than its label: a rehearsal, or a lie"
    match found:
        case Topology.MIXED:
            yield "what runs on both needs images for both, and requests and limits that fit both"
        case Topology.ARM_WORKERS:
            yield "what tolerates the control plane runs on both architectures and needs images for both"
        case Topology.ARM:
            yield "nothing without an arm64 build can run anywhere in it"
        case _:
            pass


def _misplaced(workload: Workload, ground: Ground, playbook: Playbook | None, images: Mapping[str, ImageFacts]) -> Iterator[Row]:
    """It may be put on nodes of the architecture that is left, and one of its images is not built for that."""
    other = ground.arch.other
    where = [n for n in ground.nodes or () if n.arch == other and _may_land(workload, n)]
    lacking = [u.image for u in workload.uses if u.role is not Role.EPHEMERAL and _only(images.get(u.image), ground.arch)]
    if not where or not lacking:
        return
    yield Row(
        component=f"{Layer.TOPOLOGY}/{workload.name}",
        layer=Layer.TOPOLOGY,
        mark=Mark.FIX,
        status=f"may be put on {len(where)} {other} nodes ({names(where)}), where {lacking[0]} does not run",
        action=f"bind it to {ground.arch} (nodeSelector kubernetes.io/arch), or build its image for {other} too",
        owner=owner_of(workload, playbook),
        used_by=(workload.shown,),
    )


def _may_land(workload: Workload, node: Node) -> bool:
    if workload.daemon:
        return lands_on(workload, node)
    return admits(workload.affinity, workload.node_selector, node) and not repelling(workload.tolerations, node)


def _only(facts: ImageFacts | None, arch: Arch) -> bool:
    """The registry is known to have a build for `arch` and none for the other one."""
    return facts is not None and not facts.fault and any(facts.on(arch)) and not any(facts.on(arch.other))
