"""Whether a playbook's run may start by its program: nothing before what it depends on is complete, unless that is waived."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from cockpit.errors import Refused, UsageError
from cockpit.model.program import EarlyStart, Program, Tier
from cockpit.program.asking import Memory, positions
from cockpit.program.loader import listing, load, same
from cockpit.rules.program import depends_on, in_the_way, obstacles, stem, words


def program_for(playbook: Path, named: Path | None) -> tuple[Program, Tier] | None:
    """The program that lists a playbook, and its tier there: the `named` one, else the one that is found; None without any.

    UsageError when the named one does not list it; PlaybookInvalid when a program is there and has errors.
    """
    program = load(named) if named else listing(playbook)
    if program is None:
        return None
    tier = next((one for one in program.tiers if any(same(listed, playbook) for listed in one.playbooks)), None)
    if tier is None and named:
        raise UsageError(f"{named} does not list {playbook}; list it in a tier, or name another program")
    return (program, tier) if tier else None


async def may_start(
    program: Program, tier: Tier, playbook: Path, today: date, memory: Memory, context: str | None = None
) -> tuple[EarlyStart, ...]:
    """The waivers on which a run of this playbook starts now. Refused, with everything in the way, when it must not.

    A run that has begun, as its cluster has it, is nobody's to stop: it may always be gone on with. `context` wins over the
    playbook's own.
    """
    own = next(one for one in tier.playbooks if same(one, playbook))
    files = [own, *(one for before in depends_on(program, tier) for one in before.playbooks)]
    found = await positions(files, memory, context_of={own: context} if context else None)
    if found[own].begun:
        return ()
    if stops := in_the_way(program, tier, found, today):
        ways = "complete them first, or waive each in writing (waivers: {tier, before, reason, owner, expires})"
        listed = "".join(f"\n  {words(one)}" for one in stops)
        raise Refused(f"{stem(own)} must not start yet: in {program.source} its tier {tier.name} comes after{listed}\n  {ways}")
    return tuple(one.waiver for one in obstacles(program, tier, found, today) if one.waived and one.waiver)
