"""Every event of a run: to the journal first, then to whoever listens (a screen, a headless line)."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, wait

from cockpit.clock import Clock
from cockpit.errors import Refused
from cockpit.journal import Journal
from cockpit.model.event import Event, EventType
from cockpit.model.json import Json
from cockpit.model.plan import Write
from cockpit.redact import redact_json, shown
from cockpit.run.shared.intent import Intent

KEPT = 2000
"""Events that are kept in memory; the journal has them all."""
DURABLE = frozenset({EventType.WRITE_INTENDED, EventType.RUN_STARTED, EventType.ROLLBACK_STARTED, EventType.RUN_FINISHED})


ITS_OWN = frozenset(
    {
        EventType.VERDICT,
        EventType.SOAK,
        EventType.GATE,
        EventType.SOURCE_FAULT,
        EventType.PREFLIGHT,
        EventType.DRIFT,
        EventType.CONTROLS,
    }
)
"""What the cockpit finds by itself; everything else is done on the operator's word, unless whoever says it names another."""


_VERBATIM = frozenset({"before", "after", "detail"})
"""What a write is undone by: kept as it was read, and never a secret."""


class Logbook:
    """Writes the events of one run. `phase` is stamped on each; the flight keeps it up to date.

    With `dry_run` every write is said to be one that nothing keeps.

    Nothing here raises but `intend` and `synced`, and those not once `brave` is set: a rollback waits for no disk. A journal that
    cannot be written is said once and tried again with every event; a listener that fails is not told any more.
    """

    def __init__(self, clock: Clock, run: str, operator: str, journal: Journal | None) -> None:
        self.run = run
        self.operator = operator
        self.phase = ""
        self.brave = False
        self.dry_run = False
        self.lost = ""
        """Why the journal cannot be written now; empty while it can."""
        self.events: deque[Event] = deque(maxlen=KEPT)
        """The newest events."""
        self._clock = clock
        self._journal = journal
        self._syncing: Future[None] | None = None
        self._listeners: list[Callable[[Event], None]] = []

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Call `listener` with every event from now on."""
        self._listeners.append(listener)

    def say(self, kind: EventType, message: str, **fields: Json) -> Event:
        """Record an event and tell the listeners."""
        who = "cockpit" if kind in ITS_OWN else self.operator
        safe = {name: value if name in _VERBATIM else redact_json(value) for name, value in fields.items()}
        event = Event(self._clock.now(), self.run, kind, self.phase, shown(message), {"who": who, **safe})
        fault = self._record(event)
        self._tell(event)
        if fault and not self.lost:
            words = f"the journal cannot be written ({fault}): no phase can be set, a rollback still can"
            self._tell(Event(self._clock.now(), self.run, EventType.SOURCE_FAULT, self.phase, words, {"who": "cockpit"}))
        self.lost = fault
        return event

    def hear(self, event: Event) -> None:
        """Tell the listeners of an event that another cockpit has recorded."""
        self._tell(event)

    def move(self, run: str, journal: Journal | None) -> None:
        """Go on with another run, in its own journal; None: the journal that there is takes its records."""
        self.run = run
        if journal is not None:
            self.close()
            self._journal = journal
            if journal.torn:
                self.say(EventType.SOURCE_FAULT, "a crash had cut off the last record of this journal", source="journal")

    def intend(self, write: Write, *, epoch: int = 0, undoes: str = "", home: bool = False) -> Intent:
        """Record that `write` is about to be made, with what undoes it. Refused when that cannot be, unless `brave`.

        One that `undoes` another is a way back, and recorded as far as may be. `synced` tells when it is on the disk.
        """
        intent = Intent(secrets.token_hex(6), write, epoch, undoes, home)
        request: Json = {"request": dict(write.request), "expects": dict(write.expects)}
        self.say(
            EventType.WRITE_INTENDED,
            f"{write.lever}: {write.target}{change(write)}",
            lever=write.lever,
            target=write.target,
            before=write.before,
            after=write.after,
            id=intent.id,
            epoch=epoch,
            undoes=undoes,
            home=home,
            detail=request,
        )
        if self.lost and not (self.brave or undoes):
            raise _unrecorded(self.lost)
        return intent

    async def synced(self) -> None:
        """Wait until what must not be lost is on the disk. Refused when it cannot be brought there, unless `brave`."""
        if self._syncing is None or self.brave:
            return
        try:
            await asyncio.wrap_future(self._syncing)
        except OSError as error:
            raise _unrecorded(error.strerror or str(error)) from error

    def done(self, write: Write, intent: Intent | None = None, **fields: Json) -> None:
        """Record that `write`, which was intended as `intent`, was accepted."""
        kept = " (dry run: accepted, nothing kept)" if self.dry_run else ""
        self.say(
            EventType.WRITE_DONE,
            f"{write.lever}: {write.target}{change(write)}{kept}",
            lever=write.lever,
            target=write.target,
            after=write.after,
            dry_run=self.dry_run,
            **({"id": intent.id} if intent else {}),
            **fields,
        )

    def close(self) -> None:
        """Close the journal."""
        if self._journal:
            self._journal.close()
            self._journal = None
        self._syncing = None

    def _record(self, event: Event) -> str:
        """Write to the journal: why that failed, empty when it did not."""
        if self._journal is None:
            return ""
        try:
            self._journal.write(event.as_json())
            if event.type in DURABLE:
                self._sync(self._journal)
            self._raise_fault()
        except OSError as error:
            return error.strerror or str(error)
        return ""

    def _sync(self, journal: Journal) -> None:
        """Bring it to the disk, beside everything else that goes on where anything does. OSError when it failed the last time."""
        self._raise_fault()
        self._syncing = journal.synced()
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            wait([self._syncing])

    def _raise_fault(self) -> None:
        """The OSError of what was to reach the disk last, once."""
        if self._syncing and self._syncing.done():
            done, self._syncing = self._syncing, None
            if not done.cancelled():
                done.result()

    def _tell(self, event: Event) -> None:
        self.events.append(event)
        if event.type is EventType.KEY:
            return
        for listener in tuple(self._listeners):
            try:
                listener(event)
            except Exception:
                # Whoever listens (a pipe that was closed, a screen that ended) must not stop what is being said.
                self._listeners.remove(listener)


def _unrecorded(fault: str) -> Refused:
    return Refused(f"nothing was written: its intent cannot be recorded ({fault})")


def change(write: Write) -> str:
    """What a write changes, where that fits a line: ` (amd64 100 to 95, arm64 0 to 5)`."""
    before, after = write.before, write.after
    if not isinstance(before, dict) or not isinstance(after, dict):
        return ""
    pairs = [(key, before.get(key), value) for key, value in after.items() if before.get(key) != value]
    if not pairs or any(isinstance(part, dict | list) for _, old, new in pairs for part in (old, new)):
        return ""
    return f" ({', '.join(f'{key} {old} to {new}' for key, old, new in pairs)})"
