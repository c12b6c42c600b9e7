"""The one line above the keys: whatever a person must know or do next, most urgent first."""

from __future__ import annotations

from collections.abc import Iterator

from cockpit.model.snapshot import Freshness
from cockpit.run.frame import Frame
from cockpit.run.state import HoldBy, Stage
from screens.present import matrix
from screens.present.sources import say, troubled
from screens.present.view import View
from screens.present.words import BLANK, Line, Part, Tone, clip, dim, line, pad, percent

DRAINED = 0.005
"""A share that is as good as none."""


def notice(view: View, cells: int) -> Line:
    """The reply to the last key, else the most urgent fact, else nothing."""
    text, tone = next(_facts(view), ("", Tone.PLAIN))
    if not text:
        return BLANK
    words = line((" " + clip(text, cells - 2) + " ", tone))
    return pad_banner(words, tone, cells)


def pad_banner(words: Line, tone: Tone, cells: int) -> Line:
    """A banner reaches across the whole row; anything else stays as long as its words."""
    return line((pad(words, cells)[0][0].ljust(cells)[:cells], tone)) if tone.endswith("banner") else words


def _facts(view: View) -> Iterator[Part]:
    if view.reply:
        yield f"▸ {view.reply}", Tone.STRONG
    if view.frame is None:
        yield f"… starting: {view.starting or 'the screen is up, nothing is read yet'}", Tone.ADVISORY
        return
    yield from _run(view.frame)
    yield from _picture(view.frame)
    yield from _quiet(view.frame)


def _run(frame: Frame) -> Iterator[Part]:
    """What the run itself is doing or waits for."""
    state = frame.state
    if frame.busy:
        yield f"◐ {frame.busy}{f': {frame.retrying}' if frame.retrying else ''}", Tone.ADVISORY
    if state.stage is Stage.ROLLING_BACK:
        wait = f": {frame.retrying}" if frame.retrying else " until the old state is observed again"
        yield f"↩ rolling back{wait}", Tone.CAUTION_BANNER
    if state.hold:
        tone = Tone.CAUTION_BANNER if state.hold.by is HoldBy.OPERATOR else Tone.ALARM_BANNER
        yield f"‖ HELD by {state.hold.by}: {state.hold.reason}", tone
    if state.stage is Stage.FAILED:
        yield f"✗ FAILED: {state.error or 'see the log'}", Tone.ALARM_BANNER
    if state.stage is Stage.ROLLED_BACK:
        yield (
            f"↩ ROLLED BACK{f' ({state.error})' if state.error else ''}: configured as before the run{_draining(frame)}",
            Tone.CAUTION,
        )
    if state.stage is Stage.COMPLETED:
        yield "✓ COMPLETED: the cutover is done; R still rolls it back, q leaves", Tone.STRONG


def _draining(frame: Frame) -> str:
    """What traffic still does, which follows the weights by stickiness and by the window that rates are taken over."""
    seen = frame.traffic.observed
    return f"; {percent(seen)} of the traffic still seen on {frame.playbook.target.to_arch}" if seen and seen > DRAINED else ""


def _picture(frame: Frame) -> Iterator[Part]:
    """What the observations give reason to fear."""
    if fired := [v for v in frame.aborts if v.outcome == "FAIL"]:
        yield f"✗ abort trigger {fired[0].gate}: {fired[0].reason}", Tone.ALARM
    if bad := troubled(frame.snapshot, frame.snapshot.sources):
        name, state = bad[0]
        if state.freshness is Freshness.UNSYNCED:
            yield f"… {name} not read yet{f', nor {len(bad) - 1} more' if len(bad) > 1 else ''}", Tone.ADVISORY
            return
        why = f" ({clip(state.why, 40)})" if state.why else ""
        yield f"! {name} {say(state)}{why}: judging waits, R does not", Tone.CAUTION

    if found := frame.matrix.findings:
        yield f"! {matrix.headline(frame.matrix)} (m): {found[0].title}, {matrix.objects(found[0], 1)}", Tone.CAUTION


def _quiet(frame: Frame) -> Iterator[Part]:
    """What the next key would be, when nothing else is the matter."""
    following = frame.state.following(frame.playbook)
    if frame.promote.allowed and not frame.identity.read_only:
        if frame.state.stage is Stage.READY and following:
            yield f"▸ ready: p sets the first phase, {following.name}", Tone.ADVISORY
        else:
            then = f"p promotes to {following.name}" if following else "p completes the run"
            yield f"▸ soaked and every gate passes: {then}", Tone.ADVISORY
    if frame.state.stage is Stage.SOAKING:
        failing = sum(1 for v in frame.gates if not v.passed)
        yield dim(f"soaking; {'every gate passes' if not failing else f'{failing} of {len(frame.gates)} gates do not pass yet'}")
    if frame.state.stage in (Stage.SETTING, Stage.PROVING):
        missing = next((r.why for r in frame.readings if r.why), "")
        yield f"◐ {frame.state.stage}{f': {missing}' if missing else ''}", Tone.ADVISORY
