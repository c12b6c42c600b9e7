"""Detectors of workloads that cannot become what they should: a stuck roll, a quota, an autoscaler at its limit, mixed arches."""

from __future__ import annotations

from collections.abc import Iterator

from cockpit.model import quantity
from cockpit.model.arch import ARCH_LABELS, Arch
from cockpit.model.cluster import Condition, Deployment, KubeEvent, Quota
from cockpit.model.finding import Certainty, Finding
from cockpit.model.finding import FindingKind as K
from cockpit.rules.affinity import pinned_to, preference_for
from cockpit.rules.matrix import commands
from cockpit.rules.matrix.binaries import CRASHING, PULLING
from cockpit.rules.matrix.compose import finding, oldest
from cockpit.rules.matrix.revisions import LONG_AGO, REVISION
from cockpit.rules.matrix.scene import Member, Scene, ref_of
from cockpit.rules.matrix.sides import of_member, of_workload

EXCEEDED = "exceeded quota"
_COMPUTE = ("pods", "count/pods", "cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory")


def one_arch_stuck(scene: Scene, explained: frozenset[str] = frozenset()) -> Iterator[Finding]:
    """The newest revision fails on one architecture and is Ready on the other. Pods in `explained` have a cause of their own."""
    for deployment in scene.deployments:
        members = _newest(scene, deployment)
        by_arch = {arch: sorted((m for m in members if m.arch == arch), key=lambda m: m.name) for arch in Arch}
        for arch in Arch:
            here, there = by_arch[arch], by_arch[arch.other]
            failing = [m for m in here if _failing(m)]
            fine = any(m.pod.ready for m in there) and not any(_failing(m) for m in there)
            if not failing or any(m.pod.ready for m in here) or not fine or explained.issuperset(m.name for m in failing):
                continue
            first = failing[0]
            container = next(c for c in first.pod.containers if not c.ready)
            words = f"{container.name}: {container.waiting or container.ended}: {container.message}".rstrip(": ")
            yield finding(
                scene, K.ONE_ARCH_STUCK, [m.name for m in failing],
                f"{len(failing)} of {len(here)} fail on {arch}, {len(there)} run on {arch.other}; {words}",
                commands.last_words(first.pod, container), since=oldest(failing), side=of_member(scene, first),
                certainty=Certainty.LIKELY, what=str(ref_of(deployment)), arch=str(arch),
            )  # fmt: skip


def _newest(scene: Scene, deployment: Deployment) -> list[Member]:
    members = scene.of(ref_of(deployment))
    if not any(m.owner == ref_of(deployment) for m in scene.sick):
        return []
    newest = max(members, key=lambda m: (m.pod.created or LONG_AGO, m.name), default=None)
    return [m for m in members if newest and m.pod.labels.get(REVISION) == newest.pod.labels.get(REVISION)]


def _failing(member: Member) -> bool:
    """A container crashes or cannot be pulled; one that is only starting does not."""
    bad = CRASHING | PULLING
    return not member.pod.ready and any(
        not c.ready and (c.waiting in bad or (not c.init and c.exit_code not in (None, 0))) for c in member.pod.containers
    )


def progress_deadline(scene: Scene) -> Iterator[Finding]:
    """A roll that the controller calls stuck."""
    for deployment in scene.deployments:
        found = _condition(deployment.conditions, "Progressing", "False", "ProgressDeadlineExceeded")
        if found:
            ref = ref_of(deployment)
            yield finding(
                scene, K.PROGRESS_DEADLINE, [f"Deployment/{ref.name}"],
                f"{deployment.updated} of {deployment.replicas} updated, {deployment.available} available: {found.message}",
                commands.kubectl(ref.namespace, "rollout", "status", str(ref), "--timeout", "5s"),
                since=found.since, side=of_workload(scene, ref), what=str(ref),
            )  # fmt: skip


