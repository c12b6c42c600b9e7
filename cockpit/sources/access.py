"""Whether the API server would still let a rollback's write through: asked now and then, by a review that persists nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

import msgspec

from cockpit.clock import Clock
from cockpit.connections.kube import KubeClient
from cockpit.model.json import Json
from cockpit.model.playbook import Playbook
from cockpit.model.snapshot import SourceName
from cockpit.sources.polled import PolledSource

EVERY_SECONDS = 120.0
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


class _Status(msgspec.Struct):
    allowed: bool = False


class _Review(msgspec.Struct):
    status: _Status = msgspec.field(default_factory=_Status)


_review = msgspec.json.Decoder(_Review).decode


@dataclass(frozen=True, slots=True)
class Patched:
    """What a lever patches: a resource of an API group in a namespace."""

    group: str
    resource: str
    namespace: str

    def __str__(self) -> str:
        return f"patch {self.resource}.{self.group} in namespace {self.namespace}"


def patches(playbook: Playbook) -> dict[str, Patched]:
    """What a rollback of this playbook patches in the cluster, by lever."""
    home = playbook.target.namespace
    found = {"affinity": Patched("apps", "deployments", home)} if any(phase.affinity for phase in playbook.phases) else {}
    by_ingress = playbook.alb is not None and playbook.alb.ingress is not None
    return found | ({"weights": Patched("networking.k8s.io", "ingresses", home)} if by_ingress else {})


def access_source(
    kube: KubeClient, wanted: Mapping[str, Patched], clock: Clock, random: Random, every: float = EVERY_SECONDS
) -> PolledSource:
    """What is not permitted of `wanted`, in words, by the same key; nothing while all is."""

    async def ask() -> Mapping[str, object]:
        return {lever: str(patched) for lever, patched in wanted.items() if not await _may(kube, patched)}

    return PolledSource(SourceName.ACCESS, kube, ask, clock, random, every)


async def _may(kube: KubeClient, patched: Patched) -> bool:
    attributes: dict[str, Json] = {"verb": "patch", "group": patched.group, "resource": patched.resource}
    review: dict[str, Json] = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {**attributes, "namespace": patched.namespace}},
    }
    return _review(await kube.ask(REVIEWS, review)).status.allowed
