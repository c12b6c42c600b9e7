"""The AWS Load Balancer Controller as far as a cutover meets it: the action in an Ingress annotation becomes the rules' weights.

A moment after the annotation has changed the rules follow, and at every full round what somebody else wrote to them is set back.
An action that cannot be read changes nothing, as with the real one, which only says so in an Event.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from cockpit.clock import Clock
from cockpit.model.arch import Arch
from cockpit.model.playbook import Playbook
from cockpit.rehearsal import draws
from cockpit.rehearsal.cluster import Cluster
from cockpit.rehearsal.kube.errors import Obj

PREFIX = "alb.ingress.kubernetes.io/actions."
CLUSTER = "payments-eks"
ROUND = 600.0
"""Seconds of the clock between full rounds; ten hours for the real one, which nobody could rehearse."""
LOOKS = 1.0
LEAST_WALL = 0.05

SetWeights = Callable[[str, Mapping[str, int]], Awaitable[None]]
"""Sets the weights, by target group ARN, of the rule with this ARN."""


@dataclass(frozen=True, slots=True)
class Made:
    """What the controller has made in the account: rules by ARN with their weights, target groups by architecture."""

    rules: Callable[[], Mapping[str, Mapping[Arch, int]]]
    groups: Mapping[Arch, str]
    set_weights: SetWeights


def tags(playbook: Playbook) -> dict[str, str]:
    """The tags of the rules that belong to the playbook's Ingress; none without one."""
    if playbook.alb is None or playbook.alb.ingress is None:
        return {}
    stack = f"{playbook.target.namespace}/{playbook.alb.ingress.name}"
    return {"elbv2.k8s.aws/cluster": CLUSTER, "ingress.k8s.aws/stack": stack, "ingress.k8s.aws/resource": "443:1"}


def install(cluster: Cluster, playbook: Playbook, groups: Mapping[Arch, str]) -> None:
    """Create the playbook's Ingress with all traffic on the side that is left; `groups` are the target groups' ARNs."""
    if playbook.alb is None or (wanted := playbook.alb.ingress) is None:
        return
    listed = [_group(arch, wanted.services, groups, 100 if arch is playbook.target.from_arch else 0) for arch in Arch]
    action: Obj = {"type": "forward", "forwardConfig": {"targetGroups": listed}}
    path: Obj = {"path": "/", "pathType": "Prefix"}
    path["backend"] = {"service": {"name": wanted.action, "port": {"name": "use-annotation"}}}
    notes = {"alb.ingress.kubernetes.io/scheme": "internal", PREFIX + wanted.action: json.dumps(action)}
    meta = {"name": wanted.name, "namespace": playbook.target.namespace, "annotations": notes}
    rules = [{"host": f"{wanted.name}.example.com", "http": {"paths": [path]}}]
    cluster.create("ingresses", {"metadata": meta, "spec": {"ingressClassName": "alb", "rules": rules}})


class Controller:
    """Follows one Ingress until cancelled. Its delays are drawn from the world's seed."""

    def __init__(self, cluster: Cluster, playbook: Playbook, made: Made) -> None:
        self._cluster = cluster
        self._playbook = playbook
        self._made = made
        self._seen = ""
        self._turn = 0

    async def run(self, clock: Clock, speed: float) -> None:
        """Look every second of the clock."""
        due, full = 0.0, clock.monotonic() + ROUND
        while True:
            await clock.sleep(max(LOOKS, LEAST_WALL * speed))
            now, text = clock.monotonic(), self._text()
            if text != self._seen:
                self._seen, self._turn = text, self._turn + 1
                due = now + draws.between(2.0, 5.0, self._cluster.seed, "ingress", self._turn)
            if (due and now >= due) or now >= full:
                due, full = 0.0, now + ROUND
                await self._reconcile(text)

    async def _reconcile(self, text: str) -> None:
        weights = self._weights(text)
        if not weights:
            return
        for arn, now in self._made.rules().items():
            if dict(now) != weights:
                await self._made.set_weights(arn, {self._made.groups[arch]: weight for arch, weight in weights.items()})

    def _text(self) -> str:
        wanted = self._playbook.alb.ingress if self._playbook.alb else None
        found = self._cluster.storage.find("ingresses", self._playbook.target.namespace, wanted.name) if wanted else None
        notes: Obj = (found or {"metadata": {}})["metadata"].get("annotations") or {}
        return str(notes.get(f"{PREFIX}{wanted.action}", "")) if wanted else ""

    def _weights(self, text: str) -> dict[Arch, int]:
        """By architecture; empty unless every group is known and has a weight."""
        wanted = self._playbook.alb.ingress if self._playbook.alb else None
        try:
            listed = json.loads(text)["forwardConfig"]["targetGroups"]
            named = {g.get("serviceName") or g.get("targetGroupARN"): int(g["weight"]) for g in listed}
        except (ValueError, LookupError, TypeError, AttributeError):
            return {}
        services = wanted.services if wanted else {}
        found = {arch: named.get(services.get(arch, ""), named.get(self._made.groups[arch])) for arch in Arch}
        return {arch: weight for arch, weight in found.items() if weight is not None} if None not in found.values() else {}


def _group(arch: Arch, services: Mapping[Arch, str], groups: Mapping[Arch, str], weight: int) -> Obj:
    if arch in services:
        return {"serviceName": services[arch], "servicePort": 80, "weight": weight}
    return {"targetGroupARN": groups[arch], "weight": weight}
