"""What RBAC must allow, verb by verb, as SelfSubjectAccessReview tells it. A review keeps nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from cockpit.connections.kube import KubeClient
from cockpit.connections.permits import Permission, permitted
from cockpit.errors import Refused
from cockpit.model.check import Check, Result
from cockpit.model.playbook import Playbook

AT_ONCE = 8
"""Permissions asked about side by side: each one more costs a connection, which takes longer than the question."""
NAME = "permissions"


def permissions(playbook: Playbook, *, writes: bool) -> Iterator[Permission]:
    """Every permission that the sources need, and the levers and controls too when `writes`."""
    home = playbook.target.namespace
    places = dict.fromkeys([home, *(a.daemonset.namespace for a in playbook.agents)])
    watched = [("", "nodes", [""]), ("", "pods", places), ("apps", "deployments", [home]), ("", "events", [home])]
    watched += [("autoscaling", "horizontalpodautoscalers", [home]), ("", "resourcequotas", [home])]
    watched += [("apps", "daemonsets", [""])]
    for group, resource, where in watched:
        for namespace in where:
            for verb in ("list", "watch"):
                yield Permission(verb, group, resource, namespace)
    yield Permission("list", "", "pods")
    yield Permission("get", "apps", "deployments", home)
    if playbook.alb and playbook.alb.ingress:
        yield from (Permission(verb, "networking.k8s.io", "ingresses", home) for verb in ("get", "list", "watch"))
    if writes:
        yield from _writing(playbook, home)


def _writing(playbook: Playbook, home: str) -> Iterator[Permission]:
    if playbook.probes.exec:
        # A websocket begins with a GET, which older API servers ask `get` for, newer ones `create` as well.
        yield from (Permission(verb, "", "pods/exec", home) for verb in ("get", "create"))
    if any(phase.affinity for phase in playbook.phases):
        yield Permission("patch", "apps", "deployments", home)
    if playbook.alb and playbook.alb.ingress:
        yield Permission("patch", "networking.k8s.io", "ingresses", home)
    yield from (Permission(v, "coordination.k8s.io", "leases", home) for v in ("get", "list", "create", "update", "delete"))
    yield Permission("create", "", "configmaps", home)  # what is made has no name yet, as far as RBAC is concerned
    record = f"cutover-cockpit-{playbook.name}"
    yield from (Permission(verb, "", "configmaps", home, record) for verb in ("get", "list", "watch", "update"))
    yield from (Permission(verb, "", "configmaps", home, f"{record}-approval") for verb in ("get", "update"))


def optional(playbook: Playbook, *, writes: bool) -> Iterator[Permission]:
    """What the cockpit makes use of where it is allowed, and does without where it is not.

    What the portability audit may not list it says itself, and its gate stays shut: nobody is kept from looking or rolling back.
    """
    home = playbook.target.namespace
    yield Permission("list", "policy", "poddisruptionbudgets", home)
    yield Permission("list", "karpenter.sh", "nodepools")
    if playbook.portability.require != "off":
        audited = {"apps": ("statefulsets", "replicasets"), "batch": ("jobs", "cronjobs"), "": ("replicationcontrollers",)}
        yield from (Permission("list", group, resource, home) for group, names in audited.items() for resource in names)
    if not writes:
        # Who has the controls, and how far the run is: for whoever only looks.
        yield from (Permission(verb, "coordination.k8s.io", "leases", home) for verb in ("get", "list"))
        yield from (Permission(v, "", "configmaps", home, f"cutover-cockpit-{playbook.name}") for v in ("get", "list", "watch"))


async def allowed(kube: KubeClient, playbook: Playbook, *, writes: bool) -> list[Check]:
    """One check of everything that is needed, and one of what is not, where that is denied."""
    needed, more = list(permissions(playbook, writes=writes)), list(optional(playbook, writes=writes))
    answers = await _ask(kube, [*needed, *more])
    denied = [str(p) for p in needed if not answers[p]]
    if denied:
        fault = Refused(f"context {kube.context!r} may not: {'; '.join(denied)}")
        found = [Check(NAME, Result.REFUSED, str(fault), fault)]
    else:
        found = [Check(NAME, Result.PASS, f"{len(needed)} checked")]
    missing = [str(p) for p in more if not answers[p]]
    words = f"context {kube.context!r} may not, and the cockpit does without: {'; '.join(missing)}"
    return [*found, Check("more permissions", Result.WARN, words)] if missing else found


async def _ask(kube: KubeClient, wanted: Sequence[Permission]) -> dict[Permission, bool]:
    turns = asyncio.Semaphore(AT_ONCE)

    async def asked(permission: Permission) -> bool:
        async with turns:
            return await permitted(kube, permission)

    # All are waited for: none may still be using the connections when the first one's failure closes them.
    answers = await asyncio.gather(*map(asked, wanted), return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return {p: answer is True for p, answer in zip(wanted, answers, strict=True)}
