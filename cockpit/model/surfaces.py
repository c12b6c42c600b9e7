"""The AWS surfaces around a tier that an audit looks at: which service, and which of its resources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Surface(StrEnum):
    """A part of AWS that has an architecture of its own to choose, as playbooks and components write it."""

    LAUNCH_TEMPLATES = "launch_templates"
    AUTOSCALING = "autoscaling"
    EKS = "eks"
    """Managed node groups of one cluster."""
    KARPENTER = "karpenter"
    """NodePools, which Kubernetes is asked for."""
    LAMBDA = "lambda"
    ECS = "ecs"
    """Task definitions, by family."""
    RDS = "rds"
    """DB instances, those of Aurora among them, and the clusters that they are in."""
    ELASTICACHE = "elasticache"
    OPENSEARCH = "opensearch"
    MSK = "msk"
    ECR = "ecr"
    CODEBUILD = "codebuild"


@dataclass(frozen=True, slots=True)
class Selection:
    """What is looked at on one surface: everything in `names` (each must be there), and whatever has both `prefix` and `tags`.

    `names` are names or ARNs. `owner` does what the rows ask for. `cluster` is the EKS cluster of node groups, `tag` the image
    tag that is looked at in ECR repositories (empty: the newest one).
    """

    surface: Surface
    names: tuple[str, ...] = ()
    prefix: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    owner: str = ""
    cluster: str = ""
    tag: str = ""

    @property
    def searches(self) -> bool:
        """More is meant than what is named."""
        return bool(self.prefix or self.tags)


@dataclass(frozen=True, slots=True)
class Surfaces:
    """Where they are and which are looked at, in the playbook's order. Any other `account` than this one is not looked at."""

    region: str
    selections: tuple[Selection, ...]
    account: str | None = None
    endpoint_url: str | None = None
