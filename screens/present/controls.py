"""Who has the controls, in words: for the header, the keys, the notice line and the panel of gates."""

from __future__ import annotations

from collections.abc import Iterator

from cockpit.model.controls import Cockpit, Controls, Standing
from cockpit.model.playbook import Promote
from cockpit.run.frame import Frame
from cockpit.run.state import Stage
from screens.present.words import BLANK, Line, Part, Tone, clip, line

LEVELS = 4
"""How many shorter forms `who` has."""


def person(of: Cockpit | None) -> str:
    """`ana@bastion`, or what stands for a cockpit that is not known."""
    return clip(of.operator, 32) if of and of.operator else "somebody else"


def first_name(of: Cockpit | None) -> str:
    """`ana`, where there is no room for more."""
    return person(of).partition("@")[0]


def others(of: Controls) -> tuple[Cockpit, ...]:
    """The watchers beside this cockpit."""
    mine = of.me.id if of.me else ""
    holder = of.holder.id if of.holder and of.standing in (Standing.MINE, Standing.THEIRS) else ""
    return tuple(sorted((w for w in of.watchers if w.id not in (mine, holder)), key=lambda w: (w.operator, w.id)))


def who(frame: Frame, level: int) -> Line:
    """Who has the controls, in all words (level 0) down to the fewest; empty where none are taken nor seen to be taken."""
    found = frame.controls
    if found.standing is Standing.NONE and found.holder:
        return line(_theirs(found, "you observe", level))
    if found.standing is Standing.UNKNOWN:
        return line(("✗ controls lost", Tone.ALARM) if found.why else ("… controls not read", Tone.ADVISORY))
    return line(_words(found, level)) if found.standing is not Standing.NONE else BLANK


def _words(of: Controls, level: int) -> Part:
    rest = len(others(of))
    if of.standing is Standing.MINE:
        watching = f" · {rest} watching" if rest else ""
        has = f"{person(of.me)} has the controls (you)"
        return (has + watching, has, "controls: you", "you fly")[level], Tone.PLAIN
    if of.standing is Standing.THEIRS:
        return _theirs(of, f"you watch{f' with {rest} more' if rest else ''}", level)
    has = "nobody has the controls"
    return (f"{has} · {rest + 1} watching", has, "controls: nobody", "nobody flies")[level], Tone.CAUTION


def _theirs(of: Controls, you: str, level: int) -> Part:
    has = f"{person(of.holder)} has the controls"
    return (f"{has} · {you}", has, f"controls: {person(of.holder)}", f"{first_name(of.holder)} flies")[level], Tone.PLAIN


def waits(frame: Frame) -> str:
    """Why a key that needs the controls cannot act here; empty when it can."""
    found = frame.controls
    if found.standing is Standing.THEIRS:
        if found.offered_to_me:
            return f"{person(found.holder)} offers you the controls: t takes them"
        return f"{person(found.holder)} has the controls, t takes them"
    if found.standing is Standing.FREE:
        return "nobody has the controls, t takes them"
    if found.standing is Standing.UNKNOWN:
        return "the controls are lost" if found.why else "the controls are not read yet"
    return ""


def briefly(frame: Frame) -> str:
    """The same where there is little room."""
    return "nobody flies" if frame.controls.standing is Standing.FREE else "you watch"


def read_only(frame: Frame) -> str:
    """On whose word this cockpit changes nothing."""
    return "read-only by the settings" if frame.identity.by_setting else "observing only"


def no_hands(frame: Frame) -> str:
    """Why this cockpit can have no controls at all; empty when it can."""
    if frame.identity.read_only:
        return read_only(frame)
    if frame.identity.dry_run:
        return "a dry run takes no controls"
    return "nothing shares this run" if frame.controls.standing is Standing.NONE else ""


def under_way(frame: Frame) -> bool:
    """A phase stands and nobody has ended the run: somebody should be watching over it."""
    return frame.state.phase >= 0 and not frame.state.stage.ended


def lost(frame: Frame) -> Iterator[Part]:
    """Banners: this cockpit has lost the controls, or nobody has them while a run is under way."""
    found = frame.controls
    if found.standing is Standing.UNKNOWN and found.why:
        yield f"✗ CONTROLS LOST: {found.why}: nothing is written from here but a rollback (R)", Tone.ALARM_BANNER
    elif found.offered_to_me and found.standing is Standing.THEIRS:
        yield f"▸ {person(found.holder)} offers you the controls: t takes them", Tone.CAUTION_BANNER
    elif found.standing is Standing.FREE and under_way(frame):
        why = f": {found.why}" if found.why else ""
        yield f"! NOBODY HAS THE CONTROLS (t takes them), no abort trigger acts{why}", Tone.CAUTION_BANNER


def refused(frame: Frame) -> Iterator[Part]:
    """What a person asked for and did not get, or who took the controls from here."""
    if frame.controls.why and frame.controls.standing in (Standing.MINE, Standing.THEIRS, Standing.FREE):
        yield f"! {frame.controls.why}", Tone.CAUTION


def two_person(frame: Frame) -> bool:
    """The phase that stands is left only with a second person's word."""
    phase = frame.state.current(frame.playbook)
    return phase is not None and phase.promote is Promote.TWO_PERSON and not frame.state.stage.ended


def approving(frame: Frame) -> bool:
    """Here p does not promote: it gives the second person's word to whoever has the controls."""
    ready = frame.state.stage is Stage.SOAKING and frame.next_plan is not None
    return frame.controls.standing is Standing.THEIRS and two_person(frame) and ready and not approved(frame)


def approved(frame: Frame) -> bool:
    """A second person's word is there for exactly the plan that would be made now."""
    word, plan = frame.controls.approval, frame.next_plan
    return word is not None and plan is not None and word.run == frame.state.run and word.plan_hash == plan.hash


def second_person(frame: Frame) -> Part | None:
    """`✓ second person: bob@laptop approves plan 3f2a…`, or who is waited for; None where one person is enough."""
    if not two_person(frame):
        return None
    word, plan = frame.controls.approval, frame.next_plan
    if word and approved(frame):
        return f"✓ second person: {clip(word.operator, 32)} approved plan {word.plan_hash} at {word.at:%H:%M:%S}", Tone.PLAIN
    if word and plan and word.run == frame.state.run:
        return f"! second person: {clip(word.operator, 32)} approved plan {word.plan_hash}, it is {plan.hash} now", Tone.CAUTION
    if approving(frame):
        return f"? second person: p approves plan {plan.hash if plan else ''} for {person(frame.controls.holder)}", Tone.ADVISORY
    if frame.identity.second_seat and not others(frame.controls):
        seat = frame.identity.second_seat
        return f"? second person: in another terminal `{seat}` opens their cockpit (rehearsal-second): p there", Tone.ADVISORY
    return f"? second person: p in their own cockpit approves plan {plan.hash if plan else 'once there is one'}", Tone.ADVISORY


def told(old: Frame | None, new: Frame) -> str:
    """What both sides are told once the controls have changed hands; empty when they have not."""
    if old is None or old.controls.standing is new.controls.standing:
        return ""
    before, after = old.controls, new.controls
    if after.mine:
        return "you have control" if before.standing is not Standing.UNKNOWN else "the controls are yours again"
    if before.mine and after.standing is Standing.THEIRS:
        return f"{person(after.holder)} has control; you watch (R still rolls back)"
    if before.mine and after.standing is Standing.FREE:
        return "the controls are handed back: nobody has them (t takes them)"
    return ""