def quota(scene: Scene) -> Iterator[Finding]:
    """Pods that a quota keeps from being created, and quotas in which nothing is left for one more."""
    for deployment in scene.deployments:
        failure = _condition(deployment.conditions, "ReplicaFailure", "True", "FailedCreate")
        event = _refused(scene, deployment)
        message = failure.message if failure and EXCEEDED in failure.message else event.message if event else ""
        if message:
            yield finding(
                scene, K.QUOTA, [f"Deployment/{deployment.name}"], message,
                commands.kubectl(deployment.namespace, "describe", "resourcequota"),
                since=failure.since if failure and EXCEEDED in failure.message else None,
                count=event.count if event else 1, side=of_workload(scene, ref_of(deployment)), what=str(ref_of(deployment)),
            )  # fmt: skip
    for found in scene.quotas:
        if full := _full(found):
            yield finding(
                scene, K.QUOTA, [f"ResourceQuota/{found.name}"], f"used up: {', '.join(full)}",
                commands.describe(found.namespace, "resourcequota", found.name), what=found.name,
            )  # fmt: skip


def _refused(scene: Scene, deployment: Deployment) -> KubeEvent | None:
    """The newest Event by which a pod of the Deployment was refused, while it still lacks pods."""
    if deployment.total >= deployment.replicas and deployment.updated >= deployment.replicas:
        return None
    owner = f"ReplicaSet/{deployment.name}-"
    about = (
        e
        for e in scene.events
        if e.namespace == deployment.namespace
        and e.reason == "FailedCreate"
        and EXCEEDED in e.message
        # A ReplicaSet is named after its Deployment and one hash: no further dash may follow.
        and e.regarding.startswith(owner)
        and "-" not in e.regarding[len(owner) :]
    )
    return max(about, key=lambda e: (e.time, e.name), default=None)


def _full(of: Quota) -> list[str]:
    if of.scoped:
        return []
    return [f"{name} {of.used[name]} of {of.hard[name]}" for name in _COMPUTE if name in of.hard and _used_up(of, name)]


def _used_up(of: Quota, name: str) -> bool:
    try:
        return name in of.used and quantity.parse(of.used[name]) >= quantity.parse(of.hard[name])
    except ValueError:
        return False


def hpa_at_maximum(scene: Scene) -> Iterator[Finding]:
    """An autoscaler that would scale further than it may. One of a fixed size is not meant to scale."""
    for found in scene.autoscalers:
        limited = _condition(found.conditions, "ScalingLimited", "True", "TooManyReplicas")
        if limited and found.maximum > found.minimum and found.current >= found.maximum:
            yield finding(
                scene, K.HPA_AT_MAXIMUM, [f"HorizontalPodAutoscaler/{found.name}"],
                f"{found.current} of at most {found.maximum} pods of {found.target}: {limited.message}",
                commands.describe(found.namespace, "hpa", found.name),
                since=limited.since, side=of_workload(scene, found.target), what=str(found.target),
            )  # fmt: skip


def mixed_arches(scene: Scene) -> Iterator[Finding]:
    """A Deployment with pods on both architectures whose template neither pins nor prefers one."""
    for deployment in scene.deployments:
        members = scene.of(ref_of(deployment))
        on = {arch: sum(m.arch == arch for m in members) for arch in Arch}
        if all(on.values()) and not _decided(deployment):
            ref = ref_of(deployment)
            yield finding(
                scene, K.MIXED_ARCHES, [f"Deployment/{ref.name}"],
                f"{on[Arch.AMD64]} pods on amd64, {on[Arch.ARM64]} on arm64, no arch in affinity or nodeSelector",
                commands.pods_wide(ref, dict(deployment.selector)), side=scene.away, what=str(ref),
            )  # fmt: skip


def _decided(deployment: Deployment) -> bool:
    if not deployment.node_selector.keys().isdisjoint(ARCH_LABELS):
        return True
    pinned = pinned_to(deployment.affinity, deployment.node_selector)
    return pinned is not None or any(preference_for(deployment.affinity, arch) for arch in Arch)


def _condition(conditions: tuple[Condition, ...], kind: str, status: str, reason: str) -> Condition | None:
    return next((c for c in conditions if (c.type, c.status, c.reason) == (kind, status, reason)), None)
