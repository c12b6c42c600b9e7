"""Whether the sources behind a rule may be believed: unsynced or stale input answers NO_DATA or STALE, never green."""

from __future__ import annotations

from collections.abc import Iterable

from cockpit.model.arch import Arch
from cockpit.model.playbook import Playbook
from cockpit.model.snapshot import Freshness, Snapshot, SourceName, SourceState
from cockpit.model.verdict import Outcome, Verdict

_WORST = (Freshness.UNSYNCED, Freshness.FAULT, Freshness.STALE)


def blind(snapshot: Snapshot, sources: Iterable[SourceName], gate: str) -> Verdict | None:
    """The verdict that says why nothing can be said, None when every source is live."""
    states = {name: snapshot.source(name) for name in sources}
    for freshness in _WORST:
        for name, state in states.items():
            if state.freshness is freshness:
                return Verdict(gate, outcome(state), f"{name}: {words(state)}")
    return None


def outdated(snapshot: Snapshot, playbook: Playbook, signal: str, arch: Arch) -> float | None:
    """Seconds since a series' newest sample where it is too old to be believed; None while it is not, and where it has none.

    The source may be LIVE all the same: its series come from several servers.
    """
    cadence, series = playbook.freshness_of(signal), snapshot.signals.get((signal, arch))
    if cadence is None or series is None or series.latest is None:
        return None
    age = (snapshot.time - series.latest.time).total_seconds()
    return age if age > cadence.stale_after else None


def outcome(state: SourceState) -> Outcome:
    """The outcome that a source which is not live allows."""
    return Outcome.STALE if state.freshness is Freshness.STALE else Outcome.NO_DATA


def words(state: SourceState) -> str:
    """A source's state for people: `stale, 75 s old`."""
    age = "" if state.age is None else f", {state.age:.0f} s old"
    return {
        Freshness.UNSYNCED: "not listed yet",
        Freshness.STALE: f"stale{age}",
        Freshness.FAULT: f"cannot be asked ({state.why}){age}",
        Freshness.LIVE: "live",
    }[state.freshness] + (f" ({state.why})" if state.freshness is Freshness.UNSYNCED and state.why else "")
