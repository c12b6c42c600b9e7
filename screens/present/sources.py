"""How far what is shown may be believed: one note for a panel, one word for the whole picture."""

from __future__ import annotations

from collections.abc import Iterable

from cockpit.model.arch import Arch
from cockpit.model.playbook import Playbook
from cockpit.model.snapshot import Freshness, Snapshot, SourceName, SourceState
from cockpit.rules.freshness import outdated
from screens.present.words import Part, Tone, ago

_ORDER = (Freshness.FAULT, Freshness.STALE, Freshness.UNSYNCED)
_GLYPH = {Freshness.FAULT: "✗", Freshness.STALE: "!", Freshness.UNSYNCED: "…", Freshness.LIVE: "●"}
_TONE = {
    Freshness.FAULT: Tone.CAUTION,
    Freshness.STALE: Tone.CAUTION,
    Freshness.UNSYNCED: Tone.ADVISORY,
    Freshness.LIVE: Tone.PLAIN,
}


def troubled(snapshot: Snapshot, names: Iterable[SourceName]) -> list[tuple[SourceName, SourceState]]:
    """The sources among `names` that are not live, worst first. A source that the run does not have is left out."""
    states = [(name, snapshot.sources[name]) for name in names if name in snapshot.sources]
    return sorted(((n, s) for n, s in states if not s.live), key=lambda pair: _ORDER.index(pair[1].freshness))


def known(snapshot: Snapshot, *names: SourceName) -> bool:
    """Every one of the sources has been read at least once: what is missing from it is missing."""
    return all(snapshot.source(name).freshness is not Freshness.UNSYNCED for name in names)


def note(snapshot: Snapshot, *names: SourceName) -> Part | None:
    """What a panel that draws from these sources must say beside its title: `! metrics stale 75 s`; None while all are live."""
    bad = troubled(snapshot, names)
    if not bad:
        return None
    name, state = bad[0]
    more = f" +{len(bad) - 1}" if len(bad) > 1 else ""
    return f"{_GLYPH[state.freshness]} {name} {say(state)}{more}", _TONE[state.freshness]


def say(state: SourceState) -> str:
    """A source's state in few words: `stale 75 s`, `fault 12 s`, `not read yet`."""
    if state.freshness is Freshness.UNSYNCED:
        return reading(state) or "not read yet"
    return f"{state.freshness.lower()}{'' if state.age is None or state.live else f' {ago(state.age)}'}"


def reading(state: SourceState) -> str:
    """`reading 1,500 of 5,000` while the first list of a source streams in; the count alone where the server tells no total."""
    if state.freshness is not Freshness.UNSYNCED or not state.read:
        return ""
    return f"reading {state.read:,}" + (f" of {max(state.read, state.expected):,}" if state.expected is not None else "")


def overall(snapshot: Snapshot) -> Part:
    """The word for the whole picture: `● LIVE`, `! STALE metrics 75 s`, `… UNSYNCED nodes`."""
    bad = troubled(snapshot, snapshot.sources)
    if not bad:
        return ("● LIVE", Tone.PLAIN) if snapshot.sources else ("… UNSYNCED", Tone.ADVISORY)
    name, state = bad[0]
    age = f" {ago(state.age)}" if state.age is not None and state.freshness is not Freshness.UNSYNCED else ""
    more = f" +{len(bad) - 1}" if len(bad) > 1 else ""
    return f"{_GLYPH[state.freshness]} {state.freshness} {name}{age}{more}", _TONE[state.freshness]


def stale_age(snapshot: Snapshot, name: SourceName) -> str:
    """` (75 s old)` for figures of a source that is not live, else empty."""
    state = snapshot.source(name)
    return "" if state.live or state.age is None else f" ({ago(state.age)} old)"


def series_age(snapshot: Snapshot, playbook: Playbook, signal: str, arch: Arch) -> str:
    """`15 min old` of a series that is too old to be believed although its source is live, else empty."""
    age = outdated(snapshot, playbook, signal, arch) if snapshot.source(SourceName.METRICS).live else None
    return "" if age is None else f"{ago(age)} old"
