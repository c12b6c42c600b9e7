"""Before the first write: is this the cluster and the account that the playbook is for, and may we do what it asks?"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import msgspec

from cockpit.connections.aws import Elb
from cockpit.connections.cloudwatch import CloudWatchClient, Metric
from cockpit.connections.kube import KubeClient
from cockpit.errors import CockpitError, NotFound, Refused, Unreachable
from cockpit.model.json import Json
from cockpit.model.playbook import CloudWatch, Playbook
from cockpit.text import clean

AT_ONCE = 8
"""Permissions asked about side by side: each one more costs a connection, which takes longer than the question."""

T = TypeVar("T")


class _Metadata(msgspec.Struct):
    uid: str


class _Namespace(msgspec.Struct):
    metadata: _Metadata


class _Access(msgspec.Struct):
    allowed: bool = False


class _Review(msgspec.Struct):
    status: _Access = msgspec.field(default_factory=_Access)


@dataclass(frozen=True, slots=True)
class Permission:
    """A verb on a resource (`pods/exec` for a subresource), as RBAC sees it; `namespace` is empty for the whole cluster."""

    verb: str
    group: str
    resource: str
    namespace: str = ""

    def __str__(self) -> str:
        name = f"{self.resource}.{self.group}" if self.group else self.resource
        return f"{self.verb} {name}" + (f" in namespace {self.namespace}" if self.namespace else " in the whole cluster")


def permissions(playbook: Playbook, *, writes: bool) -> Iterator[Permission]:
    """Every permission that the sources need, and the levers too when `writes`."""
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
    if writes and playbook.probes.exec:
        # A websocket begins with a GET, which older API servers ask `get` for, newer ones `create` as well.
        yield from (Permission(verb, "", "pods/exec", home) for verb in ("get", "create"))
    if writes and any(phase.affinity for phase in playbook.phases):
        yield Permission("patch", "apps", "deployments", home)


async def preflight(
    playbook: Playbook,
    kube: KubeClient | None,
    elb: Elb | None,
    cloudwatch: CloudWatchClient | None = None,
    *,
    writes: bool = True,
) -> tuple[str, ...]:
    """What was checked and found in order. Refused with every fault at once; Unreachable when a server does not answer."""
    checks = [*_identities(playbook, kube, elb).values()]
    if kube:
        checks += [_workloads(playbook, kube), _allowed(kube, list(permissions(playbook, writes=writes)))]
    if elb and playbook.alb:
        checks.append(_rules(playbook, elb))
    if cloudwatch and playbook.cloudwatch:
        checks.append(_cloudwatch(playbook.cloudwatch, cloudwatch))
    return await _all(checks)


async def doubts(playbook: Playbook, kube: KubeClient | None, elb: Elb | None) -> Mapping[str, CockpitError]:
    """Whether this is the cluster and the account that the playbook names: all that a rollback asks for.

    By the lever that writes there: Refused when it is another one, any other error when that could not be asked.
    """
    checks = _identities(playbook, kube, elb)
    found: dict[str, CockpitError] = {}
    for lever, result in zip(checks, await asyncio.gather(*checks.values(), return_exceptions=True), strict=True):
        if isinstance(result, CockpitError):
            found[lever] = result
        elif isinstance(result, BaseException):
            raise result
    return found


def _identities(playbook: Playbook, kube: KubeClient | None, elb: Elb | None) -> dict[str, Coroutine[None, None, str]]:
    checks = {"affinity": _cluster(playbook, kube)} if kube else {}
    return checks | ({"weights": _account(playbook, elb)} if elb and playbook.alb else {})


async def _all(checks: Sequence[Coroutine[None, None, str]]) -> tuple[str, ...]:
    """Every check side by side; one fault is raised as it is, several as one Refused that says them all."""
    results = await asyncio.gather(*checks, return_exceptions=True)
    faults = [r for r in results if isinstance(r, BaseException)]
    for fault in faults:
        if len(faults) == 1 or not isinstance(fault, CockpitError):
            raise fault
    if faults:
        # One cause (expired credentials, say) makes every check fail with the same words.
        words = list(dict.fromkeys(str(f) for f in faults))
        raise faults[0] if len(words) == 1 else Refused("\n".join(words))
    return tuple(str(r) for r in results if r)


async def _cluster(playbook: Playbook, kube: KubeClient) -> str:
    wanted = playbook.target.cluster_uid
    if wanted is None:
        return ""
    answer = _decoded(await kube.get("/api/v1/namespaces/kube-system"), _Namespace, kube)
    found = clean(answer.metadata.uid, 80)
    if found != wanted:
        raise Refused(
            f"context {kube.context!r} is another cluster: its kube-system namespace has UID {found}, "
            f"the playbook's target.cluster_uid is {wanted}; choose the right --context"
        )
    return f"cluster: {found}"


async def _workloads(playbook: Playbook, kube: KubeClient) -> str:
    namespace = playbook.target.namespace
    for ref in playbook.target.workloads:
        try:
            await kube.get(f"/apis/apps/v1/namespaces/{namespace}/deployments/{ref.name}")
        except NotFound:
            raise Refused(f"there is no {ref} in namespace {namespace} of context {kube.context!r}") from None
    return f"workloads: {', '.join(str(r) for r in playbook.target.workloads)}"


async def _allowed(kube: KubeClient, wanted: list[Permission]) -> str:
    turns = asyncio.Semaphore(AT_ONCE)

    async def asked(permission: Permission) -> bool:
        async with turns:
            return await _may(kube, permission)

    # All are waited for: none may still be using the connections when the first one's failure closes them.
    answers = await asyncio.gather(*map(asked, wanted), return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    denied = [str(p) for p, allowed in zip(wanted, answers, strict=True) if not allowed]
    if denied:
        raise Refused(f"context {kube.context!r} may not: {'; '.join(denied)}")
    return f"permissions: {len(wanted)} checked"


async def _may(kube: KubeClient, permission: Permission) -> bool:
    resource, _, sub = permission.resource.partition("/")
    attributes: dict[str, Json] = {"verb": permission.verb, "group": permission.group, "resource": resource}
    if sub:
        attributes["subresource"] = sub
    if permission.namespace:
        attributes["namespace"] = permission.namespace
    review: dict[str, Json] = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    answer = await kube.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
    return _decoded(answer, _Review, kube).status.allowed


def _decoded(raw: bytes, kind: type[T], kube: KubeClient) -> T:
    """An answer's body. Unreachable when it is something else, as a proxy's page is."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        words = f"its answer cannot be read ({clean(str(error), 200)}): is a proxy in between?"
        raise Unreachable(f"API server {kube.server}: {words}") from error


