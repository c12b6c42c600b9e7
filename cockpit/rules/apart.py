"""What keeps a workload's pods from one another and from others: topology spread and required pod anti-affinity.

Source: the scheduler's filters PodTopologySpread and InterPodAffinity (pkg/scheduler/framework/plugins). Both count the pods of a
domain, which a node label names. What other pods' own anti-affinity has against this workload is not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cockpit.model.cluster import Deployment, Neighbour
from cockpit.model.json import Json
from cockpit.model.placement import Spread
from cockpit.rules.affinity import REQUIRED
from cockpit.rules.selectors import matches


@dataclass(frozen=True, slots=True)
class Count:
    """Pods that count in a domain of nodes with the same value of `key`: at most `skew` more than where there are fewest.

    `alone` instead: no pod where there is one that counts already, and `skew` means nothing. `own`: the workload's pods count
    themselves. `others` are the pods of other workloads that count, by node.
    """

    key: str
    own: bool
    others: Mapping[str, int]
    alone: bool = False
    skew: int = 1
    domains: int = 1
    honors_affinity: bool = True
    honors_taints: bool = False


@dataclass(frozen=True, slots=True)
class Apart:
    """All counts that hold for a workload's pods, and those beside which they must be (`near`: in a domain with one that counts).

    `unjudged` says what else holds that is not understood here.
    """

    counts: tuple[Count, ...] = ()
    near: tuple[Count, ...] = ()
    unjudged: str = ""

    def __bool__(self) -> bool:
        return bool(self.counts or self.near)


def apart(deployment: Deployment, affinity: Json, neighbours: Sequence[Neighbour]) -> Apart:
    """What holds for a Deployment's pods once `affinity` is theirs, among the pods of its namespace."""
    away, beside = _terms(affinity, "podAntiAffinity"), _terms(affinity, "podAffinity")
    if not deployment.spreads and not away and not beside:
        return Apart()
    labels = deployment.template_labels or deployment.selector
    strangers = [n for n in neighbours if not deployment.selector.items() <= n.labels.items()]
    spread = (_spread(s, labels, strangers) for s in deployment.spreads)
    near = tuple(_alone(t, labels, strangers) for t in beside)
    return Apart((*spread, *(_alone(t, labels, strangers) for t in away)), near, _unjudged([*away, *beside], near))


def _unjudged(terms: Sequence[Mapping[str, Json]], near: Sequence[Count]) -> str:
    if any(t.get("namespaces") or t.get("namespaceSelector") is not None for t in terms):
        return "pod affinity with other namespaces"
    return "pod affinity of the workload to itself" if any(n.own for n in near) else ""


def _spread(of: Spread, labels: Mapping[str, str], strangers: Sequence[Neighbour]) -> Count:
    return Count(
        of.key, matches(of.selector, labels), _by_node(of.selector, strangers), skew=of.skew, domains=of.domains,
        honors_affinity=of.honors_affinity, honors_taints=of.honors_taints,
    )  # fmt: skip


def _alone(term: Mapping[str, Json], labels: Mapping[str, str], strangers: Sequence[Neighbour]) -> Count:
    selector = term.get("labelSelector")
    return Count(str(term.get("topologyKey", "")), matches(selector, labels), _by_node(selector, strangers), alone=True)


def _by_node(selector: Json, strangers: Sequence[Neighbour]) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for one in strangers:
        if matches(selector, one.labels):
            found[one.node] = found.get(one.node, 0) + 1
    return found


def _terms(affinity: Json, kind: str) -> list[dict[str, Json]]:
    part = affinity.get(kind) if isinstance(affinity, dict) else None
    found = part.get(REQUIRED) if isinstance(part, dict) else None
    return [t for t in found if isinstance(t, dict)] if isinstance(found, list) else []
