"""All checks side by side, in the order in which a person reads them."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence

from cockpit.connections.aws import Elb
from cockpit.connections.cloudwatch import CloudWatchClient
from cockpit.connections.kube import KubeClient
from cockpit.errors import CockpitError, Refused
from cockpit.model.check import Check, Report
from cockpit.model.pin import Pin
from cockpit.model.playbook import Playbook
from cockpit.preflight import ingress
from cockpit.preflight.balancer import balancer
from cockpit.preflight.identity import Place, identities, joined
from cockpit.preflight.look import Look, eased, failed
from cockpit.preflight.metrics import readable
from cockpit.preflight.past import over
from cockpit.preflight.permissions import allowed
from cockpit.preflight.workloads import workloads

_TITLES = {"affinity": "cluster", "weights": "account"}


async def preflight(
    playbook: Playbook,
    kube: KubeClient | None,
    elb: Elb | None,
    cloudwatch: CloudWatchClient | None = None,
    *,
    writes: bool = True,
) -> Report:
    """What was checked. Refused with every fault at once; a single one is raised as what it is (Unreachable, Unauthorized...)."""
    report = await inspect(playbook, kube, elb, cloudwatch, writes=writes)
    if refused := report.refused:
        raise _one(refused)
    return report


async def inspect(
    playbook: Playbook,
    kube: KubeClient | None,
    elb: Elb | None,
    cloudwatch: CloudWatchClient | None = None,
    *,
    writes: bool = True,
) -> Report:
    """What was checked, refusals too: what could not be asked is one as well."""
    places = [_place(name, check) for name, check in identities(playbook, kube, elb).items()]
    looks: list[Coroutine[None, None, Look]] = []
    if kube:
        looks.append(_look("permissions", _alone(allowed(kube, playbook, writes=writes))))
        looks.append(_look("workloads", workloads(playbook, kube)))
    if kube and playbook.alb and playbook.alb.ingress:
        home = playbook.target.namespace
        looks.append(_look("ingress", ingress.action(playbook.alb, playbook.alb.ingress, home, kube)))
    if elb and playbook.alb:
        looks.append(_look("rules", balancer(playbook.alb, elb, playbook.target.from_arch)))
    if cloudwatch and playbook.cloudwatch:
        looks.append(_look("cloudwatch", _alone(readable(playbook.cloudwatch, cloudwatch))))
    found, seen = await asyncio.gather(asyncio.gather(*places), asyncio.gather(*looks))
    under_way = any(look.under_way for look in seen) and not (kube and await over(playbook, kube))
    checks = [check for place in found for check in place.checks]
    checks += [eased(check) if under_way else check for look in seen for check in look.checks]
    return Report(tuple(checks), joined(found))


async def _place(name: str, check: Coroutine[None, None, Place]) -> Place:
    try:
        return await check
    except CockpitError as fault:
        return Place(Pin(), (failed(_TITLES[name], fault),))


async def _look(name: str, look: Coroutine[None, None, Look]) -> Look:
    try:
        return await look
    except CockpitError as fault:
        return Look((failed(name, fault),))


async def _alone(checks: Coroutine[None, None, list[Check]]) -> Look:
    return Look(tuple(await checks))


def _one(refused: Sequence[Check]) -> CockpitError:
    # One cause (expired credentials, say) makes every check fail with the same words.
    words = list(dict.fromkeys(check.words for check in refused))
    first = refused[0].fault
    return first if first and len(words) == 1 else Refused("\n".join(words))
