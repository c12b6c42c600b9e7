"""Making each fault, and what of it is others' doing and therefore stays."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from cockpit.flight import Flight
from cockpit.journal import Journal
from cockpit.model.controls import Standing
from cockpit.model.json import canonical
from tests.rollback.cases import Fault
from tests.rollback.ground import BASELINE, Ground
from tests.wire.proxy import Fault as WireFault

EVE = "eve@elsewhere/0badcafe"
FLAPS = 6
FLAP_SECONDS = 0.15
KNOWN_WITHIN = 20.0
"""Wall seconds in which a cockpit has heard whose the controls are."""
AWAY: dict[str, Any] = {
    "preferredDuringSchedulingIgnoredDuringExecution": [
        {
            "weight": 7,
            "podAffinityTerm": {
                "topologyKey": "kubernetes.io/hostname",
                "labelSelector": {"matchLabels": {"app": "somebody-elses"}},
            },
        }
    ]
}
"""An anti-affinity that somebody else adds beside the node affinity."""


def journal(fault: Fault, folder: Path, name: str) -> Journal | None:
    """The journal that the fault leaves: /dev/full is a disk without room."""
    if fault is Fault.JOURNAL:
        return None
    return Journal(Path("/dev/full") if fault is Fault.DISK else folder / f"{name}.jsonl")


@asynccontextmanager
async def under(fault: Fault, ground: Ground, flown: Flight) -> AsyncIterator[None]:
    """The fault, from just before the rollback by `flown` until it has ended."""
    flapping: asyncio.Task[None] | None = None
    match fault:
        case Fault.METRICS:
            await ground.scenario("prometheus-down")
        case Fault.THROTTLED:
            await ground.scenario("aws-throttled")
        case Fault.LEASE:
            await _somebody_elses_lease(ground)
        case Fault.TAKEN:
            await _somebody_elses_lease(ground)
            await standing(flown, Standing.THEIRS)
        case Fault.PAUSED:
            await ground.edit([{"op": "add", "path": "/spec/paused", "value": True}])
        case Fault.SCALED:
            await ground.edit([{"op": "replace", "path": "/spec/replicas", "value": _replicas(ground) + 3}])
        case Fault.EDITED:
            await _edit(ground)
        case Fault.FLAPPING:
            flapping = asyncio.create_task(_flap(ground))
        case _:
            pass
    try:
        yield
    finally:
        if flapping:
            await flapping


async def standing(flown: Flight, wanted: Standing) -> None:
    """Wait until the controls stand so for this cockpit."""
    async with asyncio.timeout(KNOWN_WITHIN):
        while not (frame := flown.frame()) or frame.controls.standing is not wanted:
            await flown.next_tick()


def expected(fault: Fault, before: dict[str, str]) -> dict[str, str]:
    """The picture that the rollback must leave: as before, but for what others have changed."""
    deployment = json.loads(before[BASELINE])
    spec = deployment["spec"]
    match fault:
        case Fault.PAUSED:
            spec["paused"] = True
        case Fault.SCALED:
            spec["replicas"] += 3
        case Fault.EDITED:
            _change(spec)
        case _:
            pass
    return {**before, BASELINE: canonical(deployment)}


def _replicas(ground: Ground) -> int:
    return int(json.loads(ground.before[BASELINE])["spec"]["replicas"])


def _change(spec: dict[str, Any]) -> None:
    pod = spec["template"]["spec"]
    pod["containers"][0].setdefault("env", []).append({"name": "LEVEL", "value": "debug"})
    pod["affinity"] = {**(pod.get("affinity") or {}), "podAntiAffinity": copy.deepcopy(AWAY)}


async def _edit(ground: Ground) -> None:
    live = json.loads(await ground.direct.get(f"/apis/apps/v1/namespaces/payments/deployments/{BASELINE}"))
    _change(live["spec"])
    await ground.edit([{"op": "replace", "path": "/spec", "value": live["spec"]}])


async def _somebody_elses_lease(ground: Ground) -> None:
    """Eve takes the controls, by a Lease of her own that she keeps for an hour."""
    path = "/apis/coordination.k8s.io/v1/namespaces/payments/leases"
    name = f"cutover-cockpit-{ground.playbook.name}"
    with suppress(Exception):
        await ground.direct.delete(f"{path}/{name}", {})
    await ground.direct.post(
        path,
        {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": name},
            "spec": {"holderIdentity": EVE, "leaseDurationSeconds": 3600, "leaseTransitions": 41},
        },
    )


async def _flap(ground: Ground) -> None:
    """Both servers reset every connection, and are back, again and again."""
    for _ in range(FLAPS):
        for proxy in ground.proxies.values():
            await proxy.be(WireFault.RESET)
        await asyncio.sleep(FLAP_SECONDS)
        for proxy in ground.proxies.values():
            await proxy.be(WireFault.NONE)
        await asyncio.sleep(FLAP_SECONDS)
