"""The dialog of the controls as rows: who has them, to whom they can go, and what Enter would do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cockpit.model.controls import Cockpit, Controls, Standing
from cockpit.run.frame import Frame
from screens.present.controls import first_name, others, person, under_way
from screens.present.words import Line, Tone, dim, field, line, strong

NOBODY = ""
"""Stands for handing back to nobody in particular."""
LONGEST = 16


@dataclass(frozen=True, slots=True)
class Choice:
    """One row of the dialog: the cockpit that the controls would go to, by its id."""

    to: str
    words: str
    note: str


def choices(of: Controls) -> tuple[Choice, ...]:
    """To whom the holder can give the controls; nothing for anybody else."""
    if not of.mine:
        return ()
    found = [Choice(w.id, person(w), _note(of, w)) for w in others(of)]
    return (*found, Choice(NOBODY, "nobody: hand them back", "anybody takes them with t"))


def _note(of: Controls, watcher: Cockpit) -> str:
    offered = "offered: waits for their t" if of.offered_to == watcher.id else "offers them: they take them with t"
    return f"{offered}   cockpit {watcher.id[:6]}"


def word(of: Controls) -> str:
    """What must be typed to take the controls from somebody who has them and has not offered them; empty when nothing must be."""
    live = of.standing in (Standing.THEIRS, Standing.UNKNOWN) and of.holder is not None
    if not live or of.offered_to_me or (of.me and of.holder and of.me.id == of.holder.id):
        return ""
    # In capitals an R would be the rollback's.
    name = first_name(of.holder).lower()
    return name if name.isascii() and name.isprintable() and " " not in name and 0 < len(name) <= LONGEST else "take"


def head(frame: Frame, cells: int) -> list[Line]:
    """Whose they are, since when, who watches."""
    of = frame.controls
    watching = ", ".join([*(() if of.mine else ("you",)), *(person(w) for w in others(of))]) or "nobody"
    return [
        line(strong(f"The controls of {frame.playbook.name}")),
        line(dim("held by".ljust(11)), *_holder(of)),
        *field("watching", watching, cells),
        *field("means", _means(frame), cells),
    ]


def _holder(of: Controls) -> Line:
    since = f" since {of.since:%H:%M:%SZ}" if of.since else ""
    epoch = dim(f"   epoch {of.epoch}")
    if of.standing is Standing.MINE:
        return line(strong(f"you ({person(of.me)})"), since, epoch)
    if of.standing is Standing.THEIRS:
        return line(strong(person(of.holder)), since, epoch)
    if of.standing is Standing.FREE:
        return line(("nobody", Tone.CAUTION), f", last {person(of.holder)}" if of.holder else "", epoch)
    return line(("not known", Tone.ALARM), f", last {person(of.holder)}" if of.holder else "", epoch)


def _means(frame: Frame) -> str:
    """What follows from it, whoever reads this."""
    of = frame.controls
    if of.mine:
        return "you set phases and hold; the abort triggers act from here. R works for everybody and takes the controls"
    if of.standing is Standing.THEIRS and of.offered_to_me:
        return f"{person(of.holder)} offers them to you; once taken, {first_name(of.holder)} writes nothing more"
    if of.standing is Standing.THEIRS:
        return f"{person(of.holder)} is there and flies; once taken, that cockpit writes nothing more. Ask first if you can"
    if of.standing is Standing.FREE:
        watched = "the run stands as it is and no abort trigger acts; " if under_way(frame) else ""
        return f"{watched}whoever takes them picks the run up where it stands"
    return f"{of.why or 'the Lease has not been read'}; nothing is written from here but a rollback (R)"


def rows(of: Controls, chosen: str) -> list[Line]:
    """The choices with the chosen one marked."""
    found = []
    for choice in choices(of):
        here = choice.to == chosen
        name = strong(f"▸ {choice.words}") if here else f"  {choice.words}"
        found.append(line(name, dim(f"   {choice.note}")))
    return found


def foot(of: Controls, chosen: str, typed: str, warning: str) -> list[Line]:
    """What to type or choose, and what Enter does."""
    hint: Sequence[Line] = [line((f"! {warning}", Tone.CAUTION))] if warning else []
    leave = line("   ", strong("Esc"), " leaves")
    if of.mine:
        act = _gives(of, chosen)
        return [*hint, line(strong("↑ ↓"), " choose   ", strong("Enter"), f" {act}", *leave)]
    if asked := word(of):
        wrong = bool(typed) and not asked.startswith(typed)
        shown = ("▸ " + typed + "▏", Tone.CAUTION if wrong else Tone.STRONG)
        ask = line("type ", strong(asked), f" to take them from {person(of.holder)}   ", shown)
        return [ask, *hint, line(strong("Enter"), " takes them", *leave)]
    return [*hint, line(strong("Enter"), " takes them: you have control", *leave)]


def _gives(of: Controls, chosen: str) -> str:
    if chosen == NOBODY:
        return "hands them back"
    return f"offers them to {next((person(w) for w in others(of) if w.id == chosen), 'nobody: that cockpit has left')}"
