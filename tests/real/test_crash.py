"""SIGKILL around an affinity write to the real API server: the next cockpit knows what became of it, writes nothing twice, and
leads home to the letter.

The server may carry out or drop a request whose sender has died: what is found is compared with its own audit log.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cockpit.clock import ScaledClock
from cockpit.levers.base import Found
from cockpit.model.json import canonical
from tests.crash.flown import RUN, Cockpit, board, playbook
from tests.crash.world import nursery
from tests.factories import API
from tests.real.api import Obj, path, rolled_out, until
from tests.real.flights import REVISION
from tests.real.plane import Plane
from tests.real.settings import ADMIN

POINTS = {"before": {Found.NOT_DONE}, "sent": set(Found) - {Found.CONTRADICTED}, "answered": {Found.DONE}}
"""Where the first cockpit dies, and what may have become of its write."""
RECORD = f"cutover-cockpit-{playbook(None).name}"


@dataclass(frozen=True)
class Workload:
    """The Deployment that is moved, as its API server tells it."""

    plane: Plane
    audited: int
    """So many writes were in the audit log at the beginning."""
    home: str
    """The affinity of then."""

    def get(self) -> Obj:
        return self.plane.admin.get("deployments", API.namespace, API.name)

    def picture(self) -> str:
        """To the letter, but for what the server and its controllers count."""
        found = self.get()
        notes = {key: text for key, text in found["metadata"]["annotations"].items() if key != REVISION}
        return canonical({"spec": found["spec"], "annotations": notes, "labels": found["metadata"].get("labels")})

    def affinities(self) -> list[str]:
        """Each affinity that an accepted patch left, what left the same one as before it left out."""
        entries = [e for e in self.plane.audit([ADMIN])[self.audited :] if e["objectRef"].get("name") == API.name]
        accepted = [e for e in entries if e["verb"] == "patch" and e["responseStatus"]["code"] == 200]
        told = [affinity(e["responseObject"]) for e in accepted]
        return [now for last, now in zip([self.home, *told], told, strict=False) if now != last]


def affinity(deployment: Obj) -> str:
    return canonical(deployment["spec"]["template"]["spec"].get("affinity"))


@pytest.fixture
def workload(plane: Plane) -> Iterator[Workload]:
    made = Workload(plane, len(plane.audit([ADMIN])), affinity(plane.admin.get("deployments", API.namespace, API.name)))
    before, picture = made.get(), made.picture()
    yield made
    plane.admin.delete("configmaps", API.namespace, RECORD)
    if made.picture() != picture:
        # The plane is everybody's: what a failed test leaves behind is taken back.
        places = {"/spec": before["spec"], "/metadata/annotations": before["metadata"]["annotations"]}
        patch = [{"op": "replace", "path": where, "value": value} for where, value in places.items()]
        headers = {"Content-Type": "application/json-patch+json"}
        plane.admin.ask("PATCH", path("deployments", API.namespace, API.name), patch, headers=headers)
    until("it is rolled out", lambda: rolled_out(made.get()))


async def killed(plane: Plane, home: Path, point: str) -> int:
    """Fly a cockpit that kills itself at its first such point; its exit code."""
    async with nursery() as crew:
        order = {"kubeconfig": str(plane.kubeconfig), "alb": None, "home": str(home), "point": f"{point} PATCH {API.name}"}
        return await crew.fly(order)


async def resumed(stack: AsyncExitStack, plane: Plane, run: str) -> tuple[Cockpit, list[Found]]:
    """The next cockpit once it has taken over, and what it has found of the writes that were open."""
    clock = ScaledClock(datetime.now(UTC), time.monotonic(), 10.0)
    cockpit = await board(stack, plane.kubeconfig, None, clock, epoch=2, run=run)
    taken = await cockpit.sharing.take_over(cockpit.fence)
    record = cockpit.keeper.record
    assert record is not None
    assert record.intents == (), "everything is reconciled"
    cockpit.state = taken.state or cockpit.state
    return cockpit, [Found(one.found) for one in cockpit.sharing.reconciled]


@pytest.mark.parametrize("onward", [False, True], ids=["home-at-once-from-another-machine", "on-to-the-end-and-home"])
@pytest.mark.parametrize("point", POINTS)
async def test_killed_around_a_write_it_is_reconciled_and_goes_home(
    plane: Plane, workload: Workload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str, onward: bool
) -> None:
    before = workload.picture()
    homes = tmp_path / "first", tmp_path / ("first" if onward else "second")
    for home in set(homes):
        home.mkdir()
    assert await killed(plane, homes[0], point) == -signal.SIGKILL
    monkeypatch.setenv("COCKPIT_HOME", str(homes[1]))
    async with AsyncExitStack() as stack:
        cockpit, found = await resumed(stack, plane, RUN if onward else RUN.replace("1f3a", "2222"))
        assert len(found) == 1
        assert found[0] in POINTS[point]
        landed = int(found == [Found.DONE])
        assert len(workload.affinities()) == landed, "it is what the server says"
        if onward:
            await cockpit.fly()
        outcome = await cockpit.home()
        assert outcome.safe, outcome.failures
    assert workload.picture() == before
    assert len(workload.affinities()) == (3 if onward else 2 * landed), "nothing is done twice"
    print(f"\nkilled at {point!r}: {found[0]}, {len(workload.affinities())} changes")
