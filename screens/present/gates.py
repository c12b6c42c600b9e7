"""The panel of verdicts: what every gate of the phase says, and whether an abort trigger fires."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cockpit.model.snapshot import SourceName
from cockpit.model.verdict import Outcome, Verdict
from cockpit.run.frame import Frame
from cockpit.run.state import Stage
from screens.present.controls import second_person
from screens.present.trouble import breach, breaching, once, then
from screens.present.words import Line, Part, Tone, clip, dim, flow, hang, images, line, pad, shorten

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
_WORD = {Outcome.LOW_SAMPLES: "cannot tell", Outcome.NO_DATA: "no data", Outcome.STALE: "stale", Outcome.ERROR: "error"}


_RANK = {Outcome.FAIL: 0, Outcome.ERROR: 1, Outcome.NO_DATA: 1, Outcome.STALE: 1, Outcome.LOW_SAMPLES: 2, Outcome.PASS: 3}


def as_judged(frame: Frame) -> Frame:
    """The frame with the verdicts for which the run went back, once it does; as it is before."""
    return frame if frame.judged is None else replace(frame, gates=frame.judged.gates, aborts=frame.judged.aborts)


def when(frame: Frame) -> str:
    """`as judged at 02:05:21` once a rollback has begun, else empty."""
    return f"as judged at {frame.judged.at:%H:%M:%S}" if frame.judged else ""


def ranked(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """What fails, then an abort trigger under way, then what cannot be told, then what passes."""
    return sorted(verdicts, key=lambda v: 0.5 if breach(v) else _RANK[v.outcome])


def rows(frame: Frame, cells: int, height: int) -> list[Line]:
    """One verdict a row with its reason, those that do not pass first; side by side when low."""
    frame = as_judged(frame)
    if not frame.gates:
        return [line(dim(_idle(frame)))]
    return _rows(frame, ranked(frame.gates), cells, height)


def _rows(frame: Frame, ranked: list[Verdict], cells: int, height: int) -> list[Line]:
    if height < FULL or len(ranked) >= height:
        return _brief(frame, ranked, cells, height)
    name = min(max(len(v.gate) for v in ranked), cells // 2)
    wide = 9999
    for passing, failing in ((cells, cells), (wide, cells), (wide, wide)):
        found = [row for v in frame.gates for row in _row(v, name, passing if v.passed else failing)]
        (words, tone), *_ = abort(frame) if frame.state.current(frame.playbook) else line(dim(_later(frame)))
        found += hang((), words, failing, tone)
        found += [row for second in _second(frame) for row in hang((), second[0], failing, second[1])]
        if len(found) <= height:
            break
    return shorten(found, height, MORE)


def _idle(frame: Frame) -> str:
    """Why there is nothing to judge."""
    following = frame.state.following(frame.playbook)
    if frame.state.stage is Stage.ROLLED_BACK:
        return "the run has ended rolled back: nothing is judged; q, then start the cockpit for another run"
    if frame.state.stage is Stage.READY and following:
        return f"nothing is judged before {following.name} is set"
    return "this phase has no gates"


def _later(frame: Frame) -> str:
    following = frame.state.following(frame.playbook)
    return f"the gates of {following.name} are judged once it is set" if following else _idle(frame)


def verdict(of: Verdict) -> Part:
    """A verdict's glyph and word in its tone: `✗ FAIL`."""
    if words := breach(of):
        return f"! {words}", Tone.CAUTION
    glyph, tone = _GLYPH[of.outcome]
    return f"{glyph} {word(of)}", tone


def word(of: Verdict) -> str:
    """The outcome in a word or two: `FAIL`, `few samples`."""
    counted = of.outcome is Outcome.LOW_SAMPLES and not of.numbers.keys() - {"n", "age"}
    return "few samples" if counted else _WORD.get(of.outcome, of.outcome)


def _row(of: Verdict, name: int, cells: int) -> list[Line]:
    glyph, tone = _GLYPH[of.outcome]
    reason = of.reason if of.passed else f"{word(of)}: {of.reason}"
    head = pad(line((f"{glyph} {clip(of.gate, name)}", tone)), name + 4)
    return hang(head, reason, cells, Tone.DIM if of.passed else tone)


def abort(frame: Frame) -> Line:
    """The abort triggers in one row: the first that fires or is under way, else that none does or how many are blind."""
    fired = [v for v in frame.aborts if v.outcome is Outcome.FAIL]
    if fired:
        return line((f"✗ ABORT {fired[0].gate}: {fired[0].reason}", Tone.ALARM))
    if (one := breaching(frame)) and not frame.judged:
        return line((f"! {breach(one)}, {then(frame)}: {one.gate}: {once(one)}", Tone.ALARM))
    if not frame.aborts:
        return line(dim("no abort triggers in this phase"))
    if unseeing := [v for v in frame.aborts if v.outcome.blind]:
        return line((f"? {len(unseeing)} of {len(frame.aborts)} abort triggers are blind", Tone.CAUTION))
    return line(dim(f"abort   none of {len(frame.aborts)} fires"))


def _brief(frame: Frame, ranked: list[Verdict], cells: int, height: int) -> list[Line]:
    items = [line(_short(v)) for v in ranked]
    urgent = any(v.outcome is Outcome.FAIL or breach(v) for v in frame.aborts)
    found = [abort(frame)] if urgent else []
    items += [line((words.partition(":")[0], tone)) for words, tone in _second(frame)]
    found += flow(items, cells)
    worst = next((v for v in ranked if not v.passed), None)
    if worst and len(found) < height:
        tone = Tone.ALARM if worst.outcome is Outcome.FAIL else Tone.DIM
        found.append(line((f"{worst.gate}: {images(worst.reason)}", tone)))
    return found if len(found) <= height else shorten(found, height, MORE)


def _second(frame: Frame) -> list[Part]:
    """Whose word is there beside the operator's, or waited for, where the phase wants two persons."""
    found = second_person(frame)
    return [found] if found and not frame.judged else []


def _short(of: Verdict) -> Part:
    glyph, tone = _GLYPH[of.outcome]
    return (f"{glyph} {of.gate}" if of.passed else f"{glyph} {of.gate} {word(of)}"), tone
