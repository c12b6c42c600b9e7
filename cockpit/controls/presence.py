"""Who is there: one Lease for each cockpit that may write, as API servers keep for themselves. It gives no right to anything."""

from __future__ import annotations

from contextlib import suppress

from cockpit.clock import Clock
from cockpit.controls.api import Api, Place
from cockpit.controls.lease import LABEL, LEASE_SECONDS, Record, document, parse, parse_list
from cockpit.errors import Conflict, NotFound
from cockpit.model.controls import Cockpit
from cockpit.model.json import Json

RENEW_EVERY = 4.0
MOST = 100
"""More cockpits than ever watch one run; a list of more is cut there."""


class Presence:
    """Shows this cockpit to the others (unless it only observes), and sees them."""

    def __init__(self, api: Api, place: Place, clock: Clock, calendar: Clock) -> None:
        self.others: tuple[Cockpit, ...] = ()
        """Every other cockpit that was heard from within its lease."""
        self._api = api
        self._place = place
        self._clock = clock
        self._calendar = calendar
        self._own: Record | None = None
        self._due = float("-inf")
        self._heard: dict[str, tuple[tuple[str, int, str], float]] = {}

    async def look(self, me: Cockpit, *, sweep: bool) -> None:
        """See who is there. With `sweep` Leases of those who left without a word are removed. CockpitError as the API says."""
        mine = self._place.presence(me.id)
        raw = await self._api.get(self._place.leases, {"labelSelector": f"{LABEL}={self._place.playbook}", "limit": str(MOST)})
        found = [r for r in parse_list(raw) if r.holder and r.name == self._place.presence(r.holder.id) and r.name != mine]
        now = self._clock.monotonic()
        self._heard = {r.name: self._last(r, now) for r in found}
        silent = [r for r in found if now - self._heard[r.name][1] >= LEASE_SECONDS]
        self.others = tuple(r.holder for r in found if r.holder and r not in silent)
        if sweep:
            for record in silent:
                await self._remove(record)

    async def show(self, me: Cockpit) -> None:
        """Say that this cockpit is there, when it is time to. CockpitError as the API says."""
        now = self._clock.monotonic()
        if now < self._due:
            return
        self._own = await self._renewed(me)
        self._due = now + RENEW_EVERY

    async def leave(self) -> None:
        """Say that this cockpit has gone. CockpitError as the API says."""
        if self._own:
            own, self._own = self._own, None
            await self._remove(own)

    def _last(self, record: Record, now: float) -> tuple[tuple[str, int, str], float]:
        known = self._heard.get(record.name)
        return known if known and known[0] == record.sign else (record.sign, now)

    async def _renewed(self, me: Cockpit) -> Record:
        name, own = self._place.presence(me.id), self._own
        now = self._calendar.now()
        body = document(name, self._place.playbook, me, 0, own.since or now if own else now, now, over=own)
        try:
            if own:
                return parse(await self._api.put(f"{self._place.leases}/{name}", body))
            return parse(await self._api.post(self._place.leases, body))
        except (Conflict, NotFound):
            # Swept while this machine slept, or an answer was lost: it is looked at, and written with the next turn.
            with suppress(NotFound):
                return parse(await self._api.get(f"{self._place.leases}/{name}"))
            self._own = None
            raise

    async def _remove(self, record: Record) -> None:
        unchanged: dict[str, Json] = {"uid": record.uid, "resourceVersion": record.version}
        options: dict[str, Json] = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": unchanged}
        with suppress(Conflict, NotFound):
            await self._api.delete(f"{self._place.leases}/{record.name}", options)
