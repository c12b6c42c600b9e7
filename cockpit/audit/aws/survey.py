"""All surfaces that a playbook names, looked at together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from cockpit.audit.aws import (
    autoscaling,
    brokers,
    builds,
    caches,
    databases,
    domains,
    functions,
    karpenter,
    nodegroups,
    repositories,
    tasks,
    templates,
)
from cockpit.audit.aws.asking import Aws, SessionFactory, absent
from cockpit.audit.aws.choosing import short
from cockpit.audit.aws.compute import Compute
from cockpit.audit.aws.each import UNREADABLE, reason, remedy
from cockpit.clock import Clock, WallClock
from cockpit.connections.kube import KubeClient
from cockpit.errors import CockpitError, Unreachable
from cockpit.model.audit import Progress, Row
from cockpit.model.surfaces import Selection, Surface, Surfaces
from cockpit.rules.portability.aws.verdict import Judged, settle, unknown

Say = Callable[[Progress], None]
PATIENCE = 300.0
"""Wall seconds for one surface, however slow its service answers."""
_LEFT = "the AWS surfaces were not looked at"


@dataclass(frozen=True, slots=True)
class Survey:
    """The rows of all surfaces in the playbook's order, and why a whole area could not be looked at."""

    rows: tuple[Row, ...] = ()
    faults: tuple[str, ...] = ()


async def survey_aws(
    surfaces: Surfaces,
    session: SessionFactory | None,
    say: Say,
    *,
    kube: KubeClient | None = None,
    clock: Clock | None = None,
) -> Survey:
    """Look at every surface. Read-only; nothing but cancellation is raised.

    `session` makes a boto3 session for a Region, None is boto3's own way. Retries wait on `clock`. Without credentials, or with
    those of another account than is meant, no service is asked anything, which is a fault.
    """
    aws = Aws(surfaces, session, clock or WallClock())
    try:
        fault = await _fault(aws, surfaces) if any(_asks_aws(s) for s in surfaces.selections) else ""
        able = [s for s in surfaces.selections if not fault or not _asks_aws(s)]
        looks = _Looks(aws, kube, say, len(able))
        judged = await asyncio.gather(*(looks.look(selection) for selection in able))
    finally:
        aws.close()
    return Survey(settle([one for some in judged for one in some]), (fault,) if fault else ())


def _asks_aws(selection: Selection) -> bool:
    return selection.surface is not Surface.KARPENTER


async def _fault(aws: Aws, surfaces: Surfaces) -> str:
    """Why AWS cannot be asked at all; empty when it can."""
    try:
        account = await aws.account()
    except CockpitError as error:
        return f"{_LEFT}: {reason(error)}"
    if surfaces.account and account != surfaces.account:
        return f"{_LEFT}: the credentials are of account {account}, not of {surfaces.account}"
    return ""


class _Looks:
    """The surfaces under way, and how many of them are done."""

    def __init__(self, aws: Aws, kube: KubeClient | None, say: Say, total: int) -> None:
        self._aws = aws
        self._kube = kube
        self._compute = Compute(aws)
        self._say = say
        self._total = total
        self._done = 0

    async def look(self, selection: Selection) -> list[Judged]:
        """A surface's verdicts; UNKNOWN for all that it names when the service does not say what there is."""
        self._say(Progress(self._done, self._total, f"AWS {selection.surface}"))
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._ask(selection)
        except TimeoutError:
            return _lost(selection, Unreachable(f"not answered within {PATIENCE:g} s"))
        except (CockpitError, *UNREADABLE) as error:
            return _lost(selection, error)
        finally:
            self._done += 1
            self._say(Progress(self._done, self._total, f"AWS {selection.surface}"))

    def _ask(self, selection: Selection) -> Awaitable[list[Judged]]:
        aws, compute = self._aws, self._compute
        match selection.surface:
            case Surface.KARPENTER:
                return karpenter.look(self._kube, selection)
            case Surface.AUTOSCALING:
                return autoscaling.look(aws, selection, compute)
            case Surface.LAUNCH_TEMPLATES:
                return templates.look(aws, selection, compute)
            case Surface.EKS:
                return nodegroups.look(aws, selection, compute)
            case other:
                return _PLAIN[other](aws, selection)


_PLAIN: dict[Surface, Callable[[Aws, Selection], Awaitable[list[Judged]]]] = {
    Surface.LAMBDA: functions.look,
    Surface.ECS: tasks.look,
    Surface.RDS: databases.look,
    Surface.ELASTICACHE: caches.look,
    Surface.OPENSEARCH: domains.look,
    Surface.MSK: brokers.look,
    Surface.ECR: repositories.look,
    Surface.CODEBUILD: builds.look,
}


def _lost(selection: Selection, error: Exception) -> list[Judged]:
    said, right = reason(error), remedy(error)
    if absent(error) and selection.cluster:
        said = f"there is no EKS cluster {selection.cluster} here"
        right = "correct portability.aws.eks.cluster in the playbook, or look at the Region and account"
    names = [short(name) for name in selection.names] + ([f"{selection.prefix}*"] if selection.searches else [])
    return [unknown(selection.surface, name, said, selection.owner, right) for name in names]
