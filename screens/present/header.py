"""The header: what flies where, who flies it, the time, and whether the picture may be believed. And the rail of phases."""

from __future__ import annotations

from datetime import datetime

from cockpit.run.frame import Frame, Identity
from cockpit.run.machine import minutes
from cockpit.run.state import Stage
from screens.present.controls import LEVELS, waits, who
from screens.present.sources import overall
from screens.present.trouble import failing, unreturned
from screens.present.view import LEAST, View
from screens.present.words import BLANK, Line, Part, Tone, ago, clip, dim, fit, join, line, plural, strong, tail, width

STEP = 5
"""Seconds that the clock goes on by over a slow line."""
ROOMY = 110
"""Columns from which on the clock says why it goes slowly."""
_BAR = dim(" │ ")


def where(view: View, cells: int) -> Line:
    """What flies where and who flies it; what identifies the target is shortened last."""
    if view.frame is None:
        return fit(line(" ", strong(view.title)), cells)
    candidates = _identities(view.frame)
    return fit(next((who for who in candidates if width(who) < cells - 1), candidates[-1]), cells)


def clock(view: View) -> Line:
    """The time of the picture and how far it may be believed. Its own widget: it alone changes every second."""
    if view.frame is None:
        return line(("… STARTING", Tone.ADVISORY), " ")
    time = line(dim(_time(view, view.frame.snapshot.time)))
    return line(*join([time, line(_state(view, view.frame))], _BAR), " ")


def _time(view: View, now: datetime) -> str:
    """The time; over a slow line in steps, and with the reason beside it where there is room for more than who and where."""
    if not view.slow:
        return f"{now:%H:%M:%SZ}"
    return f"{now.replace(second=now.second - now.second % STEP):%H:%M:%SZ}{' slow line: 1 Hz' if view.size[0] >= ROOMY else ''}"


def standing(view: View) -> Line:
    """Time, truth and phase in one row, for dialogs: what they cover does not move while they are up."""
    if view.frame is None:
        return clock(view)
    state = view.frame.state
    phase = state.current(view.frame.playbook)
    now = _phase(view.frame, state.phase) if phase else line(str(state.stage))
    hands = who(view.frame, LEVELS - 1) if waits(view.frame) else ()
    rows = [clock(view), *(line(*row, " ") for row in (now, line(_ending(view.frame)), hands) if row)]
    return join(rows, dim("│ "))


def _state(view: View, frame: Frame) -> Part:
    if view.is_frozen:
        return f"✗ FROZEN for {ago(view.frozen)}", Tone.ALARM
    return overall(frame.snapshot)


def _identities(frame: Frame) -> list[Line]:
    """What is flown and where and by whom, from all words to the fewest."""
    target, identity = frame.playbook.target, frame.identity
    name, brief = (line(" ", strong(clip(frame.playbook.name, cells))) for cells in (30, 16))
    mode = line(_mode(identity))
    modes = [mode] if mode else []
    badge = [line(("REHEARSAL", Tone.ADVISORY))] if identity.rehearsal and not (identity.read_only or identity.dry_run) else modes
    place = line(f"{tail(identity.context, 30)} / {clip(target.namespace, 24)}")
    short = line(f"{tail(identity.context, 18)} / {clip(target.namespace, 14)}")
    least = line(f"{tail(identity.context, 10)} / {clip(target.namespace, 10)}")
    pilots = [[who(frame, level)] for level in range(LEVELS)] if who(frame, 0) else [[line(clip(identity.operator, 24))], []]
    found = [[name, at, *pilots[0], *how] for at, how in ((place, modes), (short, modes), (short, badge))]
    found += [[name, short, *pilot, *badge] for pilot in pilots[1:]]
    found += [[brief, at, *pilots[-1], *how] for at in (short, least) for how in (badge, [])]
    found += [[brief, short]]
    return [join(items, _BAR) for items in found]


def _mode(who: Identity) -> Part:
    if who.read_only:
        return f"OBSERVING{' (setting)' if who.by_setting else ''}", Tone.ADVISORY
    if who.dry_run:
        return "DRY RUN", Tone.ADVISORY
    return (f"REHEARSAL {clip(who.rehearsal, 20)}" if who.rehearsal else ""), Tone.ADVISORY


