"""The workloads as they stand: there, free to roll, and in nobody else's hands."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from msgspec import DecodeError

from cockpit.connections import decode
from cockpit.connections.kube import KubeClient
from cockpit.errors import CockpitError, NotFound, Refused, Unreachable
from cockpit.model.arch import Arch
from cockpit.model.check import Check, Result
from cockpit.model.cluster import Deployment, Node, Ref
from cockpit.model.playbook import AffinityMode, Playbook
from cockpit.preflight.look import Look, refused
from cockpit.preflight.neighbours import neighbours
from cockpit.rules.original import ORIGINAL
from cockpit.rules.owners import owners
from cockpit.rules.placing import pinned, spread_thin


async def workloads(playbook: Playbook, kube: KubeClient) -> Look:
    """Every workload of the playbook, and what else acts on it. Refused for one that is not there."""
    refs = playbook.target.workloads
    deployments = await asyncio.gather(*(_deployment(kube, ref) for ref in refs))
    there = Check("workloads", Result.PASS, ", ".join(str(ref) for ref in refs))
    moved = _moved(playbook)
    nodes = await _nodes(kube) if any(d.spreads for d in deployments) else ()
    found = [check for d in deployments for check in _facts(playbook, d, moved.get(d.name, ()), nodes)]
    others = await neighbours(kube, playbook.target.namespace, deployments)
    return Look((there, *found, *others), any(ORIGINAL in d.annotations for d in deployments))


def _moved(playbook: Playbook) -> dict[str, tuple[Arch, ...]]:
    """By workload, the architectures that phases send it to."""
    found: dict[str, tuple[Arch, ...]] = {}
    for phase in playbook.phases:
        if phase.affinity and phase.affinity.mode is not AffinityMode.NONE:
            name = phase.affinity.workload.name
            found[name] = tuple(dict.fromkeys((*found.get(name, ()), phase.affinity.arch)))
    return found


def _facts(playbook: Playbook, deployment: Deployment, sent: Sequence[Arch], nodes: Sequence[Node]) -> Iterator[Check]:
    yield from _owned(deployment, suspended=playbook.target.gitops == "suspended")
    if not sent:
        return
    name = f"deployment/{deployment.name}"
    if deployment.paused:
        command = f"kubectl -n {deployment.namespace} rollout resume {name}"
        yield refused("paused", f"{name} is paused, so no pod of it would move: {command}")
    for arch in sent:
        if words := pinned(deployment, arch):
            yield refused("node selector", words)
        for words in spread_thin(deployment, arch, nodes):
            yield Check("topology spread", Result.WARN, words)


def _owned(deployment: Deployment, *, suspended: bool) -> Iterator[Check]:
    for owner in owners(deployment):
        if owner.reverts and not suspended:
            yield refused("owners", f"{owner}; then say so in the playbook: target.gitops: suspended")
        elif owner.reverts:
            words = f"{owner.words} unless it is suspended, as target.gitops says"
            yield Check("owners", Result.WARN, words)
        else:
            yield Check("owners", Result.WARN, str(owner))


async def _deployment(kube: KubeClient, ref: Ref) -> Deployment:
    try:
        return decode.deployment(await kube.get(f"/apis/apps/v1/namespaces/{ref.namespace}/deployments/{ref.name}"))
    except NotFound:
        raise Refused(f"there is no {ref} in namespace {ref.namespace} of context {kube.context!r}") from None
    except DecodeError as error:
        raise Unreachable(f"{ref}: what the API server sent is no Deployment: {error}") from None


async def _nodes(kube: KubeClient) -> tuple[Node, ...]:
    found: list[Node] = []
    try:
        async for page in kube.pages("/api/v1/nodes"):
            found += decode.NODES.page(page).items
    except (CockpitError, DecodeError):
        return ()  # the check of permissions says why
    return tuple(found)
