"""Making a plan's writes: the intent on the disk, the write with its precondition, the outcome; all of a phase or nothing."""

from __future__ import annotations

from cockpit.errors import CockpitError, Drift, Refused
from cockpit.model.event import EventType
from cockpit.model.plan import Plan, Write
from cockpit.model.playbook import Phase
from cockpit.run.crew import AnyLever, Crew, join
from cockpit.run.logbook import Logbook


class HalfWritten(CockpitError):
    """A phase failed between its writes and could not be undone: only a rollback leads out."""


async def set_phase(phase: Phase, crew: Crew, logbook: Logbook, approved: str | None) -> Plan:
    """Read afresh, plan, and make the writes if the plan is the one that was approved (None: by the playbook).

    Drift when the plan has changed since it was approved; whatever a lever raises when a write fails, once those that were made
    have been undone; HalfWritten when they could not be.
    """
    steps = [(lever, lever.plan(await lever.read(), desired)) for lever, desired in crew.steps(phase)]
    whole = join(f"set {phase.name}", [plan for _, plan in steps])
    if approved is not None and whole.hash != approved:
        raise Drift("the world has changed since this plan was shown; nothing was written: look at the plan again")
    made: list[tuple[AnyLever, Write]] = []
    for lever, plan in steps:
        for write in plan.writes:
            try:
                await perform(lever, write, logbook)
            except CockpitError as error:
                # One without an answer may have landed; undoing one that did not is harmless. A drifted one is somebody else's,
                # a refused one was never sent.
                unsure = [] if isinstance(error, Drift | Refused) else [(lever, write)]
                await _undo([*made, *unsure], error, logbook)
                raise
            made.append((lever, write))
    return whole


async def _undo(made: list[tuple[AnyLever, Write]], cause: CockpitError, logbook: Logbook) -> None:
    brave, logbook.brave = logbook.brave, True  # a way back waits for no disk
    try:
        await _take_back(made, cause, logbook)
    finally:
        logbook.brave = brave


async def _take_back(made: list[tuple[AnyLever, Write]], cause: CockpitError, logbook: Logbook) -> None:
    for lever, write in reversed(made):
        for back in lever.undo(Plan("undo", (write,))).writes:
            try:
                await perform(lever, back, logbook)
            except CockpitError as error:
                raise HalfWritten(f"{cause}; undoing {write.target} failed as well: {error}; roll back") from error


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
