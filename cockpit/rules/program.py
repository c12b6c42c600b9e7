"""Which tier of a program may start: none before everything that it depends on is complete, unless that is waived. Pure.

Source of the order and of its reason (the blast radius grows): the Graviton migration runbook, "The cutover order".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from cockpit.model.program import UNKNOWN, Board, BoardRow, EarlyStart, Obstacle, Position, Program, Standing, Tier, Word

Positions = Mapping[str, Position]
"""By the playbook's file; one that is not there is not known."""


def complete(tier: Tier, positions: Positions) -> bool:
    """The tier has been moved: as its clusters have it, or on a person's written word where no playbook moves it."""
    if not tier.playbooks:
        return tier.done is not None
    return all(positions.get(one, UNKNOWN).proven for one in tier.playbooks)


def depends_on(program: Program, tier: Tier) -> tuple[Tier, ...]:
    """Every tier that must be complete before this one, the nearest and those that they depend on, in the program's order."""
    wanted, waiting = set[str](), list(tier.after)
    while waiting:
        name = waiting.pop()
        if name not in wanted and (found := program.tier(name)):
            wanted.add(name)
            waiting += found.after
    return tuple(one for one in program.tiers if one.name in wanted)


def obstacles(program: Program, tier: Tier, positions: Positions, today: date) -> tuple[Obstacle, ...]:
    """What this tier depends on and is not complete; each with its waiver, which counts until the end of its last day."""
    return tuple(
        Obstacle(one.name, why_not(one, positions), waiver, waiver is not None and today <= waiver.expires)
        for one in depends_on(program, tier)
        if not complete(one, positions)
        for waiver in [_waiver(program, tier, one)]
    )


def in_the_way(program: Program, tier: Tier, positions: Positions, today: date) -> tuple[Obstacle, ...]:
    """The obstacles that are not waived: with any of them the tier must not start."""
    return tuple(one for one in obstacles(program, tier, positions, today) if not one.waived)


def why_not(tier: Tier, positions: Positions) -> str:
    """Why a tier is not complete, in words."""
    if not tier.playbooks:
        return "nobody has written that it is done"
    return "; ".join(
        _why_not(one, positions.get(one, UNKNOWN)) for one in tier.playbooks if not positions.get(one, UNKNOWN).proven
    )


def board(program: Program, positions: Positions, today: date) -> Board:
    """The whole board, tier by tier."""
    return Board(program, tuple(row for tier in program.tiers for row in _rows(program, tier, positions, today)))


def words(one: Obstacle) -> str:
    """`dev: rehearsal is held (waived until 2026-12-15)`."""
    text = f"{one.tier}: {one.why}"
    if one.waiver is None:
        return text
    return f"{text} ({'waived until' if one.waived else 'its waiver expired on'} {one.waiver.expires})"


def stem(playbook: str) -> str:
    """A playbook's file as `cockpit run` takes it in words."""
    return playbook.replace("\\", "/").rpartition("/")[2].removesuffix(".yaml").removesuffix(".yml")


def _waiver(program: Program, tier: Tier, before: Tier) -> EarlyStart | None:
    """The waiver that holds longest."""
    found = [one for one in program.waivers if (one.tier, one.before) == (tier.name, before.name)]
    return max(found, key=lambda one: one.expires, default=None)


def _why_not(playbook: str, at: Position) -> str:
    if at.standing is Standing.UNKNOWN:
        return f"{stem(playbook)} is not known to be complete" + (f" ({at.why})" if at.why else "")
    if at.standing is Standing.COMPLETED:
        return f"{stem(playbook)} is complete by this machine's history alone" + (f" ({at.why})" if at.why else "")
    return f"{stem(playbook)} is {at.standing}" + (f" at {at.phase}" if at.phase and at.standing.going else "")


def _rows(program: Program, tier: Tier, positions: Positions, today: date) -> Iterator[BoardRow]:
    found = obstacles(program, tier, positions, today)
    stops = tuple(words(one) for one in found if not one.waived)
    waivers = tuple(one.waiver for one in found if one.waived and one.waiver)
    if not tier.playbooks:
        yield BoardRow(tier.name, "", _outside(tier), tier.done is not None, stops, waivers, _step_outside(tier, found))
    for playbook in tier.playbooks:
        at = positions.get(playbook, UNKNOWN)
        yield BoardRow(tier.name, playbook, at, at.proven, stops, waivers, _step(playbook, at, found))


def _outside(tier: Tier) -> Position:
    """Of a tier that no playbook moves."""
    if tier.done:
        return Position(Standing.COMPLETED, Word.NOBODY, who=tier.done.by)
    return Position(Standing.NOT_BEGUN, Word.NOBODY)


def _waits(found: tuple[Obstacle, ...]) -> str:
    names = ", ".join(one.tier for one in found if not one.waived)
    return f"wait for {names}" if names else ""


def _step_outside(tier: Tier, found: tuple[Obstacle, ...]) -> str:
    if tier.done:
        return ""
    return _waits(found) or "move it by its own means, then write done: {by, on} in the program"


def _step(playbook: str, at: Position, found: tuple[Obstacle, ...]) -> str:
    name, waits = stem(playbook), _waits(found)
    match at.standing:
        case Standing.COMPLETED:
            return "" if at.proven else f"cockpit status {name}: ask its cluster"
        case Standing.UNDER_WAY if at.begun or not waits:
            return f"cockpit run {name}: see it through"
        case Standing.HELD if at.begun or not waits:
            return f"cockpit run {name}: resume, or roll back"
        case Standing.FAILED:
            return f"cockpit rollback {name}"
    if waits:
        return waits
    if at.standing is Standing.UNKNOWN:
        return f"cockpit status {name}: ask its cluster"
    if at.colour == "red":
        return f"cockpit audit {name}: mend what is red"
    return f"cockpit audit {name}" if not at.colour else f"cockpit run {name}"
