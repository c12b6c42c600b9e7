"""The AWS surfaces against moto over real sockets: right and wrong of each, throttled and denied ones, pages, names that are not.

moto has no scaling activities, no node types of ElastiCache and OpenSearch, no layer by ARN, orderable classes of Aurora
PostgreSQL alone and fixed scan findings: `aws_proxy` answers these.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from typing import Any

import pytest

from cockpit.audit.aws.operations import OPERATIONS
from cockpit.audit.aws.survey import Survey, survey_aws
from cockpit.model.audit import Layer, Mark, Progress, Row
from cockpit.model.surfaces import Selection, Surface, Surfaces
from tests.contract.aws_estate import ACCOUNT, REGION, Estate, served, session
from tests.contract.aws_proxy import Faults, activities, labelled, proxy
from tests.contract.small_api import fast_clock


@pytest.fixture(scope="module")
def estate() -> Iterator[Estate]:
    with served() as made:
        yield made


async def surveyed(estate: Estate, *selections: Selection, faults: Faults | None = None, **more: Any) -> Survey:
    """All of it, asked through a proxy that does what `faults` says."""
    said: list[Progress] = []
    async with proxy(estate.address, faults or Faults()) as url:
        where = Surfaces(REGION, selections, more.pop("account", ACCOUNT), url)
        found = await survey_aws(where, labelled, said.append, clock=fast_clock(), **more)
    assert not said or (said[-1].done == said[-1].total == len(selections))
    assert "battery-staple" not in repr(found)
    return found


async def rows(estate: Estate, selection: Selection, faults: Faults | None = None) -> dict[str, Row]:
    """The rows of one surface by the name in their component; nothing may have failed as a whole."""
    found = await surveyed(estate, selection, faults=faults)
    assert found.faults == ()
    assert all(row.layer is Layer.AWS for row in found.rows)
    prefix = f"aws/{selection.surface}/"
    assert all(row.component.startswith(prefix) for row in found.rows)
    return {row.component.removeprefix(prefix): row for row in found.rows}


def marks(found: dict[str, Row]) -> dict[str, str]:
    return {name: str(row.mark) for name, row in found.items()}


async def test_auto_scaling_groups_by_ami_and_instance_type_and_by_why_launches_failed(estate: Estate) -> None:
    found = await rows(estate, Selection(Surface.AUTOSCALING, tags={"tier": "payments"}, owner="team-platform"))
    assert marks(found) == {
        "asg-arm": "PASS",
        "asg-x86": "PASS",
        "asg-wrong": "FIX",
        "asg-stalled": "GATE",
        "asg-backwards": "FIX",
        "asg-lost": "UNKNOWN",
        "asg-mixed": "PASS",
        "asg-mixed-wrong": "FIX",
        "asg-old": "PASS",
    }
    assert "is x86_64, m7g.large is arm64: it cannot be launched" in found["asg-wrong"].status
    assert found["asg-wrong"].notes == ("1 of the last 1 launches failed, for the AMI's architecture and not for capacity",)
    assert "no capacity is missing" in found["asg-wrong"].action
    assert "for want of capacity" in found["asg-stalled"].status
    assert "no architecture fault" in found["asg-stalled"].action
    assert "ami-00000000000000000 does not exist here" in found["asg-lost"].status
    assert found["asg-x86"].status.endswith("arm64: aws/autoscaling/asg-arm")
    assert all(row.owner == "team-platform" for row in found.values())


async def test_x86_groups_alone_leave_arm64_nowhere_to_land(estate: Estate) -> None:
    found = await rows(estate, Selection(Surface.AUTOSCALING, names=("asg-x86", "asg-old")))
    assert marks(found) == {"asg-x86": "FIX", "asg-old": "FIX"}
    assert "launches arm64 nodes" in found["asg-x86"].action


async def test_an_old_failure_that_a_launch_has_followed_is_a_note(estate: Estate) -> None:
    story = activities(("Successful", ""), ("Failed", "Something else. Launching EC2 instance failed."))
    one = Selection(Surface.AUTOSCALING, names=("asg-arm",))
    found = await rows(estate, one, Faults(answers={"autoscaling:DescribeScalingActivities": lambda _: story}))
    assert found["asg-arm"].mark is Mark.PASS
    assert found["asg-arm"].notes == ("1 of the last 2 launches failed, for another reason",)
    past = activities(("Failed", "x"), at="2026-11-01T00:00:00Z")
    found = await rows(estate, one, Faults(answers={"autoscaling:DescribeScalingActivities": lambda _: past}))
    assert found["asg-arm"].mark is Mark.PASS
    assert found["asg-arm"].notes == ()


async def test_launch_templates(estate: Estate) -> None:
    found = await rows(estate, Selection(Surface.LAUNCH_TEMPLATES, prefix="lt-"))
    assert marks(found) == {
        "lt-arm": "PASS",
        "lt-x86": "PASS",
        "lt-wrong": "FIX",
        "lt-backwards": "FIX",
        "lt-untyped": "PASS",
        "lt-lost": "UNKNOWN",
    }


async def test_node_groups(estate: Estate) -> None:
    names = ("graviton", estate.arns["mixed-up"], "gone")
    found = await rows(estate, Selection(Surface.EKS, names=names, prefix="x", cluster="prod"))
    assert marks(found) == {"prod/graviton": "PASS", "prod/x86": "PASS", "prod/mixed-up": "FIX", "gone": "UNKNOWN"}
    assert "AL2023_x86_64_STANDARD is x86_64, m7g.large is arm64" in found["prod/mixed-up"].status
    assert found["gone"].status == "there is no gone"
    assert "portability.aws.eks.names" in found["gone"].action


async def test_a_cluster_that_is_not_there(estate: Estate) -> None:
    gone = json.dumps({"__type": "ResourceNotFoundException", "message": "No cluster found for name: elsewhere."})
    missing = Faults(answers={"eks:ListNodegroups": lambda _: gone})  # moto breaks on it
    found = await rows(estate, Selection(Surface.EKS, names=("a",), prefix="b", cluster="elsewhere"), missing)
    assert marks(found) == {"a": "UNKNOWN", "b*": "UNKNOWN"}
    assert found["a"].status == "there is no EKS cluster elsewhere here"


async def test_functions(estate: Estate) -> None:
    faults = Faults()
    found = await rows(estate, Selection(Surface.LAMBDA, prefix="fn-"), faults)
    assert faults.calls.count("lambda:GetLayerVersionByArn") == 4  # each layer once, though two functions have one of them
    assert marks(found) == {
        "fn-arm": "PASS",
        "fn-crash": "FIX",
        "fn-quiet": "GATE",
        "fn-x86": "GATE",
        "fn-old": "FIX",
        "fn-stuck": "FIX",
    }
    assert "runs on arm64 with layers for x86_64 alone" in found["fn-crash"].status
    assert "the runtime python3.7 has no arm64" in found["fn-old"].status


async def test_functions_by_name_arn_and_tag(estate: Estate) -> None:
    named = Selection(Surface.LAMBDA, names=("fn-arm", estate.arns["fn-old"], "fn-none"))
    assert marks(await rows(estate, named)) == {"fn-arm": "PASS", "fn-old": "FIX", "fn-none": "UNKNOWN"}
    tagged = await rows(estate, Selection(Surface.LAMBDA, tags={"tier": "payments"}))
    assert "fn-old" not in tagged
    assert len(tagged) == 5


async def test_task_definitions(estate: Estate) -> None:
    found = await rows(estate, Selection(Surface.ECS, prefix="task-", names=("task-none",)))
    assert marks(found) == {
        "task-none": "UNKNOWN",
        "task-anywhere": "GATE",
        "task-arm": "PASS",
        "task-default": "FIX",
        "task-windows": "FIX",
        "task-x86": "FIX",
    }
    assert "which is X86_64 on Fargate" in found["task-default"].status
    assert found["task-x86"].notes == ("images (audit them with --image): registry.example.com/task-x86:1",)
    assert found["task-none"].status == "there is no active task definition task-none"


async def test_databases(estate: Estate) -> None:
    found = await rows(estate, Selection(Surface.RDS, names=("aurora", "db-old", "db-here", "db-odd", "db-none")))
    assert marks(found) == {
        "aurora-x86": "PASS",
        "aurora-arm": "PASS",
        "db-old": "FIX",
        "db-here": "PASS",
        "db-odd": "FIX",
        "db-none": "UNKNOWN",
    }
    assert found["aurora-x86"].used_by == ("aurora",)
    assert "db.r6g.large is orderable; aurora-postgresql 13.9" in found["aurora-x86"].status
    assert "db.m6g.large is orderable; mysql 8.0.35" in found["db-here"].status
    assert found["db-old"].action.startswith("upgrade to mysql 8.4.0, from where db.m7g.large is orderable")


async def test_caches(estate: Estate) -> None:
    found = await rows(estate, Selection(Surface.ELASTICACHE, prefix="cache-"))
    assert marks(found) == {"cache-x86": "PASS", "cache-arm": "PASS", "cache-old": "FIX", "cache-mem": "GATE"}
    assert found["cache-x86"].action.startswith("to cache.m6g.large")
    assert "not as a change of this cluster" in found["cache-old"].status
    assert "a Memcached cluster is replaced" in found["cache-mem"].status


async def test_domains(estate: Estate) -> None:
    found = await rows(estate, Selection(Surface.OPENSEARCH, prefix="search-"))
    assert marks(found) == {"search-x86": "PASS", "search-arm": "PASS", "search-half": "PASS", "search-t3": "FIX"}
    assert "m6g.large.search is orderable; master nodes" in found["search-half"].status
    assert "no Graviton class of this kind" in found["search-t3"].status


async def test_brokers(estate: Estate) -> None:
    found = await rows(estate, Selection(Surface.MSK, prefix="kafka-"))
    assert marks(found) == {"kafka-x86": "GATE", "kafka-arm": "PASS", "kafka-t3": "FIX", "kafka-serverless": "PASS"}
    assert "no API that says whether it is orderable" in found["kafka-x86"].status


async def test_repositories(estate: Estate) -> None:
    found = await rows(estate, Selection(Surface.ECR, prefix="shop/"))
    assert marks(found) == {"shop/both": "PASS", "shop/mutable": "GATE", "shop/x86": "FIX", "shop/empty": "UNKNOWN"}
    assert found["shop/both"].status == "1.4.0: amd64 1 HIGH, 4 LOW, arm64 1 HIGH, 4 LOW"
    assert "the arm64 image has no scan result; amd64 has one" in found["shop/mutable"].status
    assert "set IMMUTABLE" in found["shop/mutable"].notes[0]
    assert found["shop/x86"].status == "1.4.0 is for amd64: no arm64"
    other = await rows(estate, Selection(Surface.ECR, names=("shop/both",), tag="9.9"))
    assert marks(other) == {"shop/both": "UNKNOWN"}


async def test_builds(estate: Estate) -> None:
    found = await rows(estate, Selection(Surface.CODEBUILD, tags={"tier": "payments"}))
    assert marks(found) == {"build-arm": "PASS", "build-x86": "PASS", "build-wrong": "FIX"}
    alone = await rows(estate, Selection(Surface.CODEBUILD, names=("build-x86", "build-none")))
    assert marks(alone) == {"build-x86": "GATE", "build-none": "UNKNOWN"}


FIRST: dict[Surface, tuple[Selection, str, str]] = {
    Surface.AUTOSCALING: (
        Selection(Surface.AUTOSCALING, names=("asg-arm",)),
        "autoscaling:DescribeAutoScalingGroups",
        "autoscaling:DescribeAutoScalingGroups",
    ),
    Surface.LAUNCH_TEMPLATES: (
        Selection(Surface.LAUNCH_TEMPLATES, names=("lt-arm",)),
        "ec2:DescribeLaunchTemplateVersions",
        "ec2:DescribeLaunchTemplateVersions",
    ),
    Surface.EKS: (Selection(Surface.EKS, names=("graviton",), cluster="prod"), "eks:ListNodegroups", "eks:ListNodegroups"),
    Surface.LAMBDA: (Selection(Surface.LAMBDA, names=("fn-arm",)), "lambda:GetLayerVersionByArn", "lambda:GetLayerVersion"),
    Surface.ECS: (Selection(Surface.ECS, names=("task-arm",)), "ecs:DescribeTaskDefinition", "ecs:DescribeTaskDefinition"),
    Surface.RDS: (
        Selection(Surface.RDS, names=("db-here",)),
        "rds:DescribeOrderableDBInstanceOptions",
        "rds:DescribeOrderableDBInstanceOptions",
    ),
    Surface.ELASTICACHE: (
        Selection(Surface.ELASTICACHE, names=("cache-x86",)),
        "elasticache:ListAllowedNodeTypeModifications",
        "elasticache:ListAllowedNodeTypeModifications",
    ),
    Surface.OPENSEARCH: (
        Selection(Surface.OPENSEARCH, names=("search-x86",)),
        "opensearch:DescribeDomains",
        "es:DescribeDomains",
    ),
    Surface.MSK: (Selection(Surface.MSK, names=("kafka-arm",)), "kafka:ListClustersV2", "kafka:ListClustersV2"),
    Surface.ECR: (Selection(Surface.ECR, names=("shop/both",)), "ecr:DescribeImageScanFindings", "ecr:DescribeImageScanFindings"),
    Surface.CODEBUILD: (
        Selection(Surface.CODEBUILD, names=("build-arm",)),
        "codebuild:BatchGetProjects",
        "codebuild:BatchGetProjects",
    ),
}


@pytest.mark.parametrize("surface", FIRST)
async def test_a_throttled_call_is_repeated_and_given_up_on_in_the_end(estate: Estate, surface: Surface) -> None:
    selection, operation, action = FIRST[surface]
    faults = Faults()
    faults.throttle[operation] = 2
    (row,) = (await rows(estate, selection, faults)).values()
    assert row.mark is Mark.PASS, row
    faults = Faults()
    faults.throttle[operation] = 1000
    (row,) = (await rows(estate, selection, faults)).values()
    assert row.mark is Mark.UNKNOWN
    assert f"{action} is throttled" in row.status
    assert faults.calls.count(operation) <= 10


@pytest.mark.parametrize("surface", FIRST)
async def test_what_may_not_be_read_is_unknown_and_names_the_permission(estate: Estate, surface: Surface) -> None:
    selection, operation, action = FIRST[surface]
    (row,) = (await rows(estate, selection, Faults(deny={operation}))).values()
    assert row.mark is Mark.UNKNOWN
    assert f"not allowed: {action} " in row.status
    assert "audit-policy.json" in row.action
    assert row.component.startswith(f"aws/{surface}/")


async def test_layers_that_cannot_be_read_fail_without_leaving_anything_behind(
    estate: Estate, caplog: pytest.LogCaptureFixture
) -> None:
    found = await rows(estate, Selection(Surface.LAMBDA, prefix="fn-"), Faults(deny={"lambda:GetLayerVersionByArn"}))
    gc.collect()
    assert caplog.records == []
    assert [name for name, row in found.items() if row.mark is Mark.UNKNOWN] == ["fn-arm", "fn-crash", "fn-quiet", "fn-stuck"]


async def test_one_surface_that_fails_leaves_the_others(estate: Estate) -> None:
    faults = Faults(deny={"rds:DescribeDBInstances"})
    found = await surveyed(
        estate,
        Selection(Surface.RDS, names=("db-old",), prefix="db-"),
        Selection(Surface.MSK, names=("kafka-arm",)),
        faults=faults,
    )
    assert [(row.component, row.mark) for row in found.rows] == [
        ("aws/rds/db-old", Mark.UNKNOWN),
        ("aws/rds/db-*", Mark.UNKNOWN),
        ("aws/msk/kafka-arm", Mark.PASS),
    ]


async def test_pages_are_followed_to_their_end(estate: Estate) -> None:
    pages = {"": ["fn-x"], "two": ["fn-y"], "three": ["fn-arm"]}
    tokens = {"": "two", "two": "three", "three": None}

    def page(asked: Any) -> str:
        marker = asked.get("Marker", "")
        found = [
            {"FunctionName": n, "FunctionArn": n, "Architectures": ["arm64"], "Runtime": "python3.12"} for n in pages[marker]
        ]
        return json.dumps({"Functions": found, "NextMarker": tokens[marker]})

    found = await rows(estate, Selection(Surface.LAMBDA, prefix="fn-"), Faults(answers={"lambda:ListFunctions": page}))
    assert list(found) == ["fn-x", "fn-y", "fn-arm"]


async def test_a_list_without_an_end_is_given_up_on(estate: Estate) -> None:
    def page(_asked: Any) -> str:
        return '{"Functions": [], "NextMarker": "again"}'

    faults = Faults(answers={"lambda:ListFunctions": page})
    (row,) = (await rows(estate, Selection(Surface.LAMBDA, prefix="fn-"), faults)).values()
    assert row.mark is Mark.UNKNOWN
    assert "name what is meant" in row.status
    assert len(faults.calls) < 300


async def test_an_answer_in_another_form_is_unknown_and_takes_nothing_else_down(estate: Estate) -> None:
    faults = Faults(
        answers={"kafka:ListClustersV2": lambda _: '{"clusterInfoList": [{"provisioned": 7, "clusterName": "kafka-x"}]}'}
    )
    found = await surveyed(
        estate, Selection(Surface.MSK, prefix="kafka-"), Selection(Surface.CODEBUILD, names=("build-arm",)), faults=faults
    )
    assert [(row.component, row.mark) for row in found.rows][-1] == ("aws/codebuild/build-arm", Mark.PASS)
    assert found.rows[0].mark is Mark.UNKNOWN


async def test_a_service_that_does_not_answer_is_not_waited_for_without_end(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cockpit.audit.aws.survey.PATIENCE", 0.3)
    found = await rows(estate, Selection(Surface.MSK, names=("kafka-arm",)), Faults(hang={"kafka:ListClustersV2"}))
    assert found["kafka-arm"].mark is Mark.UNKNOWN
    assert "not answered within 0.3 s" in found["kafka-arm"].status


async def test_nothing_that_fits_a_search_is_unknown(estate: Estate) -> None:
    found = await surveyed(
        estate,
        Selection(Surface.RDS, prefix="nope-", tags={"a": "b"}),
        Selection(Surface.ECS, prefix="nope-"),
        Selection(Surface.LAMBDA, prefix="nope-"),
    )
    assert [row.mark for row in found.rows] == [Mark.UNKNOWN] * 3
    assert found.rows[0].status == "nothing there has a name beginning with nope- and the tag a=b"


async def test_another_account_is_asked_nothing(estate: Estate) -> None:
    faults = Faults()
    found = await surveyed(estate, Selection(Surface.RDS, names=("db-old",)), faults=faults, account="999988887777")
    assert found.rows == ()
    assert found.faults == (
        f"the AWS surfaces were not looked at: the credentials are of account {ACCOUNT}, not of 999988887777",
    )
    assert faults.calls == ["sts:GetCallerIdentity"]


async def test_without_credentials_nothing_is_known(estate: Estate) -> None:
    def bare(region: str) -> Any:
        made = session(region)
        made._session.get_credentials = lambda: None
        return made

    where = Surfaces(REGION, (Selection(Surface.RDS, names=("db-old",)),), None, estate.address)
    found = await survey_aws(where, bare, lambda _: None, clock=fast_clock())
    assert found.rows == ()
    assert "no AWS credentials for sts:GetCallerIdentity" in found.faults[0]


async def test_every_operation_of_the_table_is_one_that_is_tried_here(estate: Estate) -> None:
    """And none but these goes over the wire."""
    faults = Faults()
    everything = [
        Selection(surface, prefix="" if surface is Surface.EKS else "x", names=FIRST[surface][0].names, cluster="prod")
        for surface in FIRST
    ]
    more = [Selection(s, tags={"tier": "payments"}, cluster="prod") for s in FIRST]
    some = (Selection(Surface.ELASTICACHE, names=("cache-old",)), Selection(Surface.LAMBDA, names=("fn-old",)))
    await surveyed(estate, *everything, *more, *some, faults=faults)
    known = {f"{o.client}:{o.method.replace('_', '')}".lower() for o in OPERATIONS}
    called = {name.lower() for name in faults.calls}
    assert called <= known
    assert known - called == set()
