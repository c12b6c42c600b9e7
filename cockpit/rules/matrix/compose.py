"""Findings from what detectors saw and the advice for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from cockpit.model.cluster import Ref
from cockpit.model.finding import Finding, FindingKind
from cockpit.rules.matrix.advice import ADVICE, way_back
from cockpit.rules.matrix.scene import Member, Scene

UNKNOWN_IMAGE = "the image"


def finding(
    scene: Scene,
    kind: FindingKind,
    objects: Iterable[str],
    message: str,
    confirm: str,
    *,
    since: datetime | None = None,
    count: int | None = None,
    **words: str,
) -> Finding:
    """A finding of `kind`; `words` are put into the advice (what, image, arch)."""
    advice, names = ADVICE[kind], tuple(objects)
    filled = {"what": "it", "image": UNKNOWN_IMAGE, "arch": str(scene.away), "home": str(scene.home), "away": str(scene.away)}
    filled |= words
    return Finding(
        kind=kind,
        title=advice.title.format_map(filled),
        objects=names,
        message=message,
        cause=advice.cause.format_map(filled),
        confirm=confirm,
        fix=advice.fix.format_map(filled),
        rollback=way_back(scene, kind),
        count=len(names) if count is None else count,
        since=since,
    )


def by_owner(members: Iterable[Member]) -> Mapping[Ref, list[Member]]:
    """The members of each workload or agent, in the order in which they come."""
    found: dict[Ref, list[Member]] = {}
    for member in members:
        found.setdefault(member.owner, []).append(member)
    return found


def oldest(members: Iterable[Member]) -> datetime | None:
    """When the first of these pods was made: since then at the most it has been so."""
    return min((m.pod.created for m in members if m.pod.created), default=None)
