"""The one line above the keys: whatever a person must know or do next, most urgent first."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cockpit.model.snapshot import Freshness, SourceName, SourceState
from cockpit.model.verdict import Outcome
from cockpit.run.frame import Frame
from cockpit.run.state import HoldBy, Stage
from screens.present import controls, matrix, trouble
from screens.present.gates import word
from screens.present.sources import reading, say, troubled
from screens.present.view import View
from screens.present.words import BLANK, Line, Part, Tone, clip, dim, images, line, pad, percent, plural

_WHO = re.compile(r"; who: ([^;]+)")
"""In a reason to hold, as `rules.tripwire` says who made a change."""


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
    yield from _ended(view.frame)
    yield from controls.lost(view.frame)
    yield from _worst(view.frame)
    yield from _run(view.frame)
    yield from controls.refused(view.frame)
    yield from _before(view.frame)
    yield from _picture(view.frame)
    yield from _quiet(view.frame)


def _ended(frame: Frame) -> Iterator[Part]:
    """What came of a run that has ended or goes back: first what did not come back."""
    state = frame.state
    if frame.identity.dry_run and (state.stage.ended or state.stage is Stage.ROLLING_BACK):
        yield from _tried(frame)
        return
    if state.stage is Stage.ROLLING_BACK:
        waits = frame.retrying or trouble.way_back(frame) or "until the old state is observed again"
        yield f"↩ rolling back: {waits}", Tone.CAUTION_BANNER
    if state.stage is Stage.FAILED:
        yield f"✗ FAILED: {state.error or 'see the log'}", Tone.ALARM_BANNER
    if state.stage is Stage.ROLLED_BACK:
        missing = trouble.unreturned(frame)
        head = f"✗ {missing}" if missing else f"↩ ROLLED BACK{_draining(frame)}"
        why = [trouble.cause(frame), state.error]
        yield "; ".join(filter(None, [head, *why])), Tone.ALARM_BANNER if missing else Tone.CAUTION
    if state.stage is Stage.COMPLETED:
        yield "✓ COMPLETED: the cutover is done; R still rolls it back, q leaves", Tone.STRONG


def _tried(frame: Frame) -> Iterator[Part]:
    """The end of a dry run, which has changed nothing that could have to come back."""
    state = frame.state
    if state.stage is Stage.FAILED:
        yield f"✗ DRY RUN FAILED, nothing was changed: {state.error or 'see the log'}", Tone.ALARM_BANNER
    elif state.stage is Stage.ROLLING_BACK:
        yield f"◐ dry run: the rollback is being tried{f': {frame.retrying}' if frame.retrying else ''}", Tone.ADVISORY
    elif state.stage is Stage.ROLLED_BACK:
        yield "↩ DRY RUN ENDED: the rollback would be accepted; nothing was changed (q leaves)", Tone.STRONG
    else:
        yield "✓ DRY RUN ENDED: every write would be accepted; nothing was changed (q leaves)", Tone.STRONG


def _draining(frame: Frame) -> str:
    """What traffic still does, which follows the weights by stickiness and by the window that rates are taken over."""
    seen = trouble.still_seen(frame)
    if not seen:
        return ": configured as before"
    wait = " (settling)" if trouble.settling(frame) else ""
    return f", {percent(seen)} still on {frame.playbook.target.to_arch}{wait}"


def _worst(frame: Frame) -> Iterator[Part]:
    """What takes the ground from under the run, whatever it is doing."""
    hold = frame.state.hold
    if hold and hold.by is not HoldBy.OPERATOR:
        why, reason = trouble.cause(frame), hold.reason
        if hold.by is HoldBy.DRIFT:
            # Who did it comes first: a row of 80 columns has no room for its end.
            why, reason = "; ".join(filter(None, (", ".join(dict.fromkeys(_WHO.findall(reason))), why))), _WHO.sub("", reason)
        yield f"‖ HELD by {hold.by}{f' ({why})' if why else ''}: {reason}", Tone.ALARM_BANNER
    if fired := [v for v in frame.aborts if v.outcome is Outcome.FAIL]:
        yield f"✗ abort trigger {fired[0].gate}: {fired[0].reason}", Tone.ALARM
    if why_not := trouble.way_back(frame):
        yield f"✗ THE WAY BACK IS NOT READY: {why_not}", Tone.ALARM_BANNER
    if one := trouble.breaching(frame):
        lasted, whole = one.numbers["lasted"], one.numbers["for_seconds"]
        words = f"! {one.gate} beyond the abort limit for {lasted:.0f} of {whole:.0f} s, {trouble.then(frame)}"
        yield f"{words}: {trouble.once(one)}", Tone.ALARM


def _run(frame: Frame) -> Iterator[Part]:
    """What the run itself is doing or waits for."""
    if frame.busy:
        yield f"◐ {frame.busy}{f': {frame.retrying}' if frame.retrying else ''}", Tone.ADVISORY
    if hold := frame.state.hold:
        yield f"‖ HELD by {hold.by}: {hold.reason}", Tone.CAUTION_BANNER


def _before(frame: Frame) -> Iterator[Part]:
    """What keeps a run from beginning, and which key shows it."""
    if frame.state.stage is not Stage.READY or frame.state.phase >= 0:
        return
    for of in (v for v in frame.gates if not v.passed):
        if of.outcome is Outcome.FAIL:
            yield f"✗ not portable (A shows it): {images(of.reason)}", Tone.ALARM
        else:
            yield f"… {of.gate} {word(of)} (A): {of.reason}", Tone.ADVISORY


def _picture(frame: Frame) -> Iterator[Part]:
    """What the observations give reason to fear."""
    if bad := troubled(frame.snapshot, frame.snapshot.sources):
        name, state = bad[0]
        if state.freshness is Freshness.UNSYNCED:
            yield f"… {name} not read yet{f', nor {len(bad) - 1} more' if len(bad) > 1 else ''}{_coming(bad)}", Tone.ADVISORY
            return
        why = f" ({clip(state.why, 40)})" if state.why else ""
        yield f"! {name} {say(state)}{why}: judging waits, R does not", Tone.CAUTION

    if found := frame.matrix.findings:
        yield f"! {matrix.headline(frame.matrix)} (m): {found[0].title}, {matrix.objects(found[0], 1)}", Tone.CAUTION


def _coming(bad: list[tuple[SourceName, SourceState]]) -> str:
    """The first list that is streaming in, and how far it has come."""
    return next((f": {name} {words}" for name, state in bad if (words := reading(state))), "")


def _quiet(frame: Frame) -> Iterator[Part]:
    """What the next key would be, when nothing else is the matter."""
    following = frame.state.following(frame.playbook)
    if frame.promote.allowed and not frame.identity.read_only and not controls.waits(frame):
        if frame.identity.dry_run and following:
            yield f"▸ dry run: p tries {following.name}; nothing is kept", Tone.ADVISORY
        elif frame.state.stage is Stage.READY and following:
            yield f"▸ ready: p sets the first phase, {following.name}", Tone.ADVISORY
        else:
            then = f"p promotes to {following.name}" if following else "p completes the run"
            yield f"▸ soaked and every gate passes: {then}", Tone.ADVISORY
    if (second := controls.second_person(frame)) and _soaked(frame):
        yield second
    if frame.state.stage is Stage.SOAKING and (words := _soaking(frame))[1] is not Tone.DIM:
        yield words
    if frame.reconciled and not frame.state.stage.ended:
        yield f"▸ {_reconciled(frame)}", Tone.ADVISORY
    if frame.state.stage is Stage.SOAKING:
        yield _soaking(frame)
    if frame.state.stage in (Stage.SETTING, Stage.PROVING):
        missing = next((r.why for r in frame.readings if r.why), "")
        yield f"◐ {frame.state.stage}{f': {missing}' if missing else ''}", Tone.ADVISORY


def _reconciled(frame: Frame) -> str:
    """What became of writes whose outcome nobody knew, the worst first."""
    order = ("contradicted", "not done", "done")
    found = sorted(frame.reconciled, key=lambda one: order.index(one.found) if one.found in order else 0)
    more = f" (+{len(found) - 1}: log)" if len(found) > 1 else ""
    return f"picked up with {plural(len(found), 'write')} without outcome: {found[0].words}{more}"


def _soaked(frame: Frame) -> bool:
    """Only a second person's word is missing, or nothing."""
    phase = frame.state.current(frame.playbook)
    passing = all(v.passed for v in frame.gates)
    return phase is not None and passing and frame.state.stage is Stage.SOAKING and frame.state.soaked >= phase.soak


def _soaking(frame: Frame) -> Part:
    """What the soak waits for; that it waits `yet` only where waiting helps."""
    if failing := trouble.failing(frame):
        return f"✗ blocked by {', '.join(v.gate for v in failing)}: {images(failing[0].reason)}", Tone.ALARM
    open_yet = [v for v in frame.gates if not v.passed]
    if not open_yet:
        return dim("soaking; every gate passes")
    blind = [v for v in open_yet if v.outcome.blind]
    if blind:
        return f"! the soak clock stands: {', '.join(f'{v.gate} {word(v)}' for v in blind)}: {blind[0].reason}", Tone.CAUTION
    return dim(f"soaking; cannot tell yet: {', '.join(v.gate for v in open_yet)}")
