"""Karpenter's NodePools: what may make new nodes, and what may take nodes away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cockpit.model.cluster import Taint
from cockpit.model.json import Json


@dataclass(frozen=True, slots=True)
class NodePool:
    """A karpenter.sh/v1 NodePool. `limits` and `used` are amounts by resource name, as Kubernetes writes them (`cpu`: `1k`).

    `labels` and `requirements` (node selector requirements, as JSON) are what its nodes have; `policy` is the consolidation's and
    `after` what it waits for (`30s`, `Never`); `budgets` are the nodes that it may take away at a time (`10%`, `0`), those of
    certain hours or reasons left out.
    """

    name: str
    ready: bool = True
    labels: Mapping[str, str] = field(default_factory=dict)
    requirements: tuple[Mapping[str, Json], ...] = ()
    taints: tuple[Taint, ...] = ()
    limits: Mapping[str, str] = field(default_factory=dict)
    used: Mapping[str, str] = field(default_factory=dict)
    policy: str = ""
    after: str = ""
    budgets: tuple[str, ...] = ()
