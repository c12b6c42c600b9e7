"""ECR repositories: both architectures in the index, both scanned, tags that stay what they were."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cockpit.model.arch import Arch
from cockpit.model.audit import Mark
from cockpit.rules.portability.aws.verdict import Verdict

_GRAVE = ("CRITICAL", "HIGH")
_UNTIL = ("PENDING", "IN_PROGRESS")


@dataclass(frozen=True, slots=True)
class Scan:
    """The scan of one architecture's image: its status (`COMPLETE`, `ACTIVE` for a continuous one, empty for none), findings
    by severity.
    """

    status: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def done(self) -> bool:
        """There is a result."""
        return self.status in ("COMPLETE", "ACTIVE")


@dataclass(frozen=True, slots=True)
class Repository:
    """What a repository holds. `image` is the tag or digest that was looked at, empty for none; `index` whether it is an index;
    `scans` by architecture of what the index names. `mutability` is ECR's word.
    """

    mutability: str
    image: str = ""
    index: bool = False
    scans: Mapping[str, Scan] = field(default_factory=dict)
    uri: str = ""


def judge_repository(found: Repository) -> Verdict:
    """The verdict on a repository by the image that was looked at."""
    fixed = found.mutability.startswith("IMMUTABLE")
    notes = () if fixed else (f"tags are {found.mutability or 'MUTABLE'}: what was audited can be replaced; set IMMUTABLE",)
    if not found.image:
        return Verdict(Mark.UNKNOWN, "it holds no tagged image", "push one, or name another tag", notes)
    if not found.index:
        said = f"{found.image} is one image and no index: its architecture is in its config"
        return Verdict(Mark.UNKNOWN, said, f"audit it: --image {found.uri}:{found.image}", notes)
    if Arch.ARM64 not in found.scans:
        named = " and ".join(sorted(found.scans)) or "no platform"
        return Verdict(Mark.FIX, f"{found.image} is for {named}: no arm64", "push an index with both architectures", notes)
    return _scanned(found, notes)


def _scanned(found: Repository, notes: tuple[str, ...]) -> Verdict:
    arm, amd = found.scans[Arch.ARM64], found.scans.get(Arch.AMD64, Scan())
    if arm.status in _UNTIL:
        return Verdict(Mark.UNKNOWN, f"{found.image}: the arm64 image is being scanned", "audit again when it is done", notes)
    if not arm.done:
        said = f"{found.image}: the arm64 image has no scan result{_status(arm)}{'; amd64 has one' if amd.done else ''}"
        return Verdict(Mark.GATE, said, "scan the index's arm64 image (enhanced scanning does both)", notes)
    worse = [severity for severity in _GRAVE if arm.counts.get(severity, 0) > (amd.counts.get(severity, 0) if amd.done else 0)]
    said = f"{found.image}: amd64 {_counted(amd)}, arm64 {_counted(arm)}"
    if worse:
        return Verdict(Mark.GATE, said, f"look at the arm64 image's {' and '.join(worse)} findings", notes)
    return Verdict(Mark.PASS, said, notes=notes)


def _status(scan: Scan) -> str:
    return f" ({scan.status})" if scan.status else ""


def _counted(scan: Scan) -> str:
    if not scan.done:
        return "not scanned"
    said = [f"{count} {severity}" for severity, count in sorted(scan.counts.items(), key=_rank) if count]
    return ", ".join(said) or "no findings"


def _rank(item: tuple[str, int]) -> tuple[int, str]:
    return (_GRAVE.index(item[0]) if item[0] in _GRAVE else len(_GRAVE), item[0])
