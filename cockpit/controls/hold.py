"""This cockpit's hold on the Lease of the controls: reading it, renewing it, taking it, handing it back. All by compare-and-swap.

After client-go's leader election (k8s.io/client-go/tools/leaderelection): a holder renews every 2 s and stops to write once 10 s
have passed since it *began* its last renewal that succeeded; anybody else thinks it gone once they have seen the same record for
15 s. Both count on their own monotonic clock, so that no step of anybody's wall clock matters.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum

from cockpit.clock import Clock
from cockpit.controls.api import Api, Place
from cockpit.controls.lease import LEASE_SECONDS, RENEW_SECONDS, Record, document, parse
from cockpit.errors import CockpitError, Conflict, NotFound
from cockpit.model.controls import Cockpit
from cockpit.model.json import Json

TRIES = 5
"""How often a taking is tried while the holder renews in between."""
Floor = Callable[[], Awaitable[int]]
"""The highest epoch that the targets carry. Asked when there is no Lease: it may have been deleted, and no epoch comes twice."""


class Over(StrEnum):
    """From whom the controls are taken: at most from."""

    NOBODY = "nobody"
    """There is no Lease, or it was handed back."""
    SILENT = "silent"
    """Its holder was not heard from for the whole of the lease."""
    ANYBODY = "anybody"
    """A person says so, and whoever has it is told."""


class Hold:
    """What is known of the Lease, and what this cockpit does with it, one thing at a time.

    `clock` counts the seconds, those of a suspended machine too; `calendar` only stamps dates for people.
    """

    def __init__(self, api: Api, place: Place, me: Cockpit, clock: Clock, calendar: Clock, floor: Floor) -> None:
        self.me = me
        self.record: Record | None = None
        """The Lease as last seen; None when there is none, or none was seen yet."""
        self.read_at: float | None = None
        """When the Lease, or that there is none, was seen last; None before."""
        self.fault = ""
        """Why the last attempt to read or renew it failed; empty when it did not."""
        self.alive = False
        """The Lease was seen to change while this cockpit looked: somebody is there."""
        self._api = api
        self._place = place
        self._clock = clock
        self._calendar = calendar
        self._floor = floor
        self._turn = asyncio.Lock()
        self._seen_at = 0.0
        self._renewed: float | None = None
        self._highest = 0

    @property
    def epoch(self) -> int:
        """The Lease's epoch, 0 without one."""
        return self.record.epoch if self.record else 0

    @property
    def named(self) -> bool:
        """The Lease names this cockpit, whether or not it could be renewed in time."""
        return self.record is not None and self.record.holder is not None and self.record.holder.id == self.me.id

    @property
    def lapsed(self) -> float | None:
        """Seconds since the last renewal that succeeded began; None when there was none."""
        return None if self._renewed is None else self._clock.monotonic() - self._renewed

    @property
    def mine(self) -> bool:
        """This cockpit may write, for now."""
        lapsed = self.lapsed
        return self.named and lapsed is not None and lapsed < RENEW_SECONDS

    @property
    def expired(self) -> bool:
        """The holder was not heard from for the whole of its lease, by somebody who looked until its end."""
        if self.record is None or self.record.holder is None or self.read_at is None:
            return False
        return self.read_at - self._seen_at >= LEASE_SECONDS

    @property
    def known(self) -> bool:
        """What is known of the Lease is not too old to be said."""
        return self.read_at is not None and self._clock.monotonic() - self.read_at < LEASE_SECONDS

    async def attend(self) -> None:
        """Renew when it is mine, else look whose it is. Faults are kept in `fault`, not raised."""
        async with self._turn:
            try:
                await self._attend()
            except CockpitError as error:
                self.fault = str(error)

    async def look(self) -> None:
        """Look whose it is, and write nothing. Faults are kept in `fault`, not raised."""
        async with self._turn:
            try:
                await self._read()
            except CockpitError as error:
                self.fault = str(error)

    async def take(self, over: Over = Over.ANYBODY) -> str:
        """Take it, with the next epoch; an offer of one's own is withdrawn by it. Why not, empty when it is mine."""
        async with self._turn:
            try:
                return await self._take(over)
            except CockpitError as error:
                self.fault = str(error)
                return f"the controls cannot be taken: {error}"

    async def offer(self, to: str) -> str:
        """Say on the Lease that it is handed to the cockpit with that id (empty: to nobody any more). Why not, else empty."""
        return await self._change(lambda record: self._document(self.me, record.epoch, record, offered_to=to))

    async def release(self) -> str:
        """Hand it back: the next one need not wait. Why not, else empty."""
        return await self._change(lambda record: self._document(None, record.epoch, record))

    async def _attend(self) -> None:
        if self.named and await self._renewed_at_once():
            return
        await self._read()
        if self.named and self.record:
            await self._put(self._kept(self.record))

    async def _renewed_at_once(self) -> bool:
        """Renew what was seen last; when that is no longer what is there, somebody must look."""
        if self.record is None:
            return False
        try:
            await self._put(self._kept(self.record))
        except (Conflict, NotFound):
            return False
        return True

    async def _take(self, over: Over) -> str:
        for _ in range(TRIES):
            await self._read()
            if not self._may_take(over):
                return "somebody has the controls"
            try:
                await self._claim()
            except (Conflict, NotFound):
                continue
            return ""
        return "the controls changed while they were being taken: try again"

    def _may_take(self, over: Over) -> bool:
        held = self.record is not None and self.record.holder is not None and not self.named
        return not held or over is Over.ANYBODY or (over is Over.SILENT and self.expired)

    async def _claim(self) -> None:
        record = self.record
        if record is None:
            # The Lease may have been deleted while its epochs are out in the world.
            epoch = max(self._highest, await self._floor()) + 1
            await self._note(lambda: self._api.post(self._place.leases, self._document(self.me, epoch, None)))
        elif self.named:
            await self._put(self._document(self.me, record.epoch, record))
        else:
            await self._put(self._document(self.me, max(self._highest, record.epoch) + 1, record))

    async def _change(self, made: Callable[[Record], dict[str, Json]]) -> str:
        async with self._turn:
            try:
                for _ in range(TRIES):
                    if not self.mine or self.record is None:
                        return "this cockpit does not have the controls"
                    try:
                        await self._put(made(self.record))
                    except Conflict:
                        await self._read()  # a renewal that nobody waited for may have landed
                    else:
                        return ""
            except CockpitError as error:
                self.fault = str(error)
                return f"the Lease could not be written: {error}"
            return "the Lease changes all the time: try again"

    def _kept(self, record: Record) -> dict[str, Json]:
        return self._document(self.me, record.epoch, record, offered_to=record.offered_to)

    def _document(self, holder: Cockpit | None, epoch: int, over: Record | None, *, offered_to: str = "") -> dict[str, Json]:
        now = self._calendar.now()
        since = over.since if over and over.since and self.named else now
        name, playbook = self._place.name, self._place.playbook
        return document(name, playbook, holder, epoch, since, now, offered_to=offered_to, over=over)

    async def _put(self, body: dict[str, Json]) -> None:
        await self._note(lambda: self._api.put(f"{self._place.leases}/{self._place.name}", body))

    async def _note(self, send: Callable[[], Awaitable[bytes]]) -> None:
        started = self._clock.monotonic()
        record = parse(await send())
        self._see(record)
        self._renewed = started if self.named else None

    async def _read(self) -> None:
        try:
            record: Record | None = parse(await self._api.get(f"{self._place.leases}/{self._place.name}"))
        except NotFound:
            record = None
        self._see(record)

    def _see(self, record: Record | None) -> None:
        now = self._clock.monotonic()
        if record is None or self.record is None or record.sign != self.record.sign:
            self._seen_at = now
            self.alive = self.record is not None
        if record:
            self._highest = max(self._highest, record.epoch)
        self.record, self.read_at, self.fault = record, now, ""
        if not self.named:
            self._renewed = None
