"""Small workloads and nodes for the tests of the audit's rules."""

from __future__ import annotations

from dataclasses import replace

from cockpit.model.arch import ARCH_LABELS, Arch
from cockpit.model.builds import Build, ImageFacts
from cockpit.model.cluster import Node, Ref, Taint
from cockpit.model.json import Json
from cockpit.model.workload import Use, Workload
from cockpit.rules.portability.ground import Ground
from tests.factories import node as plain_node

GRAVITON = Taint("graviton", "NoSchedule", "yes")
TOLERANT: tuple[dict[str, Json], ...] = ({"key": "graviton", "operator": "Exists"},)


def workload(name: str = "api", kind: str = "deployment", namespace: str = "payments", **changes: object) -> Workload:
    """A workload with one container."""
    made = Workload(Ref(kind, namespace, name), (Use("main", f"registry.example.com/{name}:1"),), labels={"app": name})
    return replace(made, **changes)  # type: ignore[arg-type]


def node(name: str, arch: Arch = Arch.ARM64, *, taints: tuple[Taint, ...] = (), **labels: str) -> Node:
    """A Ready worker with both labels of its architecture."""
    return plain_node(name, arch, taints=taints, labels={**dict.fromkeys(ARCH_LABELS, str(arch)), **labels})


def mixed(*more: Node) -> Ground:
    """One amd64 worker, and these."""
    return Ground(Arch.ARM64, (node("x1", Arch.AMD64), *more))


def built(reference: str, *arches: str) -> ImageFacts:
    """An image with a build for each of these."""
    builds = tuple(Build(f"linux/{arch}", f"linux/{arch}", f"sha256:{arch:0>64.64}") for arch in arches)
    return ImageFacts(reference, "sha256:" + "0" * 64, index=True, builds=builds)


def required(*values: str, key: str = ARCH_LABELS[0]) -> Json:
    """An affinity that requires a label."""
    terms: list[Json] = [{"matchExpressions": [{"key": key, "operator": "In", "values": list(values)}]}]
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}
