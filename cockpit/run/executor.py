"""Making a plan's writes: the intent on the disk, the write with its precondition, the outcome."""

from __future__ import annotations

from cockpit.errors import CockpitError, Drift
from cockpit.model.event import EventType
from cockpit.model.plan import Plan, Write
from cockpit.model.playbook import Phase
from cockpit.run.crew import AnyLever, Crew, join
from cockpit.run.logbook import Logbook


async def set_phase(phase: Phase, crew: Crew, logbook: Logbook, approved: str | None) -> Plan:
    """Read afresh, plan, and make the writes if the plan is the one that was approved (None: by the playbook).

    Drift when the plan has changed since it was approved; whatever a lever raises when a write fails. Writes that are done stay
    done: the phase can be set again from there, or rolled back.
    """
    steps = [(lever, lever.plan(await lever.read(), desired)) for lever, desired in crew.steps(phase)]
    whole = join(f"set {phase.name}", [plan for _, plan in steps])
    if approved is not None and whole.hash != approved:
        raise Drift("the world has changed since this plan was shown; nothing was written: look at the plan again")
    for lever, plan in steps:
        for write in plan.writes:
            await perform(lever, write, logbook)
    return whole


async def perform(lever: AnyLever, write: Write, logbook: Logbook) -> None:
    """Make one write, with its intent and outcome recorded."""
    logbook.intend(write)
    try:
        await lever.apply(write)
    except CockpitError as error:
        kind = EventType.DRIFT if isinstance(error, Drift) else EventType.WRITE_FAILED
        logbook.say(kind, f"{write.lever}: {write.target}: {error}", lever=write.lever, target=write.target)
        raise
    logbook.done(write)
