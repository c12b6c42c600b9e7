"""The panel of verdicts: what every gate of the phase says, and whether an abort trigger fires."""

from __future__ import annotations

from cockpit.model.snapshot import SourceName
from cockpit.model.verdict import Outcome, Verdict
from cockpit.run.frame import Frame
from cockpit.run.state import Stage
from screens.present.words import Line, Part, Tone, clip, dim, flow, hang, line, pad, shorten

SOURCES: tuple[SourceName, ...] = ()
"""None of its own: a verdict says itself how far its sources may be believed."""
FULL = 5
MORE = "5 shows all"
_GLYPH = {
    Outcome.PASS: ("✓", Tone.PLAIN),
    Outcome.FAIL: ("✗", Tone.ALARM),
    Outcome.NO_DATA: ("?", Tone.CAUTION),
    Outcome.STALE: ("!", Tone.CAUTION),
    Outcome.ERROR: ("✗", Tone.CAUTION),
    Outcome.LOW_SAMPLES: ("…", Tone.ADVISORY),
}
_WORD = {Outcome.LOW_SAMPLES: "few samples", Outcome.NO_DATA: "no data", Outcome.STALE: "stale", Outcome.ERROR: "error"}


def rows(frame: Frame, cells: int, height: int) -> list[Line]:
    """One verdict a row with its reason, those that do not pass first; side by side when low."""
    if not frame.gates:
        return [line(dim(_idle(frame)))]
    ranked = sorted(frame.gates, key=lambda v: v.passed)
    if height < FULL or len(ranked) >= height:
        return _brief(frame, ranked, cells, height)
    name = min(max(len(v.gate) for v in ranked), cells // 2)
    wide = 9999
    for passing, failing in ((cells, cells), (wide, cells), (wide, wide)):
        found = [row for v in frame.gates for row in _row(v, name, passing if v.passed else failing)]
        (words, tone), *_ = abort(frame)
        found += hang((), words, failing, tone)
        if len(found) <= height:
            break
    return shorten(found, height, MORE)


def _idle(frame: Frame) -> str:
    """Why there is nothing to judge."""
    following = frame.state.following(frame.playbook)
    if frame.state.stage is Stage.ROLLED_BACK:
        return "rolled back: nothing is judged"
    if frame.state.stage is Stage.READY and following:
        return f"nothing is judged before {following.name} is set"
    return "this phase has no gates"


def verdict(of: Verdict) -> Part:
    """A verdict's glyph and word in its tone: `✗ FAIL`."""
    glyph, tone = _GLYPH[of.outcome]
    return f"{glyph} {_WORD.get(of.outcome, of.outcome)}", tone


def _row(of: Verdict, name: int, cells: int) -> list[Line]:
    glyph, tone = _GLYPH[of.outcome]
    reason = of.reason if of.passed else f"{_WORD.get(of.outcome, of.outcome)}: {of.reason}"
    head = pad(line((f"{glyph} {clip(of.gate, name)}", tone)), name + 4)
    return hang(head, reason, cells, Tone.DIM if of.passed else tone)


def abort(frame: Frame) -> Line:
    """The abort triggers in one row: the first that fires, else that none does or how many are blind."""
    fired = [v for v in frame.aborts if v.outcome is Outcome.FAIL]
    if fired:
        return line((f"✗ ABORT {fired[0].gate}: {fired[0].reason}", Tone.ALARM))
    if not frame.aborts:
        return line(dim("no abort triggers in this phase"))
    if unseeing := [v for v in frame.aborts if v.outcome.blind]:
        return line((f"? {len(unseeing)} of {len(frame.aborts)} abort triggers are blind", Tone.CAUTION))
    return line(dim(f"abort   none of {len(frame.aborts)} fires"))


def _brief(frame: Frame, ranked: list[Verdict], cells: int, height: int) -> list[Line]:
    items = [line(_short(v)) for v in ranked]
    fired = any(v.outcome is Outcome.FAIL for v in frame.aborts)
    found = [abort(frame)] if fired else []
    found += flow(items, cells)
    worst = next((v for v in ranked if not v.passed), None)
    if worst and len(found) < height:
        found.append(line(dim(f"{worst.gate}: {worst.reason}")))
    return found if len(found) <= height else shorten(found, height, MORE)


def _short(of: Verdict) -> Part:
    glyph, tone = _GLYPH[of.outcome]
    return (f"{glyph} {of.gate}" if of.passed else f"{glyph} {of.gate} {_WORD.get(of.outcome, of.outcome)}"), tone
