"""Settling the writes that somebody has left without an outcome: fence the target, look at the world, say what is there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cockpit.clock import Clock
from cockpit.errors import CockpitError, NotFound
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


@dataclass(frozen=True, slots=True)
class Answer:
    """What the world says of one intent; `words` say it in a sentence."""

    intent: Intent
    found: Found
    words: str


async def reconcile(
    intents: Iterable[Intent], crew: Crew, logbook: Logbook, clock: Clock, guard: Guard = ALONE
) -> tuple[Reconciled, ...]:
    """What became of each intent: `look` and `settle` in one."""
    return settle(await look(intents, crew, guard), logbook, clock, guard)


async def look(intents: Iterable[Intent], crew: Crew, guard: Guard = ALONE) -> tuple[Answer, ...]:
    """What became of each intent. Targets are closed first to whatever an older epoch may have on its way.

    Unreachable and the like when the world does not answer: then nothing is concluded of any of them, and all stay open.
    """
    return tuple([await _look(intent, crew, guard) for intent in intents])


def settle(answers: Sequence[Answer], logbook: Logbook, clock: Clock, guard: Guard = ALONE) -> tuple[Reconciled, ...]:
    """Tell the answers as events and the ledger of each. Nothing is awaited: they are settled together or not at all."""
    return tuple(_settle(answer, logbook, clock, guard) for answer in answers)


async def _look(intent: Intent, crew: Crew, guard: Guard) -> Answer:
    try:
        found = await _found(intent, crew, guard)
        outcome = _WORDS[found]
    except NotFound:
        found, outcome = Found.CONTRADICTED, "has lost its target, which somebody has deleted since"
    return Answer(intent, found, f"{intent.write.lever}: {intent.write.target}{change(intent.write)} {outcome}")


def _settle(answer: Answer, logbook: Logbook, clock: Clock, guard: Guard) -> Reconciled:
    intent, found = answer.intent, answer.found
    lever, target = intent.write.lever, intent.write.target
    words = f"left without an outcome; {answer.words}"
    logbook.say(_KINDS[found], words, lever=lever, target=target, id=intent.id, reconciled=str(found))
    if guard.ledger:
        guard.ledger.settle(intent, done=found is Found.DONE)
    return Reconciled(clock.now(), lever, target, str(found), answer.words)


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
