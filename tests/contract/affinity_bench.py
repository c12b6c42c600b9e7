"""The affinity lever against an API server over TLS in which others write, refuse and cut connections at will."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from cockpit.connections.kube import KubeClient
from cockpit.levers.affinity import AffinityLever
from cockpit.model.cluster import Ref
from cockpit.model.json import canonical
from cockpit.model.plan import Plan
from cockpit.model.playbook import AffinitySet
from cockpit.rehearsal.kube.api import make_app
from cockpit.rehearsal.kube.authz import Rule, User
from cockpit.rehearsal.kube.errors import conflict, too_many_requests
from cockpit.rehearsal.kube.faults import Dropped, RequestInfo
from cockpit.rehearsal.kube.kubeconfig import write_kubeconfig
from cockpit.rehearsal.kube.server import serve
from cockpit.rehearsal.kube.storage import Storage
from cockpit.rehearsal.kube.tls import Certificates
from tests.contract.leaping import LeapingClock
from tests.unit.rehearsal.small_world import DEPLOYMENT, NAMESPACE, deployment, small_world

FULL, BARE = Ref("deployment", NAMESPACE, DEPLOYMENT), Ref("deployment", NAMESPACE, "bare")
NO_NODES = User("operator", (Rule(("get", "patch"), ("apps",), ("deployments",)),))

Obj = dict[str, Any]


@dataclass
class Trouble:
    """What happens right before a PATCH is served: `meddle` for each of them, then so many refusals of each kind."""

    meddle: Callable[[], None] | None = None
    refusals: Counter[str] = field(default_factory=Counter)
    patches: int = 0

    async def before(self, request: RequestInfo) -> None:
        if request.verb != "patch":
            return
        self.patches += 1
        if self.meddle:
            self.meddle()
        for kind, error in (
            ("conflict", conflict("deployments", "apps", request.name)),
            ("wait", too_many_requests("slow down", 7)),
            ("drop", Dropped()),
        ):
            if self.refusals[kind] > 0:
                self.refusals[kind] -= 1
                raise error


@dataclass
class Bench:
    lever: AffinityLever
    dry: AffinityLever
    blind: AffinityLever
    """Without permission to list nodes."""
    storage: Storage
    trouble: Trouble
    clock: LeapingClock

    def get(self, ref: Ref = FULL) -> Obj:
        return copy.deepcopy(self.storage.get("deployments", ref.namespace, ref.name))

    def picture(self, ref: Ref = FULL) -> str:
        """The whole Deployment but for what the server itself counts."""
        found = self.get(ref)
        for key in ("resourceVersion", "generation", "managedFields"):
            found["metadata"].pop(key, None)
        return canonical({"metadata": found["metadata"], "spec": found["spec"]})

    def change(self, edit: Callable[[Obj], None], ref: Ref = FULL) -> None:
        """Somebody else changes a Deployment."""
        found = self.get(ref)
        edit(found)
        self.storage.update("deployments", found)

    def settle(self, ref: Ref = FULL) -> None:
        """The controller has rolled it out."""
        found = self.get(ref)
        replicas = found["spec"]["replicas"]
        counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), replicas)
        found["status"] = {**found.get("status", {}), **counts, "observedGeneration": found["metadata"]["generation"]}
        self.storage.update("deployments", found, status_only=True)

    async def plan(self, desired: AffinitySet) -> Plan:
        return self.lever.plan(await self.lever.read(), desired)

    async def fly(self, plan: Plan) -> None:
        for write in plan.writes:
            await self.lever.apply(write)


@asynccontextmanager
async def affinity_bench(folder: Path, certificates: Certificates) -> AsyncIterator[Bench]:
    """A fresh cluster and levers on it."""
    clock, trouble = LeapingClock(), Trouble()
    storage = small_world(clock)
    bare = deployment("bare")
    del bare["spec"]["template"]["spec"]["affinity"]
    bare["metadata"].pop("annotations", None)
    storage.create("deployments", bare)
    async with AsyncExitStack() as stack:
        clients = []
        for number, users in enumerate((None, {"operator": NO_NODES})):
            place = folder / str(number)
            place.mkdir()
            serving = await serve(make_app(storage, users, trouble), place, certificates=certificates)
            stack.push_async_callback(serving.stop)
            write_kubeconfig(place / "config", serving.url, serving.authority, NAMESPACE)
            clients.append(client := await KubeClient.connect(kubeconfig=place / "config"))
            stack.push_async_callback(client.aclose)
        lever = AffinityLever(clients[0], (FULL, BARE), "run-1", clock, rng=Random(1))
        dry = AffinityLever(clients[0], (FULL, BARE), "run-1", clock, dry_run=True)
        yield Bench(lever, dry, AffinityLever(clients[1], (FULL, BARE), "run-1", clock), storage, trouble, clock)
