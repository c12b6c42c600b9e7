"""The controls on the real API server: its compare-and-swap lets one cockpit through, and an older epoch writes nothing.

The seconds of the Lease are turned by hand, as in the contract tests of the same name; the server's audit log tells its answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from cockpit.clock import ManualClock
from cockpit.connections.kube import KubeClient
from cockpit.controls.api import Params, Place
from cockpit.controls.desk import Desk
from cockpit.controls.hold import Over
from cockpit.controls.lease import OFFER
from cockpit.errors import NotInControl
from cockpit.levers.affinity import AffinityLever
from cockpit.levers.affinity_patch import EPOCH
from cockpit.model.cluster import Ref
from cockpit.model.controls import Cockpit, Standing
from cockpit.model.json import Json, canonical
from cockpit.model.plan import Write
from cockpit.model.playbook import AffinityMode, AffinitySet
from cockpit.playbook.loader import load
from tests.contract.controls_bench import Company, Line, Seated
from tests.contract.leaping import LeapingClock
from tests.real.api import Obj
from tests.real.flights import AFFINITY, OPERATOR, REVISION, operator_may
from tests.real.plane import Plane
from tests.real.settings import ADMIN

PLACE = Place("payments", load(AFFINITY).name)
FENCED = Ref("deployment", "payments", "fenced")
IMAGE = "registry.example.com/payments/fenced:1.0.0"
USERS = {"ana": OPERATOR, "bob": ADMIN, "eve": ADMIN}
CONTEXTS = {OPERATOR: f"rehearsal-{OPERATOR}", ADMIN: "rehearsal"}


@dataclass
class Racer(Line):
    """A connection that waits before its next write of the controls until so many others are about to make theirs."""

    together: asyncio.Barrier | None = None

    async def post(self, path: str, body: Json, params: Params | None = None) -> bytes:
        await self._line_up(body)
        return await super().post(path, body, params)

    async def put(self, path: str, body: Json, params: Params | None = None) -> bytes:
        await self._line_up(body)
        return await super().put(path, body, params)

    async def _line_up(self, body: Any) -> None:
        if self.together and body["metadata"]["name"] == PLACE.name:
            together, self.together = self.together, None
            await together.wait()


@dataclass
class Table(Company):
    """Cockpits of two users at the real API server."""

    plane: Plane
    stack: AsyncExitStack
    audited: int
    """So many writes were in the audit log at the beginning."""

    async def sit(self, name: str, *, claim: Over = Over.NOBODY, together: asyncio.Barrier | None = None) -> Seated:
        kube = await KubeClient.connect(CONTEXTS[USERS[name]], self.plane.kubeconfig)
        self.stack.push_async_callback(kube.aclose)
        clock, line = ManualClock(), Racer(kube, together=together)
        desk = Desk(line, PLACE, Cockpit(name, f"{name}@host"), clock, clock=clock, claim=claim)
        self.stack.push_async_callback(desk.close)
        self.cockpits.append(Seated(desk, clock, line, name))
        desk.start()
        return self.cockpits[-1]

    def suspend(self, seat: Seated) -> None:
        """Its machine sleeps: it does nothing, and its clock stands still."""
        self.cockpits.remove(seat)
        for task in seat.desk.tasks:
            task.cancel()

    def lease(self) -> Obj:
        return self.plane.admin.get("leases", PLACE.namespace, PLACE.name)

    def answers(self, resource: str, name: str) -> list[tuple[str, str, int]]:
        """What the server has answered to the writes of this object, oldest first: user, verb and status."""
        entries = self.plane.audit((ADMIN, OPERATOR))[self.audited :]
        found = [e for e in entries if e["objectRef"]["resource"] == resource and _name(e) == name]
        return [(e["user"]["username"], e["verb"], e["responseStatus"]["code"]) for e in found]

    def taking(self) -> list[tuple[str, int]]:
        """Verb and status of each answer about the controls."""
        return [(verb, code) for _, verb, code in self.answers("leases", PLACE.name)]

    def patching(self) -> list[int]:
        """The statuses that ana's patches were answered with."""
        return [code for user, _, code in self.answers("deployments", FENCED.name) if user == USERS["ana"]]


def _name(entry: Obj) -> str:
    """Of what was written; what is created is named in the body alone."""
    return str(entry["objectRef"].get("name") or entry.get("requestObject", {}).get("metadata", {}).get("name", ""))


@pytest.fixture(scope="module")
def allowed(plane: Plane) -> Iterator[None]:
    with operator_may(plane, AFFINITY):
        yield


@pytest.fixture
async def table(plane: Plane, allowed: None) -> AsyncIterator[Table]:
    plane.admin.delete("leases", PLACE.namespace, PLACE.name)  # another flight may have left one, free
    try:
        async with AsyncExitStack() as stack:
            yield Table(plane, stack, len(plane.audit((ADMIN, OPERATOR))))
    finally:
        for name in [PLACE.name, *(PLACE.presence(user) for user in USERS)]:
            plane.admin.delete("leases", PLACE.namespace, name)


