"""Instance classes: which are Graviton, and what the Graviton ones beside an x86 one are called.

Source of the families: the migration runbook, "Managed services" and "The Graviton instance-family landscape", and the services'
own lists of instance classes. Whether a class can be had is for the service to say, as that changes by Region and engine version.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from cockpit.model.surfaces import Surface

_FAMILY = re.compile(r"([a-z]+)(\d+)([a-z]*)")
_ARM_WITHOUT_G = frozenset(("a1", "or1", "or2", "om2", "oi2"))
"""Families of Arm processors whose name does not say so."""
_MEMORY = ("r8g", "r7g", "r6g")
_BESIDE: Mapping[Surface, Mapping[str, tuple[str, ...]]] = {
    Surface.RDS: {
        "m": ("m8g", "m7g", "m6g"),
        "r": _MEMORY,
        "z": _MEMORY,
        "x": ("x2g",),
        "t": ("t4g",),
        "c": ("c6gd",),
    },
    Surface.ELASTICACHE: {"m": ("m7g", "m6g"), "r": ("r7g", "r6g"), "t": ("t4g",), "c": ("c7gn",)},
    Surface.OPENSEARCH: {
        "m": ("m8g", "m7g", "m6g"),
        "c": ("c8g", "c7g", "c6g"),
        "r": _MEMORY,
        "i": ("i8g", "im4gn"),
    },
    Surface.MSK: {"m": ("m7g",)},
}
_KEEPS_DISK = {"m8g": "m8gd", "m6g": "m6gd", "r8g": "r8gd", "r7g": "r7gd", "r6g": "r6gd"}
"""Families with local disks: for an x86 class that has them too."""


@dataclass(frozen=True, slots=True)
class InstanceClass:
    """A managed service's class, `db.r5.xlarge`, `r5.large.search`, in its parts."""

    before: str
    family: str
    size: str
    after: str

    def named(self, family: str) -> str:
        """The class of the same size in another family."""
        return f"{self.before}{family}.{self.size}{self.after}"


def parse(text: str) -> InstanceClass | None:
    """The parts of a class; None for what is none, as `db.serverless`."""
    parts = text.split(".")
    if len(parts) != 3:
        return None
    if _FAMILY.match(parts[0]):
        return InstanceClass("", parts[0], parts[1], f".{parts[2]}")
    if _FAMILY.match(parts[1]):
        return InstanceClass(f"{parts[0]}.", parts[1], parts[2], "")
    return None


def is_graviton(family: str) -> bool:
    """Whether a family (`m7g`, `im4gn`, `m6i`) has Graviton processors: what stands behind its generation has a g."""
    match = _FAMILY.match(family)
    return family in _ARM_WITHOUT_G or bool(match and "g" in match.group(3))


def equivalents(surface: Surface, text: str) -> tuple[str, ...]:
    """The Graviton classes of the same profile and size, the newest first; none where the service has no such family."""
    parts = parse(text)
    match = _FAMILY.match(parts.family) if parts else None
    if parts is None or match is None:
        return ()
    families = _BESIDE.get(surface, {}).get(match.group(1)[:1], ())
    if surface is Surface.RDS and "d" in match.group(3):
        families = tuple(_KEEPS_DISK[f] for f in families if f in _KEEPS_DISK)
    return tuple(parts.named(family) for family in families)