def rail(view: View, cells: int) -> Line:
    """The phases with the one that is set in the middle of attention; folded to done, now, next and the rest when narrow."""
    if view.frame is None:
        return BLANK
    frame = view.frame
    whole = line(" ", *join([_phase(frame, n) for n in range(len(frame.playbook.phases))], dim(" ── ")))
    end = _ending(frame)
    for candidate in (line(*whole, *_gap(end)), _folded(frame, end)):
        if width(candidate) <= cells:
            return candidate
    return fit(_folded(frame, end), cells)


def _gap(end: Part) -> Line:
    return line("   ", end) if end[0] else BLANK


def _folded(frame: Frame, end: Part) -> Line:
    playbook, state = frame.playbook, frame.state
    if state.stage is Stage.ROLLED_BACK:
        return line(" ", dim(f"○ {plural(len(playbook.phases), 'phase')}, none set"), *_gap(end), dim("   the run has ended"))
    number = -1 if state.phase >= len(playbook.phases) else state.phase  # of another playbook, whose phases nobody knows here
    done, rest = max(0, number), len(playbook.phases) - number - 1
    parts = [line(dim(f"✓ {done} done"))] if done else []
    if state.current(playbook):
        parts.append(_phase(frame, state.phase))
    if following := state.following(playbook):
        parts.append(line(dim(f"○ next {following.name}")))
    if rest > 1:
        parts.append(line(dim(f"○ {rest - 1} more")))
    return line(" ", *join(parts, dim(" ─ ")), *_gap(end))


def _phase(frame: Frame, number: int) -> Line:
    playbook, state = frame.playbook, frame.state
    name = playbook.phases[number].name
    if state.stage is Stage.ROLLED_BACK:
        return line(dim(f"○ {name}"))
    if number < state.phase < len(playbook.phases) or (state.stage is Stage.COMPLETED and number == state.phase):
        return line(dim(f"✓ {name}"))
    if number != state.phase:
        return line(dim(f"○ {name}"))
    return line(strong(f"● {name} "), *_progress(frame))


def _progress(frame: Frame) -> Line:
    """What the phase that is set is doing: `HELD 7:41/15:00`, `proving`."""
    state = frame.state
    phase = state.current(frame.playbook)
    if phase is None:
        return BLANK
    clock = f"{minutes(int(min(state.soaked, phase.soak)))}/{minutes(phase.soak)}"
    if state.hold:
        return line(("‖ HELD", Tone.CAUTION), f" {clock}" if state.stage is Stage.SOAKING else "")
    if state.stage is Stage.SOAKING and failing(frame):
        return line(("✗ blocked", Tone.ALARM), f" {clock}")
    if state.stage is Stage.SOAKING:
        return line("soaked " if state.soaked >= phase.soak else "soaking ", strong(clock))
    if state.stage is Stage.ROLLING_BACK:
        return line(("↩ rolling back", Tone.CAUTION))
    if state.stage is Stage.FAILED:
        return line(("✗ failed", Tone.ALARM))
    return line((str(state.stage), Tone.ADVISORY))


def _ending(frame: Frame) -> Part:
    """What stands after the rail when no phase can show it."""
    state = frame.state
    if state.stage is Stage.COMPLETED:
        return "✓ COMPLETED", Tone.STRONG
    if unreturned(frame):
        return "✗ NOT BACK", Tone.ALARM
    if state.stage is Stage.ROLLED_BACK:
        return "↩ ROLLED BACK", Tone.CAUTION
    if state.stage is Stage.ROLLING_BACK and state.phase < 0:
        return "↩ rolling back", Tone.CAUTION
    return "", Tone.PLAIN


def too_small(view: View, cells: int) -> list[Line]:
    """What a terminal says that cannot show enough: its size, that the keys are disarmed, and where the run stands."""
    have, need = view.size, LEAST
    rows = [
        line((f"! {have[0]}x{have[1]} is too small", Tone.CAUTION)),
        line(f"the cockpit needs {need[0]}x{need[1]}"),
        line("p, space and R are disarmed"),
    ]
    if view.frame is None:
        return [fit(row, cells) for row in rows]
    state, playbook = view.frame.state, view.frame.playbook
    phase = state.current(playbook)
    rows.append(line(strong(playbook.name)))
    rows.append(_phase(view.frame, state.phase) if phase else line(dim(plural(len(playbook.phases), "phase") + " ahead")))
    rows.append(line(_ending(view.frame)))
    rows += [line(dim("to roll back from a shell:")), line(dim("cockpit rollback PLAYBOOK"))]
    return [fit(row, cells) for row in rows if row]
