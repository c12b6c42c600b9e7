"""Making a plan's writes: the intent on the disk and in the cluster, the write with its precondition, the outcome; all of a
phase or nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from cockpit.errors import CockpitError, Drift, NotInControl, Refused, Unreachable
from cockpit.levers.base import Fence
from cockpit.model.event import EventType
from cockpit.model.plan import Plan, Write
from cockpit.model.playbook import Phase
from cockpit.run.crew import AnyLever, Crew, join
from cockpit.run.logbook import Logbook
from cockpit.run.shared.intent import Intent


class HalfWritten(CockpitError):
    """A phase failed between its writes and could not be undone: only a rollback leads out."""


class Ledger(Protocol):
    """Where intents are shared with every other cockpit."""

    async def intend(self, intent: Intent) -> None:
        """Record it, and have it recorded when this returns. Refused or NotInControl when that cannot be."""
        ...

    def note(self, intent: Intent) -> None:
        """Record it as soon as may be; whoever goes back does not wait for that."""
        ...

    def settle(self, intent: Intent, *, done: bool) -> None:
        """Its outcome is known."""
        ...


@dataclass(frozen=True, slots=True)
class Guard:
    """What stands around the writes of a phase: the fence of the controls, and the ledger. Without them nothing is shared."""

    fence: Fence | None = None
    ledger: Ledger | None = None

    @property
    def epoch(self) -> int:
        """The epoch to write under, 0 without a fence. NotInControl."""
        return self.fence() if self.fence else 0


ALONE = Guard()
_NEVER_SENT = (Drift, Refused, NotInControl)


async def set_phase(phase: Phase, crew: Crew, logbook: Logbook, approved: str | None, guard: Guard = ALONE) -> Plan:
    """Read afresh, plan, and make the writes if the plan is the one that was approved (None: by the playbook).

    Drift when the plan has changed since it was approved; whatever a lever raises when a write fails, once those that were made
    have been undone; HalfWritten when they could not be.
    """
    steps = [(lever, lever.plan(await lever.read(), desired)) for lever, desired in crew.steps(phase)]
    whole = join(f"set {phase.name}", [plan for _, plan in steps])
    if approved is not None and whole.hash != approved:
        raise Drift("the world has changed since this plan was shown; nothing was written: look at the plan again")
    made: list[tuple[AnyLever, Intent]] = []
    for lever, plan in steps:
        for write in plan.writes:
            intent: Intent | None = None
            try:
                intent = logbook.intend(write, epoch=guard.epoch)
                await logbook.synced()
                await _perform(lever, intent, logbook, guard)
            except CockpitError as error:
                # One without an answer may have landed; undoing one that did not is harmless. A drifted one is somebody else's,
                # a refused one was never sent.
                unsure = [] if intent is None or isinstance(error, _NEVER_SENT) else [(lever, intent)]
                await _undo([*made, *unsure], error, logbook, guard)
                raise
            made.append((lever, intent))
    return whole


async def _undo(made: list[tuple[AnyLever, Intent]], cause: CockpitError, logbook: Logbook, guard: Guard) -> None:
    for lever, intent in reversed(made):
        target = intent.write.target
        for back in lever.undo(Plan("undo", (intent.write,))).writes:
            try:
                # Recorded first, as every write of a phase is: whoever takes the controls meanwhile must know what to fence.
                await _perform(lever, logbook.intend(back, epoch=guard.epoch, undoes=intent.id), logbook, guard)
            except CockpitError as error:
                raise HalfWritten(f"{cause}; undoing {target} failed as well: {error}; roll back") from error


async def perform_home(lever: AnyLever, write: Write, logbook: Logbook, ledger: Ledger | None = None) -> None:
    """Make one write of a rollback: its intent and outcome are recorded as far as that costs no time, and nobody is asked."""
    intent = logbook.intend(write, home=True)
    if ledger:
        ledger.note(intent)
    await _carry_out(lever, intent, logbook, Guard(None, ledger))


async def _perform(lever: AnyLever, intent: Intent, logbook: Logbook, guard: Guard) -> None:
    if guard.ledger:
        try:
            await guard.ledger.intend(intent)
        except CockpitError as error:
            _failed(intent, error, logbook)
            raise
    await _carry_out(lever, intent, logbook, guard)


async def _carry_out(lever: AnyLever, intent: Intent, logbook: Logbook, guard: Guard) -> None:
    try:
        await lever.apply(intent.write, guard.fence)
    except CockpitError as error:
        unknown = _failed(intent, error, logbook)
        if guard.ledger and not unknown:
            guard.ledger.settle(intent, done=False)
        raise
    logbook.done(intent.write, intent)
    if guard.ledger:
        guard.ledger.settle(intent, done=True)


def _failed(intent: Intent, error: CockpitError, logbook: Logbook) -> bool:
    """Say so; whether the write may have been carried out all the same."""
    write = intent.write
    kind = EventType.DRIFT if isinstance(error, Drift) else EventType.WRITE_FAILED
    unknown = isinstance(error, Unreachable)
    words = f"{write.lever}: {write.target}: {error}"
    logbook.say(kind, words, lever=write.lever, target=write.target, id=intent.id, unknown=unknown)
    return unknown
