"""Findings from what detectors saw and the advice for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from cockpit.model.arch import Arch
from cockpit.model.cluster import Ref
from cockpit.model.finding import Certainty, Finding, FindingKind
from cockpit.rules.matrix.advice import ADVICE
from cockpit.rules.matrix.scene import Member, Scene

UNKNOWN_IMAGE = "the image"


@dataclass(frozen=True, slots=True)
class Told:
    """What the evidence says better than the advice for its kind does: parts that are empty are left to the advice.

    `name` is added to the title; `mend` is a command.
    """

    name: str = ""
    cause: str = ""
    fix: str = ""
    mend: str = ""


PLAIN = Told()


def finding(
    scene: Scene,
    kind: FindingKind,
    objects: Iterable[str],
    message: str,
    confirm: str,
    *,
    since: datetime | None = None,
    count: int | None = None,
    side: Arch | None = None,
    certainty: Certainty = Certainty.SURE,
    told: Told = PLAIN,
    **words: str,
) -> Finding:
    """A finding of `kind` on `side`; `words` are put into the advice (what, image, arch).

    `told` goes before the advice. The way back is added later.
    """
    advice, names = ADVICE[kind], tuple(objects)
    filled = {"what": "it", "image": UNKNOWN_IMAGE, "arch": str(scene.away), "home": str(scene.home), "away": str(scene.away)}
    filled |= words
    return Finding(
        kind=kind,
        title=advice.title.format_map(filled) + (f": {told.name}" if told.name else ""),
        objects=names,
        message=message,
        cause=told.cause or advice.cause.format_map(filled),
        confirm=confirm,
        fix=told.fix or advice.fix.format_map(filled),
        rollback="",
        count=len(names) if count is None else count,
        since=since,
        side=side,
        certainty=certainty,
        mend=told.mend,
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
