"""The part of a playbook's shape that says which AWS surfaces around the tier are audited."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from cockpit.playbook.fields import Account, Line, Part, Region, Url

_SOME: dict[str, Any] = {"anyOf": [{"required": [key]} for key in ("names", "prefix", "tags")]}


class Chosen(Part):
    """What is looked at: all that is named, and whatever has both the prefix and the tags."""

    model_config = ConfigDict(json_schema_extra=_SOME)

    names: list[Line] = Field(
        default=[], max_length=200, description="Names or ARNs. One that is not there is red.", examples=[["payments-orders"]]
    )
    prefix: Line | None = Field(default=None, description="How names begin.", examples=["payments-"])
    tags: dict[Line, Line] = Field(
        default={}, max_length=20, description="Tags that all must be there, with these values.", examples=[{"tier": "payments"}]
    )
    owner: Line | None = Field(
        default=None, description="Who does what these rows ask for; left out, portability.aws.owner.", examples=["team-data"]
    )


class NodeGroups(Chosen):
    """Managed node groups of one EKS cluster."""

    cluster: Line = Field(description="The EKS cluster's name.", examples=["prod"])


class Repositories(Chosen):
    """ECR repositories."""

    tag: Line | None = Field(
        default=None, description="The image tag that is looked at; left out, the one that was pushed last.", examples=["1.4.0"]
    )


class Surfaces(Part):
    """The AWS surfaces around the tier. Only read, and only those that are named here."""

    region: Region | None = Field(default=None, description="The Region; left out, that of traffic.alb.", examples=["ap-south-1"])
    account: Account | None = Field(
        default=None,
        description="The account, in quotes: any other one is not looked at. Left out, that of traffic.alb.",
        examples=["111122223333"],
    )
    endpoint_url: Url | None = Field(
        default=None, description="Another API endpoint for all of them, for rehearsals.", examples=["http://127.0.0.1:5000"]
    )
    owner: Line | None = Field(
        default=None, description="Who does what the rows ask for; left out, metadata.owner.", examples=["team-platform"]
    )
    launch_templates: Chosen | None = Field(
        default=None, description="EC2 launch templates: the default version's AMI against its instance type."
    )
    autoscaling: Chosen | None = Field(
        default=None, description="Auto Scaling groups: AMI against instance types, and why launches failed."
    )
    eks: NodeGroups | None = Field(default=None, description="Managed node groups of an EKS cluster.")
    karpenter: Chosen | None = Field(
        default=None, description="Karpenter NodePools of target's cluster; tags are the labels that their nodes have."
    )
    lambda_: Chosen | None = Field(
        default=None, alias="lambda", description="Lambda functions: architecture, runtime and layers."
    )
    ecs: Chosen | None = Field(default=None, description="ECS task definitions, by family.")
    rds: Chosen | None = Field(
        default=None, description="RDS and Aurora: instances, or clusters with all of theirs; their Graviton class."
    )
    elasticache: Chosen | None = Field(
        default=None, description="ElastiCache replication groups and clusters: their Graviton node type."
    )
    opensearch: Chosen | None = Field(default=None, description="OpenSearch domains: their Graviton instance type.")
    msk: Chosen | None = Field(default=None, description="MSK clusters: their Graviton broker type.")
    ecr: Repositories | None = Field(
        default=None, description="ECR repositories: both architectures, their scans, tags that do not change."
    )
    codebuild: Chosen | None = Field(default=None, description="CodeBuild projects: builds on Arm.")