async def _account(playbook: Playbook, elb: Elb) -> str:
    wanted = playbook.alb.account if playbook.alb else None
    if wanted is None:
        return ""
    found = clean(await elb.account(), 80)
    if not found:
        raise Unreachable(f"AWS at {elb.endpoint} named no account for these credentials")
    if found != wanted:
        raise Refused(f"these credentials are of account {found}, the playbook's traffic.alb.account is {wanted}")
    return f"account: {found}"


async def _rules(playbook: Playbook, elb: Elb) -> str:
    if playbook.alb is None:
        return ""
    rules = await elb.rules(playbook.alb.listeners, playbook.alb.rules)
    for rule in rules:
        for arch, group in playbook.alb.target_groups.items():
            if group not in rule.weights:
                raise Refused(
                    f"the {arch} target group is not in {rule.arn}: attach both groups to the rule first, "
                    "the new one at weight 0 (a group in no rule has no health checks)"
                )
    return f"rules: {len(rules)} with both target groups"


async def _cloudwatch(config: CloudWatch, cloudwatch: CloudWatchClient) -> str:
    """Whether cloudwatch:GetMetricData is allowed. A target group without traffic has no data points, and that is in order."""
    end = datetime.now(UTC).replace(second=0, microsecond=0)
    metrics = [Metric("RequestCount", "Sum", group) for group in config.target_groups.values()]
    for points in (await cloudwatch.points(metrics, end - timedelta(minutes=5), end)).values():
        if points.fault:
            raise points.fault
    return f"cloudwatch: {config.load_balancer} in {config.region} may be read"
