"""Launches of EC2 instances: AMI and instance type of one architecture, and why launches failed.

Source of the failures' words: Amazon EC2 Auto Scaling User Guide, "Troubleshooting", and the errors of RunInstances.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from cockpit.model.audit import Mark
from cockpit.rules.portability.aws.verdict import Place, Verdict

ARM = "arm64"


@dataclass(frozen=True, slots=True)
class Launch:
    """One way in which instances are started. Empty architectures or an empty `ami_arch`: not known, and `why` says it.

    Without an `instance_type` AWS chooses one of the AMI's architecture by the attributes that are asked for.
    """

    ami: str
    ami_arch: str
    instance_type: str = ""
    archs: tuple[str, ...] = ()
    why: str = ""


class Failure(StrEnum):
    """Why a launch failed."""

    ARCHITECTURE = "architecture"
    CAPACITY = "capacity"
    QUOTA = "quota"
    AMI = "ami"
    UNSUPPORTED = "unsupported"
    OTHER = "other"


_WORDS: tuple[tuple[Failure, re.Pattern[str]], ...] = (
    (Failure.ARCHITECTURE, re.compile(r"(?i)does not match the architecture|architecture.{0,80}\b(mismatch|incompatible)")),
    (
        Failure.QUOTA,
        re.compile(r"(?i)vcpulimit|vcpu (capacity|limit)|limit ?exceeded|max ?spot ?instance|already running|quota"),
    ),
    (
        Failure.CAPACITY,
        re.compile(r"(?i)sufficient .{0,80}capacity|insufficient ?instance|no spot capacity|unfulfillable|capacity-not"),
    ),
    (Failure.AMI, re.compile(r"(?i)(ami|image).{0,80}(does not exist|is pending|is not available|InvalidAMI)|InvalidAMI")),
    (
        Failure.UNSUPPORTED,
        re.compile(r"(?i)not supported in your requested availability zone|configuration is currently not supported"),
    ),
)
_DO = {
    Failure.ARCHITECTURE: "give it an arm64 AMI and Graviton instance types: no capacity is missing",
    Failure.CAPACITY: "no architecture fault: add instance types or zones, or wait for capacity",
    Failure.QUOTA: "no architecture fault: raise the account's quota for these instances",
    Failure.AMI: "name an arm64 AMI that exists in this Region",
    Failure.UNSUPPORTED: "use zones and instance types in which it is offered",
    Failure.OTHER: "read the activity history",
}


@dataclass(frozen=True, slots=True)
class Activity:
    """One attempt to launch, the newest first in lists: it succeeded, or failed with a message."""

    failed: bool
    message: str = ""


def why_failed(message: str) -> Failure:
    """Told from the message: a wrong AMI looks like a capacity stall from outside, and is none."""
    return next((failure for failure, words in _WORDS if words.search(message)), Failure.OTHER)


def judge_launches(launches: Sequence[Launch], activities: Sequence[Activity] = ()) -> Verdict:
    """The verdict on a group or template that starts instances in these ways."""
    wrong = [_mismatch(launch) for launch in launches if _mismatched(launch)]
    lately, past = _lately(activities)
    if wrong:
        return Verdict(Mark.FIX, "; ".join(wrong), _DO[Failure.ARCHITECTURE], past)
    if lately is not None:
        mark = Mark.FIX if lately in (Failure.ARCHITECTURE, Failure.AMI) else Mark.GATE
        said = f"the last launch failed, {_named(lately)}: {activities[0].message}"
        return Verdict(mark, said, _DO[lately], past)
    unclear = [launch.why for launch in launches if launch.why]
    if unclear or not launches:
        return Verdict(
            Mark.UNKNOWN, "; ".join(dict.fromkeys(unclear)) or "it names nothing to launch", "look at it by hand", past
        )
    return _sound(launches, past)


def _sound(launches: Sequence[Launch], notes: tuple[str, ...]) -> Verdict:
    said = "; ".join(dict.fromkeys(_matching(launch) for launch in launches))
    if any(launch.ami_arch == ARM for launch in launches):
        return Verdict(Mark.PASS, said, notes=notes, serves=Place.NODES)
    return Verdict(Mark.PASS, f"x86 alone: {said}", notes=notes, left_behind=Place.NODES)


def _mismatched(launch: Launch) -> bool:
    return bool(launch.ami_arch and launch.archs and launch.ami_arch not in launch.archs)


def _mismatch(launch: Launch) -> str:
    return f"{launch.ami} is {launch.ami_arch}, {launch.instance_type} is {' and '.join(launch.archs)}: it cannot be launched"


def _matching(launch: Launch) -> str:
    types = launch.instance_type or "instance types by attributes"
    return f"{launch.ami or 'AMI'} ({launch.ami_arch}) on {types}"


def _lately(activities: Sequence[Activity]) -> tuple[Failure | None, tuple[str, ...]]:
    """Why the newest launch failed, None when it succeeded; and notes on the older ones that did."""
    newest = why_failed(activities[0].message) if activities and activities[0].failed else None
    counted: dict[Failure, int] = {}
    for activity in activities:
        if activity.failed:
            failure = why_failed(activity.message)
            counted[failure] = counted.get(failure, 0) + 1
    said = [f"{count} of the last {len(activities)} launches failed, {_named(failure)}" for failure, count in counted.items()]
    return newest, tuple(said)


def _named(failure: Failure) -> str:
    words = {
        Failure.ARCHITECTURE: "for the AMI's architecture and not for capacity",
        Failure.CAPACITY: "for want of capacity",
        Failure.QUOTA: "at a quota",
        Failure.AMI: "for its AMI",
        Failure.UNSUPPORTED: "for a type that is not offered there",
    }
    return words.get(failure, "for another reason")
