"""The board in words: what each column says, the same on a screen and in text."""

from __future__ import annotations

from cockpit.model.program import BoardRow, Position, Standing, Word
from cockpit.rules.program import stem

COLUMNS = ("tier", "playbook", "state", "audit", "controls", "next")
MOST = 2
"""Blockers that are told; the tiers that they name tell what else is in the way."""
NOT_AUDITED = "not audited"


def state(at: Position) -> str:
    """`held at canary-25`, `completed (history)`, `unknown`."""
    phase = f" at {at.phase}" if at.phase and at.standing.going else ""
    known = " (history)" if at.word is Word.HISTORY else ""
    return f"{at.standing}{phase}{known}"


def audit(at: Position) -> str:
    """The colour of the last recorded audit."""
    return at.colour or NOT_AUDITED


def controls(at: Position) -> str:
    """Who has the controls; a dash where nobody has, nothing where nobody knows."""
    return at.who or ("-" if at.word is Word.CLUSTER else "")


def columns(row: BoardRow) -> tuple[str, str, str, str, str, str]:
    """The cells of a row of the board."""
    at = row.position
    if row.playbook:
        return row.tier, stem(row.playbook), state(at), audit(at), controls(at), row.step
    return row.tier, "(no playbook)", "done" if row.complete else "not done", "", at.who, row.step


def below(row: BoardRow) -> list[str]:
    """What is worth a line of its own: why its state is not known, what it waits for, and the waivers it may start by."""
    why = [f"not known: {row.position.why}"] if row.position.why and row.position.standing is Standing.UNKNOWN else []
    if row.position.why and row.position.standing is not Standing.UNKNOWN:
        why = [f"{row.position.standing}: {row.position.why}"]
    if row.complete:
        return why
    waits = [f"waits for {one}" for one in row.blockers[:MOST]]
    if (more := len(row.blockers) - MOST) > 0:
        waits.append(f"and for {more} more of those above")
    return [*why, *waits, *(f"waived: {one.words()}" for one in row.waivers)]
