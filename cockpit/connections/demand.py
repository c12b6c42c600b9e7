"""What the scheduler counts a pod as, in thousandths of a core and bytes.

Source: the Kubernetes documentation on sidecar containers ("Resource sharing within containers"): the sum of all containers and
sidecars, or the greatest of the init containers each with the sidecars started before it, whichever is more, plus the pod's
overhead; a pod-level request wins over that sum.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from cockpit.connections import wire
from cockpit.model.cluster import Resources
from cockpit.model.quantity import millicores, size

Amounts = Mapping[str, str | int | float]


@lru_cache(maxsize=4096)
def _cpu(text: str) -> int:
    try:
        return max(0, millicores(text))
    except (ValueError, ArithmeticError):
        return 0


@lru_cache(maxsize=4096)
def _size(text: str) -> int:
    try:
        return max(0, size(text))
    except (ValueError, ArithmeticError):
        return 0


@lru_cache(maxsize=4096)
def _resources(cpu: str, memory: str, pods: str) -> Resources:
    return Resources(_cpu(cpu), _size(memory), _size(pods))


def amounts(found: Amounts | None) -> Resources:
    """Allocatable or requested amounts; what is absent or malformed is 0."""
    if not found:
        return Resources()
    return _resources(str(found.get("cpu", 0)), str(found.get("memory", 0)), str(found.get("pods", 0)))


def pod_requests(spec: wire.PodSpec) -> Resources:
    """What the scheduler sets aside for a pod of this spec (`pods` is 0: it is counted by whoever adds pods up)."""
    if not spec.init_containers and not spec.overhead and spec.resources is None and len(spec.containers or ()) == 1:
        return _of((spec.containers or [wire.SpecContainer()])[0])
    steady, peak = _phases(spec)
    over = amounts(spec.overhead)
    whole = spec.resources.requests if spec.resources else None
    fixed = amounts(whole)
    cpu = fixed.cpu_milli if whole and "cpu" in whole else max(steady[0], peak[0])
    memory = fixed.memory_bytes if whole and "memory" in whole else max(steady[1], peak[1])
    return _shared(cpu + over.cpu_milli, memory + over.memory_bytes)


def _phases(spec: wire.PodSpec) -> tuple[tuple[int, int], tuple[int, int]]:
    sidecars, peak = (0, 0), (0, 0)
    for container in spec.init_containers or ():
        asked = _add(sidecars, _of(container))
        peak = (max(peak[0], asked[0]), max(peak[1], asked[1]))
        if container.restart_policy == "Always":
            sidecars = asked
    steady = sidecars
    for container in spec.containers or ():
        steady = _add(steady, _of(container))
    return steady, peak


def _of(container: wire.SpecContainer) -> Resources:
    found = container.resources.requests if container.resources else None
    return _shared_of(found)


def _shared_of(found: Amounts | None) -> Resources:
    if not found:
        return _shared(0, 0)
    return _resources(str(found.get("cpu", 0)), str(found.get("memory", 0)), "0")


@lru_cache(maxsize=4096)
def _shared(cpu: int, memory: int) -> Resources:
    return Resources(cpu, memory)


def _add(left: tuple[int, int], right: Resources) -> tuple[int, int]:
    return left[0] + right.cpu_milli, left[1] + right.memory_bytes
