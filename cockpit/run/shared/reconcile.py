"""Settling the writes that somebody has left without an outcome: fence the target, look at the world, say what is there."""

from __future__ import annotations

from collections.abc import Iterable

from cockpit.clock import Clock
from cockpit.errors import CockpitError
from cockpit.levers.base import Fenceable, Found
from cockpit.model.event import EventType
from cockpit.run.crew import Crew
from cockpit.run.executor import ALONE, Guard
from cockpit.run.logbook import Logbook, change
from cockpit.run.shared.intent import Intent
from cockpit.run.shared.reconciled import Reconciled

_KINDS = {
    Found.DONE: EventType.WRITE_DONE,
    Found.NOT_DONE: EventType.WRITE_FAILED,
    Found.CONTRADICTED: EventType.DRIFT,
}
_WORDS = {
    Found.DONE: "was carried out",
    Found.NOT_DONE: "was not carried out",
    Found.CONTRADICTED: "is neither as it was before nor as it was meant to be: somebody else has written there since",
}


async def reconcile(
    intents: Iterable[Intent], crew: Crew, logbook: Logbook, clock: Clock, guard: Guard = ALONE
) -> tuple[Reconciled, ...]:
    """What became of each intent, told as events. Targets are closed first to whatever an older epoch may have on its way.

    The ledger is told of each, so that none is asked about twice. Unreachable and the like when the world does not answer: then
    nothing is concluded, and those that were not reached stay open.
    """
    told = []
    for intent in intents:
        found = await _found(intent, crew, guard)
        words = f"{intent.write.lever}: {intent.write.target}{change(intent.write)} {_WORDS[found]}"
        logbook.say(
            _KINDS[found],
            f"left without an outcome; {words}",
            lever=intent.write.lever,
            target=intent.write.target,
            id=intent.id,
            reconciled=str(found),
        )
        if guard.ledger:
            guard.ledger.settle(intent, done=found is Found.DONE)
        told.append(Reconciled(clock.now(), intent.write.lever, intent.write.target, str(found), words))
    return tuple(told)


async def _found(intent: Intent, crew: Crew, guard: Guard) -> Found:
    lever = crew.levers.get(intent.write.lever)
    if lever is None:
        words = f"{intent.write.target}: this playbook has no lever {intent.write.lever}; use the one that the run was flown with"
        raise crew.missing.get(intent.write.lever) or CockpitError(words)
    try:
        if guard.fence and isinstance(lever, Fenceable) and intent.epoch < guard.epoch:
            await lever.fence_target(intent.write, guard.fence)
        return await lever.found(intent.write)
    except KeyError as error:
        raise CockpitError(f"{intent.write.target}: its intent is damaged ({error})") from None
