"""The way back: every lever to its recorded original, done only when read back.

The levers go in the playbook's order, each as soon as the one before it is accepted; at the same moment where none needs
another's way back first (`together`).

Needs no metrics, no journal, no second person and no source: each lever reads its own target.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from cockpit.clock import Clock
from cockpit.errors import CockpitError
from cockpit.levers.base import Bystander, Proven, Recoverable
from cockpit.model.event import EventType
from cockpit.model.json import Json
from cockpit.model.plan import Plan, Proof, Write
from cockpit.model.playbook import Playbook
from cockpit.redact import told
from cockpit.run.crew import AnyLever, Crew
from cockpit.run.executor import Ledger, perform_home
from cockpit.run.logbook import Logbook
from cockpit.sources.pace import patience

HEAD_START = 20.0
"""Seconds for which a lever that fails holds up the next one in the order; after that both are tried side by side. Where they go
together none holds up another.
"""
HEAD_START_WALL = 1.5
"""Its least on the wall: in a fast rehearsal the requests themselves take the time that they take."""
LOOK_EVERY = 2.0
GIVE_UP = 900.0
GIVE_UP_WALL = 30.0
"""The least on the wall: a network that comes and goes is as slow in a fast rehearsal."""
Originals = Callable[[], Awaitable[Mapping[str, Mapping[str, tuple[Json, Json]]]]]
"""Asked once a lever is home as far as its targets tell: what the run's record says stood there before and what the run has left
there last, by lever and target; empty when it cannot be read.
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a rollback: `written` writes were made; `failures` by lever name, empty when everything is back and proven.

    `left` are the fields that others have changed since the run began and that stay as they are, in words.
    """

    written: int
    failures: dict[str, str]
    left: tuple[str, ...] = ()

    @property
    def safe(self) -> bool:
        """Every lever is back at its original, observed."""
        return not self.failures


@dataclass(frozen=True, slots=True)
class Shared:
    """What other cockpits know of the run, none of which a rollback waits for before it writes."""

    ledger: Ledger | None = None
    originals: Originals | None = None


ALONE = Shared()


async def roll_back(crew: Crew, logbook: Logbook, clock: Clock, give_up: float | None = None, shared: Shared = ALONE) -> Outcome:
    """Send every lever home and wait until each is proven; keeps trying for `give_up` seconds of the clock (None: `GIVE_UP`)."""
    deadline = clock.monotonic() + (patience(clock, GIVE_UP, GIVE_UP_WALL) if give_up is None else give_up)
    logbook.brave = True
    homeward = crew.homeward()
    left: dict[str, None] = {}
    tasks: list[asyncio.Task[tuple[int, str]]] = []
    try:
        for lever in homeward:
            sent = asyncio.Event()
            task = asyncio.create_task(_home(crew, lever, logbook, clock, deadline, sent, shared, left))
            tasks.append(task)
            if not together(crew.playbook):
                await _either(sent, task, clock)
        results = [await task for task in tasks]
    finally:
        for task in tasks:
            task.cancel()
        # A write that has left has landed when this returns: nothing of a rollback goes on behind it.
        await asyncio.gather(*tasks, return_exceptions=True)
    failures = {name: str(error) for name, error in crew.missing.items()}
    failures |= {lever.name: why for lever, (_, why) in zip(homeward, results, strict=True) if why}
    return Outcome(sum(count for count, _ in results), failures, tuple(left))


def together(playbook: Playbook) -> bool:
    """Whether the levers may go home at the same moment: traffic first in the order, and from pods that no lever moves.

    Then traffic goes back to the baseline, which is kept alive, whatever becomes of its affinity, and what it leaves stays where
    it is. Otherwise the affinity may take pods away from under traffic that has not been called back, or is wanted back first.
    """
    moved = {phase.affinity.workload for phase in playbook.phases if phase.affinity}
    canary, order = playbook.target.canary, playbook.rollback_order
    return canary is not None and canary not in moved and order[:1] == ("weights",)


async def _either(sent: asyncio.Event, task: asyncio.Task[tuple[int, str]], clock: Clock) -> None:
    """Wait for the lever's writes to be accepted, but not beyond its head start."""
    head_start = clock.sleep(patience(clock, HEAD_START, HEAD_START_WALL))
    waits = [asyncio.create_task(sent.wait()), asyncio.ensure_future(head_start)]
    try:
        await asyncio.wait([*waits, task], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


async def _all(lever: AnyLever, writes: Sequence[Write], logbook: Logbook, ledger: Ledger | None) -> int:
    """Make a lever's writes side by side, each whatever comes of the others; raises the first failure once all have ended."""
    results = await asyncio.gather(*(perform_home(lever, write, logbook, ledger) for write in writes), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return len(writes)


async def _home(
    crew: Crew,
    lever: AnyLever,
    logbook: Logbook,
    clock: Clock,
    deadline: float,
    sent: asyncio.Event,
    shared: Shared,
    left: dict[str, None],
) -> tuple[int, str]:
    """Bring one lever home: (writes made, why it is not proven; empty when it is). What others have changed goes into `left`."""
    written, failure, said = 0, "", ""
    while clock.monotonic() < deadline:
        try:
            state = await lever.read_for_restore()
            try:
                written += await _all(lever, lever.restore(state).writes, logbook, shared.ledger)
                sent.set()
            finally:
                left |= dict.fromkeys(_others(lever, state))  # what went home has nothing to tell any more
            if logbook.dry_run:
                return written, ""
            state = await (lever.read_for_proof() if isinstance(lever, Proven) else lever.read_for_restore())
            reading = lever.reading(state, None)
            await crew.sure.get(lever.name, _sure)()  # another cluster's workload of this name may look quite at home
            lost = await _unrecorded(lever, state, shared) if reading.proof is Proof.PROVEN else ()
            if reading.proof is Proof.PROVEN and not lost:
                return written, "" if written else crew.unrecorded(lever, state)
            written += await _all(lever, lost, logbook, shared.ledger)
            failure = f"{reading.proof}: {reading.why}"
        except Exception as error:
            # Whatever breaks in one lever is that lever's failure alone: the others go home all the same.
            failure = str(error) if isinstance(error, CockpitError) else f"internal error: {type(error).__name__}: {error}"
            if failure != said:
                logbook.say(EventType.WRITE_FAILED, f"{lever.name}: {failure}; trying again", lever=lever.name)
                said = failure
        await clock.sleep(LOOK_EVERY)
    return written, failure or "not proven in time"


def left_in_words(outcome: Outcome) -> str:
    """`; left as others have made it: spec.replicas of ...`, empty when there is nothing of the kind."""
    return f"; left as others have made it: {', '.join(outcome.left)}" if outcome.left else ""


def _others(lever: AnyLever, state: object) -> tuple[str, ...]:
    """What others have changed, for the words at the end alone: nothing of it may stop or delay the way back."""
    try:
        return lever.others(state) if isinstance(lever, Bystander) else ()
    except Exception as error:
        return (f"what cannot be told of {lever.name}'s targets ({told(f'{type(error).__name__}: {error}', 200)})",)


async def _sure() -> None:
    """Of a lever that asks nobody where it is."""


async def _unrecorded(lever: AnyLever, state: object, shared: Shared) -> Sequence[Write]:
    """The writes back where the target's own record of the original is gone, and the run's record in the cluster knows it."""
    if shared.originals is None or not isinstance(lever, Recoverable):
        return ()
    kept = (await shared.originals()).get(lever.name, {})
    plan: Plan = lever.recover(state, kept)
    return plan.writes
