"""Every AWS operation that the audit may call: reads alone. What is not in this table cannot be called.

`playbooks/rbac/audit-policy.json` grants exactly these actions (`policy` makes it).
"""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation as boto3 has it, and the IAM action that it needs.

    `token` is the key that the next page is asked for with and `next_token` the answer's key that holds it; empty where an
    answer is always whole.
    """

    client: str
    method: str
    action: str
    token: str = ""
    next_token: str = ""


def _paged(client: str, method: str, action: str, token: str, next_token: str = "") -> Operation:
    return Operation(client, method, action, token, next_token or token)


WHO = Operation("sts", "get_caller_identity", "sts:GetCallerIdentity")
IMAGES = Operation("ec2", "describe_images", "ec2:DescribeImages")
INSTANCE_TYPES = _paged("ec2", "describe_instance_types", "ec2:DescribeInstanceTypes", "NextToken")
TEMPLATES = _paged("ec2", "describe_launch_templates", "ec2:DescribeLaunchTemplates", "NextToken")
TEMPLATE_VERSIONS = _paged("ec2", "describe_launch_template_versions", "ec2:DescribeLaunchTemplateVersions", "NextToken")
GROUPS = _paged("autoscaling", "describe_auto_scaling_groups", "autoscaling:DescribeAutoScalingGroups", "NextToken")
ACTIVITIES = Operation("autoscaling", "describe_scaling_activities", "autoscaling:DescribeScalingActivities")
CONFIGURATIONS = Operation("autoscaling", "describe_launch_configurations", "autoscaling:DescribeLaunchConfigurations")
NODE_GROUPS = _paged("eks", "list_nodegroups", "eks:ListNodegroups", "nextToken")
NODE_GROUP = Operation("eks", "describe_nodegroup", "eks:DescribeNodegroup")
FUNCTIONS = _paged("lambda", "list_functions", "lambda:ListFunctions", "Marker", "NextMarker")
FUNCTION = Operation("lambda", "get_function_configuration", "lambda:GetFunctionConfiguration")
FUNCTION_TAGS = Operation("lambda", "list_tags", "lambda:ListTags")
LAYER = Operation("lambda", "get_layer_version_by_arn", "lambda:GetLayerVersion")
FAMILIES = _paged("ecs", "list_task_definition_families", "ecs:ListTaskDefinitionFamilies", "nextToken")
TASK_DEFINITION = Operation("ecs", "describe_task_definition", "ecs:DescribeTaskDefinition")
DATABASES = _paged("rds", "describe_db_instances", "rds:DescribeDBInstances", "Marker")
DATABASE_CLUSTERS = _paged("rds", "describe_db_clusters", "rds:DescribeDBClusters", "Marker")
DATABASE_ORDERABLE = _paged("rds", "describe_orderable_db_instance_options", "rds:DescribeOrderableDBInstanceOptions", "Marker")
REPLICATION_GROUPS = _paged("elasticache", "describe_replication_groups", "elasticache:DescribeReplicationGroups", "Marker")
CACHE_CLUSTERS = _paged("elasticache", "describe_cache_clusters", "elasticache:DescribeCacheClusters", "Marker")
CACHE_TYPES = Operation("elasticache", "list_allowed_node_type_modifications", "elasticache:ListAllowedNodeTypeModifications")
CACHE_OFFERINGS = Operation(
    "elasticache", "describe_reserved_cache_nodes_offerings", "elasticache:DescribeReservedCacheNodesOfferings"
)
CACHE_TAGS = Operation("elasticache", "list_tags_for_resource", "elasticache:ListTagsForResource")
DOMAINS = Operation("opensearch", "list_domain_names", "es:ListDomainNames")
DOMAIN = Operation("opensearch", "describe_domains", "es:DescribeDomains")
DOMAIN_TYPES = _paged("opensearch", "list_instance_type_details", "es:ListInstanceTypeDetails", "NextToken")
DOMAIN_TAGS = Operation("opensearch", "list_tags", "es:ListTags")
KAFKA_CLUSTERS = _paged("kafka", "list_clusters_v2", "kafka:ListClustersV2", "NextToken")
REPOSITORIES = _paged("ecr", "describe_repositories", "ecr:DescribeRepositories", "nextToken")
REPOSITORY_IMAGES = _paged("ecr", "describe_images", "ecr:DescribeImages", "nextToken")
MANIFESTS = Operation("ecr", "batch_get_image", "ecr:BatchGetImage")
SCAN = Operation("ecr", "describe_image_scan_findings", "ecr:DescribeImageScanFindings")
REPOSITORY_TAGS = Operation("ecr", "list_tags_for_resource", "ecr:ListTagsForResource")
PROJECTS = _paged("codebuild", "list_projects", "codebuild:ListProjects", "nextToken")
PROJECT = Operation("codebuild", "batch_get_projects", "codebuild:BatchGetProjects")

OPERATIONS: tuple[Operation, ...] = tuple(one for one in globals().copy().values() if isinstance(one, Operation))
"""All of them."""
_NEEDS_NONE = ("sts:GetCallerIdentity",)
"""Everybody may ask who they are."""
_BESIDE = ("ssm:GetParameters",)
"""What EC2 reads on the caller's behalf: a launch template may name its AMI by a parameter."""


def actions() -> tuple[str, ...]:
    """The IAM actions that an audit of every surface needs, sorted."""
    return tuple(sorted({one.action for one in OPERATIONS if one.action not in _NEEDS_NONE} | set(_BESIDE)))


def policy() -> str:
    """The IAM policy document that grants exactly `actions`, as text."""
    statement = {"Sid": "CockpitAudit", "Effect": "Allow", "Action": list(actions()), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2) + "\n"
