"""Joining the cockpits of a playbook's run: this one's desk, and the highest epoch that was ever left on what the run moves."""

from __future__ import annotations

import asyncio
import json
import secrets
from typing import TYPE_CHECKING

from cockpit.clock import Clock
from cockpit.controls.api import Place
from cockpit.controls.desk import Desk
from cockpit.controls.hold import Over
from cockpit.errors import NotFound, Unreachable
from cockpit.levers.affinity_patch import EPOCH as ANNOTATION
from cockpit.levers.weights_actions import EPOCH as TAG
from cockpit.model.controls import Cockpit
from cockpit.model.json import Json, child
from cockpit.model.playbook import Playbook, Promote
from cockpit.text import clean

if TYPE_CHECKING:
    from cockpit.connections.aws import Elb
    from cockpit.connections.kube import KubeClient

_DIGITS = 12


def desk(
    playbook: Playbook, kube: KubeClient, elb: Elb | None, operator: str, calendar: Clock, claim: Over | None = Over.NOBODY
) -> Desk:
    """The desk of a new cockpit, not started yet; `claim` as for `Desk`."""
    place = Place(playbook.target.namespace, playbook.name)
    me = Cockpit(secrets.token_hex(4), operator)
    two_person = any(phase.promote is Promote.TWO_PERSON for phase in playbook.phases)

    async def floor() -> int:
        return await highest_epoch(playbook, kube, elb)

    return Desk(kube, place, me, calendar, floor=floor, claim=claim, two_person=two_person)


async def highest_epoch(playbook: Playbook, kube: KubeClient, elb: Elb | None) -> int:
    """The highest epoch that the run's record and targets carry, 0 when none does. Unreachable and the like."""
    place, home = Place(playbook.target.namespace, playbook.name), playbook.target.namespace
    paths = [f"/apis/apps/v1/namespaces/{home}/deployments/{ref.name}" for ref in playbook.target.workloads]
    if playbook.alb and playbook.alb.ingress:
        paths.append(f"/apis/networking.k8s.io/v1/namespaces/{home}/ingresses/{playbook.alb.ingress.name}")
    found = await asyncio.gather(
        _noted(kube, f"{place.configmaps}/{place.name}"), *(_noted(kube, path) for path in paths), _tagged(playbook, elb)
    )
    return max(found)


async def _noted(kube: KubeClient, path: str) -> int:
    """The epoch in an object's annotation, or in a ConfigMap's data."""
    try:
        raw = await kube.get(path)
    except NotFound:
        return 0
    try:
        body: Json = json.loads(raw)
    except ValueError as error:
        raise Unreachable(f"what the API server sent is no object: {clean(str(error), 200)}") from None
    notes = child(child(body, "metadata"), "annotations")
    return max(_number(notes.get(ANNOTATION)), _number(child(body, "data").get("epoch")))


async def _tagged(playbook: Playbook, elb: Elb | None) -> int:
    if elb is None or playbook.alb is None or playbook.alb.ingress:
        return 0
    rules = await elb.rules(playbook.alb.listeners, playbook.alb.rules)
    return max((_number(rule.tags.get(TAG)) for rule in rules), default=0)


def _number(text: Json) -> int:
    """What is no epoch counts as none: a write meets it on the target itself, where it is refused."""
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < _DIGITS else 0
