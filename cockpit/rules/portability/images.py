"""Rows of the portability matrix that follow from what a registry says of an image."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from cockpit.model.arch import Arch
from cockpit.model.audit import Layer, Mark, Row
from cockpit.model.builds import Build, Fault, ImageFacts

REPRODUCIBLE_YEAR = 1981
"""A build that says to be older has had its time set for reproducibility: 1970 and 1980 are the usual ones."""
MOST_SHOWN = 4
_BUILDX = "build and push it with --platform linux/amd64,linux/arm64 (docker buildx build)"
_JUDGED: dict[Fault, tuple[Mark, str]] = {
    Fault.UNREACHABLE: (Mark.UNKNOWN, "ask again when its registry can be reached"),
    Fault.UNAUTHORIZED: (Mark.UNKNOWN, "log in to its registry (docker login, or AWS credentials for ECR), then ask again"),
    Fault.THROTTLED: (Mark.UNKNOWN, "ask again later, or logged in: registries let those who are ask more often"),
    Fault.REFERENCE: (Mark.UNKNOWN, "mend the image reference"),
    Fault.ABSENT: (Mark.FIX, "push it again, or name a version that is there: no new node can pull it"),
    Fault.HIDDEN: (Mark.UNKNOWN, "log in to its registry, or mend the name"),
    Fault.SCHEMA_1: (Mark.FIX, f"{_BUILDX}: current runtimes refuse schema 1"),
    Fault.NO_IMAGE: (Mark.FIX, "name an image: this cannot be run"),
    Fault.EMPTY: (Mark.FIX, _BUILDX),
    Fault.MISSING: (Mark.FIX, "push it again with everything that belongs to it: no new node can pull it"),
    Fault.BROKEN: (Mark.UNKNOWN, "push it again: what its registry gives cannot be believed"),
}


def rows_of_image(
    facts: ImageFacts,
    arch: Arch,
    today: date,
    *,
    used_by: tuple[str, ...] = (),
    owner: str = "",
    layer: Layer = Layer.IMAGE,
) -> tuple[Row, ...]:
    """The row of an image: `<layer>/<reference>`. `arch` is the one that is moved to; ages are told as of `today`."""
    mark, status, action = judge_image(facts, arch)
    notes = tuple(_notes(facts, arch, today))
    return (Row(f"{layer}/{facts.reference}", layer, mark, status, action, owner, used_by, notes),)


def judge_image(facts: ImageFacts, arch: Arch) -> tuple[Mark, str, str]:
    """How an image stands on `arch`, in a mark, a status and what to do (empty for PASS).

    FIX where it is known that a node of `arch` cannot pull or run it; UNKNOWN where that is not known; never PASS by default.
    """
    if facts.fault:
        mark, action = _JUDGED[facts.fault]
        return mark, facts.why or str(facts.fault), action
    if liar := next((b for b in facts.builds if b.lies), None):
        words = f"its index claims {liar.claimed}, and the build behind that is {liar.platform}"
        return Mark.FIX, words, f"{_BUILDX} anew: nodes choose by what the index claims"
    found = list(facts.on(arch))
    if not found:
        return _without(facts, arch)
    if short := next((b for b in found if b.missing), None):
        words = f"its registry lacks {len(short.missing)} of {len(short.layers)} layers of {short.platform}: {short.missing[0]}"
        return Mark.FIX, words, _JUDGED[Fault.MISSING][1]
    if unsaid := found[0].unchecked:
        words = f"its registry would not say whether it has {unsaid} of {len(found[0].layers)} layers of {found[0].platform}"
        return Mark.UNKNOWN, words, "pull it on a node, or for that platform, to see whether all of it is there"
    return Mark.PASS, _passing(facts, found[0]), ""


def _without(facts: ImageFacts, arch: Arch) -> tuple[Mark, str, str]:
    """Nothing is known to be built for `arch`: is that so, or is there a build that could not be read?"""
    perhaps = [b for b in facts.builds if b.fault and (not b.claimed or b.claimed.startswith(f"linux/{arch}"))]
    if perhaps:
        mark, action = _JUDGED[perhaps[0].fault]
        return mark, perhaps[0].why or str(perhaps[0].fault), action
    if not facts.platforms:
        return Mark.UNKNOWN, "its registry names no platform", _BUILDX
    shown = ", ".join(facts.platforms[:MOST_SHOWN]) + (", …" if len(facts.platforms) > MOST_SHOWN else "")
    fails = "there it fails (exec format error), or runs under slow emulation where qemu is registered"
    if facts.pinned and not facts.index:
        return Mark.FIX, f"pinned to one build, {shown}: {fails}", f"pin the digest of the index, or {_BUILDX}"
    return Mark.FIX, f"no linux/{arch} build, only {shown}: {fails}", _BUILDX


def _passing(facts: ImageFacts, build: Build) -> str:
    others = len(facts.platforms) - 1
    if not facts.index:
        return f"a single build, {build.platform}"
    return f"{build.platform} and {others} other platform{'s' * (others != 1)}" if others else f"{build.platform} only"


def _notes(facts: ImageFacts, arch: Arch, today: date) -> Iterator[str]:
    """What is worth knowing and gates nothing."""
    if not facts.fault or facts.digest:
        yield "pinned by digest" if facts.pinned else "not pinned by digest: its tag may name another image tomorrow"
    if facts.attestations:
        yield f"{facts.attestations} attestation{'s' * (facts.attestations > 1)} skipped"
    if facts.nested:
        yield "its index holds an index, which some runtimes do not follow"
    found = next(facts.on(arch), None)
    yield from _way_back(facts, arch, found)
    shown = found or next((b for b in facts.builds if b.created or b.base), None)
    if shown is not None:
        yield from _origin(shown, today)


def _way_back(facts: ImageFacts, arch: Arch, found: Build | None) -> Iterator[str]:
    if found and not facts.fault and not any(facts.on(arch.other)):
        yield f"no linux/{arch.other} build: what goes back cannot take it along"
    for build in facts.builds:
        if found and build.fault:
            yield f"another build of it is broken: {build.why}"


def _origin(build: Build, today: date) -> Iterator[str]:
    if build.created is not None:
        day = build.created.date()
        days = (today - day).days
        if day.year < REPRODUCIBLE_YEAR:
            yield f"created: {day} by its own word, as reproducible builds say: its age is not known"
        else:
            yield f"created: {day}, {days} day{'s' * (days != 1)} ago" if days >= 0 else f"created: {day}, which is in the future"
    if build.base:
        yield f"base image: {build.base}" + (f"@{build.base_digest}" if build.base_digest else "")
    elif build.base_digest:
        yield f"base image: {build.base_digest}"