@pytest.fixture
def fenced(plane: Plane) -> Iterator[None]:
    """A Deployment of its own to write to."""
    labels = {"app": FENCED.name}
    spec = {"containers": [{"name": "app", "image": IMAGE}]}
    template = {"metadata": {"labels": labels}, "spec": spec}
    meta = {"name": FENCED.name, "namespace": FENCED.namespace}
    plane.admin.create(
        "deployments", {"metadata": meta, "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}}
    )
    yield
    plane.admin.delete("deployments", FENCED.namespace, FENCED.name)


async def test_of_two_who_open_at_once_the_server_lets_one_make_the_lease_and_the_other_sees_whose_it_is(table: Table) -> None:
    together = asyncio.Barrier(2)
    ana, bob = await table.sit("ana", together=together), await table.sit("bob", together=together)
    await table.until(lambda: {ana.standing, bob.standing} == {Standing.MINE, Standing.THEIRS})
    assert sorted(table.taking()[:2]) == [("create", 201), ("create", 409)]
    first, second = (ana, bob) if ana.standing is Standing.MINE else (bob, ana)
    assert table.lease()["spec"]["holderIdentity"] == f"{first.name}@host/{first.name}"
    await table.until(lambda: (seen := second.desk.view().holder) is not None and seen.user == USERS[first.name])
    seen = second.desk.view()
    assert seen.holder is not None
    assert (seen.holder.id, seen.holder.operator, seen.epoch) == (first.name, f"{first.name}@host", 1)
    assert first.desk.fence() == 1
    with pytest.raises(NotInControl, match=f"{first.name}@host has the controls"):
        second.desk.fence()


async def test_a_handover_is_offered_seen_and_taken(table: Table) -> None:
    ana = await table.sit("ana")
    await table.until(lambda: ana.standing is Standing.MINE)
    bob = await table.sit("bob")
    await table.until(lambda: [w.id for w in ana.desk.view().watchers] == ["bob"])
    assert await ana.desk.hand_over("bob") == ""
    await table.until(lambda: bob.desk.view().offered_to_me)
    assert table.lease()["metadata"]["annotations"][OFFER] == "bob"
    bound = ana.desk.bound()
    assert bound() == 1, "until it is taken it is the one's who offers it"
    assert await bob.desk.take() == ""
    lease = table.lease()
    assert (lease["spec"]["holderIdentity"], lease["spec"]["leaseTransitions"]) == ("bob@host/bob", 2)
    assert OFFER not in lease["metadata"]["annotations"]
    await table.until(lambda: ana.standing is Standing.THEIRS)
    assert "bob@host took the controls" in ana.desk.view().why
    with pytest.raises(NotInControl):
        bound()
    assert (USERS["ana"], "update", 409) in table.answers("leases", PLACE.name), "its next renewal was refused"


async def test_of_two_who_take_over_from_a_silent_holder_one_is_refused_and_follows(table: Table) -> None:
    ana = await table.sit("ana")
    await table.until(lambda: ana.standing is Standing.MINE)
    together = asyncio.Barrier(2)
    bob = await table.sit("bob", claim=Over.SILENT, together=together)
    eve = await table.sit("eve", claim=Over.SILENT, together=together)
    for task in ana.desk.tasks:
        task.cancel()
    await table.pass_by(14)
    before = table.taking()
    await table.until(lambda: {bob.standing, eve.standing} == {Standing.MINE, Standing.THEIRS})
    assert sorted(table.taking()[len(before) :][:2]) == [("update", 200), ("update", 409)]
    first, second = (bob, eve) if bob.standing is Standing.MINE else (eve, bob)
    spec = table.lease()["spec"]
    assert (spec["holderIdentity"], spec["leaseTransitions"]) == (f"{first.name}@host/{first.name}", 2)
    assert first.desk.fence() == 2
    for other in (second, ana):
        with pytest.raises(NotInControl):
            other.desk.fence()


async def test_whoever_slept_through_a_takeover_writes_nothing_however_late(
    table: Table, fenced: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = await table.sit("ana")
    await table.until(lambda: ana.standing is Standing.MINE)
    old, (write,) = await planned(ana)
    table.suspend(ana)
    bob = await table.sit("bob", claim=Over.SILENT)
    await table.until(lambda: bob.standing is Standing.MINE)
    new, (theirs,) = await planned(bob)
    send = ana.line.kube.patch

    async def late(*what: Any, **how: Any) -> bytes:
        """Its patch has been made, and on its way it is overtaken."""
        await new.fence_target(theirs, bob.desk.bound())
        return await send(*what, **how)

    monkeypatch.setattr(ana.line.kube, "patch", late)
    fence = ana.desk.bound()
    assert fence() == 1, "by its own clock it has the controls"
    before = picture(table)
    with pytest.raises(NotInControl, match="epoch 2"):
        await old.apply(write, fence)
    assert table.patching() == [422], "it was sent, and one of its own tests failed"
    assert (notes(table)[EPOCH], picture(table)) == ("2", before)
    await new.apply(theirs, bob.desk.bound())
    with pytest.raises(NotInControl, match="epoch 2"):
        await old.apply(write, fence)
    assert notes(table)[EPOCH] == "2"
    assert table.patching() == [422], "nothing more was sent"
    for back in new.restore(await new.read_for_restore()).writes:
        await new.apply(back)
    assert (notes(table), picture(table)) == ({}, before)


async def planned(seat: Seated) -> tuple[AffinityLever, tuple[Write, ...]]:
    """A cockpit's lever, and what it means to write."""
    lever = AffinityLever(seat.line.kube, (FENCED,), f"run-of-{seat.name}", LeapingClock())
    desired = AffinitySet(FENCED, AffinityMode.PREFERRED, weight=80)
    return lever, lever.plan(await lever.read(), desired).writes


def notes(table: Table) -> dict[str, str]:
    found = table.plane.admin.get("deployments", FENCED.namespace, FENCED.name)["metadata"].get("annotations", {})
    return {key: text for key, text in found.items() if key != REVISION}


def picture(table: Table) -> str:
    """The Deployment to the letter, but for what the server counts and for the epoch."""
    kept = {key: text for key, text in notes(table).items() if key != EPOCH}
    spec = table.plane.admin.get("deployments", FENCED.namespace, FENCED.name)["spec"]
    return canonical({"spec": spec, "notes": {**kept}})
