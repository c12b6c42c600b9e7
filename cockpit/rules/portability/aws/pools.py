"""Karpenter NodePools: which architectures their requirements leave.

Source: Karpenter's documentation, "NodePools" and "Scheduling": requirements are intersected, and one on a key that is not
mentioned leaves all values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from cockpit.model.arch import ARCH_LABELS, Arch
from cockpit.model.audit import Mark
from cockpit.model.json import Json
from cockpit.model.nodepool import NodePool
from cockpit.rules.portability.aws.graviton import is_graviton
from cockpit.rules.portability.aws.verdict import Place, Verdict

Requirement: TypeAlias = Mapping[str, Json]
_FAMILY = ("karpenter.k8s.aws/instance-family", "eks.amazonaws.com/instance-family")
_TYPE = ("node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type")
_MAKER = ("karpenter.k8s.aws/instance-cpu-manufacturer", "eks.amazonaws.com/instance-cpu-manufacturer")


def judge_pool(pool: NodePool) -> Verdict:
    """Whether a NodePool may make arm64 nodes."""
    left = archs(pool)
    notes = () if pool.ready else ("it is not Ready, so that it makes no nodes now",)
    if Arch.ARM64 in left:
        both = Arch.AMD64 in left
        said = "makes arm64 and amd64 nodes: each pod's node selector decides" if both else "makes arm64 nodes"
        if pool.ready:
            return Verdict(Mark.PASS, said, serves=Place.NODES)
        return Verdict(Mark.FIX, f"{said}, but is not Ready", "look at its conditions: kubectl describe nodepool")
    if not left:
        return Verdict(
            Mark.FIX,
            "its requirements contradict each other: no node fits",
            "let instance families and architectures agree",
            notes,
        )
    return Verdict(Mark.PASS, "makes amd64 nodes alone", notes=notes, left_behind=Place.NODES)


def archs(pool: NodePool) -> frozenset[Arch]:
    """The architectures that every requirement and label of a NodePool leaves."""
    left = set(Arch)
    labels: list[Requirement] = [{"key": k, "operator": "In", "values": [v]} for k, v in pool.labels.items()]
    for requirement in (*pool.requirements, *labels):
        left &= _allowed(requirement)
    return frozenset(left)


def _allowed(requirement: Requirement) -> set[Arch]:
    key = str(requirement.get("key", ""))
    if key in ARCH_LABELS:
        return {arch for arch in Arch if _holds(requirement, arch)}
    if key in _FAMILY:
        return _by(requirement, is_graviton)
    if key in _TYPE:
        return _by(requirement, lambda value: is_graviton(value.partition(".")[0]))
    if key in _MAKER:
        return _by(requirement, lambda value: value == "aws")
    return set(Arch)


def _holds(requirement: Requirement, wanted: str) -> bool:
    """Whether a requirement leaves the value `wanted`."""
    named = wanted in _values(requirement)
    match requirement.get("operator"):
        case "In":
            return named
        case "NotIn":
            return not named
        case "DoesNotExist":
            return False
        case _:
            return True


def _by(requirement: Requirement, graviton: Callable[[str], bool]) -> set[Arch]:
    """Of a requirement on one of many values that each mean an architecture; those that are excluded leave others."""
    if requirement.get("operator") != "In":
        return set(Arch)
    return {Arch.ARM64 if graviton(value) else Arch.AMD64 for value in _values(requirement)}


def _values(requirement: Requirement) -> list[str]:
    values = requirement.get("values")
    return [str(value) for value in values] if isinstance(values, list) else []
