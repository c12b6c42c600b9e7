"""Which cluster and which account this is, to be pinned for the run, and whether they are those that the playbook names."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from cockpit.connections.aws import Elb
from cockpit.connections.kube import KubeClient
from cockpit.errors import CockpitError, Refused, Unreachable
from cockpit.model.check import Check, Result
from cockpit.model.pin import Pin
from cockpit.model.playbook import Playbook
from cockpit.text import clean

DOUBT_SECONDS = 1.0
"""How long (wall time) a rollback waits to hear where it is before it begins."""


@dataclass(frozen=True, slots=True)
class Place:
    """What an identity check found: the pin's part that it is about, and the checks."""

    pin: Pin
    checks: tuple[Check, ...]


async def cluster(playbook: Playbook, kube: KubeClient) -> Place:
    """The cluster's identity. Refused for another one than the playbook names."""
    found, wanted = await kube.identity(), playbook.target.cluster_uid
    if wanted and found != wanted:
        raise Refused(
            f"context {kube.context!r} is another cluster: its kube-system namespace has UID {found}, "
            f"the playbook's target.cluster_uid is {wanted}; choose the right --context"
        )
    return Place(Pin(cluster_uid=found, authority=kube.authority), (Check("cluster", Result.PASS, found), _authority(kube)))


def _authority(kube: KubeClient) -> Check:
    """With what the server proves to be who it is."""
    if kube.authority:
        return Check("API CA", Result.PASS, f"SHA-256 {kube.authority[:16]}…, as the kubeconfig names it")
    where = urlsplit(kube.server)
    host = where.hostname or ""
    if host == "localhost" or host.startswith("127."):
        return Check("API CA", Result.PASS, f"none is named for this machine's own {kube.server}")
    if where.scheme == "https" and kube.verifies:
        return Check("API CA", Result.PASS, "the certificates that this machine trusts; the kubeconfig names none")
    words = f"nothing proves that {kube.server} is the cluster's API server but its word"
    return Check("API CA", Result.WARN, f"{words}: name a certificate-authority in the kubeconfig")


async def account(playbook: Playbook, elb: Elb) -> Place:
    """The credentials' account. Refused for another one than the playbook, or an ARN in it, names."""
    found = clean(await elb.account(), 80)
    if not found:
        raise Unreachable(f"AWS at {elb.endpoint} named no account for these credentials")
    for what, wanted in _accounts(playbook):
        if found != wanted:
            raise Refused(f"these credentials are of account {found}, the playbook's {what} is {wanted}")
    return Place(Pin(account=found), (Check("account", Result.PASS, found),))


def _accounts(playbook: Playbook) -> list[tuple[str, str]]:
    if playbook.alb is None:
        return []
    return [("traffic.alb.account", playbook.alb.account)] if playbook.alb.account else []


def joined(places: list[Place]) -> Pin:
    """One pin of all that is known."""
    pin = Pin()
    for place in places:
        known = {key: value for key, value in place.pin.as_json().items() if isinstance(value, str) and value}
        pin = replace(pin, **known)
    return pin


def identities(playbook: Playbook, kube: KubeClient | None, elb: Elb | None) -> dict[str, Coroutine[None, None, Place]]:
    """The checks by the lever that writes there."""
    checks: dict[str, Coroutine[None, None, Place]] = {"affinity": cluster(playbook, kube)} if kube else {}
    return checks | ({"weights": account(playbook, elb)} if elb and playbook.alb else {})


async def doubts(playbook: Playbook, kube: KubeClient | None, elb: Elb | None) -> Mapping[str, CockpitError]:
    """Whether this is the cluster and the account that the playbook names: all that a rollback asks for, and not for long.

    By the lever that writes there: Refused when it is another one, any other error when that could not be asked in time. What was
    found, or else what the playbook names, is pinned: nothing is written elsewhere from then on.
    """
    if kube and playbook.target.cluster_uid:
        kube.pin(playbook.target.cluster_uid)
    if elb and playbook.alb and playbook.alb.account:
        elb.pin(playbook.alb.account)
    checks = identities(playbook, kube, elb)
    found: dict[str, CockpitError] = {}
    for lever, result in zip(checks, await asyncio.gather(*map(_in_time, checks.values()), return_exceptions=True), strict=True):
        if isinstance(result, CockpitError):
            found[lever] = result
        elif isinstance(result, BaseException):
            raise result
        else:
            fix(result.pin, kube, elb)
    return found


def fix(pin: Pin, kube: KubeClient | None, elb: Elb | None) -> None:
    """Let nothing be written anywhere but where `pin` says, as far as it says anything."""
    if kube and pin.cluster_uid:
        kube.pin(pin.cluster_uid)
    if elb and pin.account:
        elb.pin(pin.account)


async def _in_time(check: Coroutine[None, None, Place]) -> Place:
    try:
        return await asyncio.wait_for(check, DOUBT_SECONDS)
    except TimeoutError:
        raise Unreachable(f"which cluster or account this is was not answered within {DOUBT_SECONDS:.0f} s") from None
