"""The Ingress whose action is written: it is there, and its action can be moved and taken back."""

from __future__ import annotations

from msgspec import DecodeError

from cockpit.connections.decode_ingress import INGRESSES
from cockpit.connections.kube import KubeClient
from cockpit.errors import Impossible, NotFound, Unreachable
from cockpit.levers.ingress_action import Names, others_in, weights_in
from cockpit.levers.ingress_balance import Place
from cockpit.levers.ingress_patch import ORIGINAL
from cockpit.model.arch import Arch
from cockpit.model.check import Check, Result
from cockpit.model.cluster import Ingress
from cockpit.model.playbook import Alb, IngressAction
from cockpit.preflight.look import Look, refused

_NAME = "ingress"


async def action(alb: Alb, ingress: IngressAction, namespace: str, kube: KubeClient) -> Look:
    """What the annotation says now. Refused without the Ingress, and for an action that the lever could not move."""
    place = Place(namespace, ingress)
    try:
        found: Ingress = INGRESSES.one(await kube.get(place.path))
    except NotFound:
        words = f"there is no {place.label} in namespace {namespace} of context {kube.context!r}"
        return Look((refused(_NAME, f"{words}: name the right one in traffic.alb.ingress"),))
    except DecodeError as fault:
        raise Unreachable(f"{place.label}: what the API server sent is no Ingress: {fault}") from None
    return Look((_action(alb, ingress, place, found),), ORIGINAL in found.annotations)


def _action(alb: Alb, ingress: IngressAction, place: Place, found: Ingress) -> Check:
    text = found.annotations.get(place.key)
    if text is None:
        words = f"{place.label} has no annotation {place.key}: write the action there, with both target groups"
        return refused(_NAME, f"{words}, and point the Ingress at it (service name: the action's, port: use-annotation)")
    names = Names(alb.target_groups, ingress.services)
    try:
        weights = {arch: one.weight for arch, one in weights_in(text, names, place.what).items()}
        if not any(weights.values()) and not any(others_in(text, names, place.what).values()):
            return refused(_NAME, f"{place.what}: all of its weights are zero, so there is nothing to go back to")
        if kept := found.annotations.get(ORIGINAL):
            place.recorded(kept)
    except Impossible as fault:
        return refused(_NAME, str(fault))
    said = ", ".join(f"{arch} {weights[arch]}" for arch in Arch)
    return Check(_NAME, Result.PASS, f"{place.label} forwards to both target groups ({said})")
