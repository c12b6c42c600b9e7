"""What checks of the world come to, as far as they can be told apart from a run that is already there."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cockpit.errors import CockpitError, Refused
from cockpit.model.check import Check, Result

UNDER_WAY = "a run is under way, so this keeps nobody out"


@dataclass(frozen=True, slots=True)
class Look:
    """What was found; `under_way` when a run has left its mark there."""

    checks: tuple[Check, ...]
    under_way: bool = False


def refused(name: str, words: str) -> Check:
    """What keeps a run from starting, with the way out in its words."""
    return Check(name, Result.REFUSED, words, Refused(words))


def failed(name: str, fault: CockpitError) -> Check:
    """A check that could not be made: missing data never passes."""
    return Check(name, Result.REFUSED, str(fault), fault)


def eased(check: Check) -> Check:
    """The same for whoever joins a run: what would have kept it from starting must not keep out who is to look after it."""
    if check.result is Result.REFUSED and isinstance(check.fault, Refused):
        return replace(check, result=Result.WARN, words=f"{check.words} ({UNDER_WAY})", fault=None)
    return check
