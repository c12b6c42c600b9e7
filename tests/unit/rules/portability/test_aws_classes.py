"""Graviton classes and their x86 counterparts, functions, tasks, builds: each verdict from its facts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.model.audit import Mark
from cockpit.model.surfaces import Surface
from cockpit.rules.portability.aws.brokers import judge_brokers
from cockpit.rules.portability.aws.builds import Environment, judge_build
from cockpit.rules.portability.aws.classes import Orderable, judge_class, needs_asking
from cockpit.rules.portability.aws.functions import Function, Layer, judge_function
from cockpit.rules.portability.aws.graviton import equivalents, is_graviton
from cockpit.rules.portability.aws.repositories import Repository, Scan, judge_repository
from cockpit.rules.portability.aws.tasks import Task, judge_task
from cockpit.rules.portability.aws.verdict import Judged, Place, Verdict, settle, together
from cockpit.rules.portability.aws.versions import earliest, key


@pytest.mark.parametrize(
    "family", ["m6g", "m7gd", "c7gn", "t4g", "r8g", "x2gd", "im4gn", "is4gen", "i8g", "hpc7g", "a1", "or1", "g5g"]
)
def test_graviton_families(family: str) -> None:
    assert is_graviton(family)


@pytest.mark.parametrize(
    "family", ["m5", "m6i", "m7a", "m7i-flex", "g4dn", "g5", "g6e", "gr6", "c6in", "z1d", "x2iedn", "u7i-12tb", ""]
)
def test_families_of_other_processors(family: str) -> None:
    assert not is_graviton(family)


@pytest.mark.parametrize(
    ("surface", "class_", "found"),
    [
        (Surface.RDS, "db.r5.xlarge", ("db.r8g.xlarge", "db.r7g.xlarge", "db.r6g.xlarge")),
        (Surface.RDS, "db.t3.medium", ("db.t4g.medium",)),
        (Surface.RDS, "db.r5d.large", ("db.r8gd.large", "db.r7gd.large", "db.r6gd.large")),
        (Surface.RDS, "db.m6g.large", ()),
        (Surface.ELASTICACHE, "cache.t2.micro", ("cache.t4g.micro",)),
        (Surface.OPENSEARCH, "r5.large.search", ("r8g.large.search", "r7g.large.search", "r6g.large.search")),
        (Surface.OPENSEARCH, "t3.small.search", ()),
        (Surface.MSK, "kafka.m5.large", ("kafka.m7g.large",)),
        (Surface.MSK, "kafka.t3.small", ()),
        (Surface.RDS, "db.serverless", ()),
        (Surface.RDS, "", ()),
    ],
)
def test_what_is_asked_for_instead_of_a_class(surface: Surface, class_: str, found: tuple[str, ...]) -> None:
    assert needs_asking(surface, class_) == found


@given(st.sampled_from([Surface.RDS, Surface.ELASTICACHE, Surface.OPENSEARCH, Surface.MSK]), st.text(max_size=30))
def test_a_class_passes_only_on_graviton_or_with_an_order(surface: Surface, class_: str) -> None:
    verdict = judge_class(surface, class_, "engine 1", None)
    serverless, parts = class_.endswith("serverless"), class_.split(".")
    assert verdict.mark is not Mark.PASS or serverless or any(is_graviton(part) for part in parts)
    assert all(is_graviton(one.split(".")[0 if surface is Surface.OPENSEARCH else 1]) for one in equivalents(surface, class_))


def test_an_order_decides() -> None:
    asked = {
        Mark.PASS: Orderable("db.r7g.large"),
        Mark.GATE: Orderable("db.r7g.large", "nobody says", can_be_asked=False),
        Mark.FIX: Orderable(why="for mysql 5.6", remedy="upgrade"),
    }
    for mark, order in asked.items():
        verdict = judge_class(Surface.RDS, "db.r5.large", "mysql 5.6", order)
        assert (verdict.mark, bool(verdict.action)) == (mark, True)


@pytest.mark.parametrize(
    ("class_", "version", "mark"),
    [
        ("kafka.m5.large", "3.5.1", Mark.GATE),
        ("kafka.m5.large", "2.8.2.tiered", Mark.GATE),
        ("kafka.m5.large", "2.8.1", Mark.FIX),
        ("kafka.m5.large", "", Mark.GATE),
        ("kafka.m5.24xlarge", "3.5.1", Mark.FIX),
        ("kafka.m7g.large", "3.5.1", Mark.PASS),
        ("express.m7g.large", "3.6.0", Mark.PASS),
        ("kafka.t3.small", "3.5.1", Mark.FIX),
        ("", "", Mark.UNKNOWN),
    ],
)
def test_brokers(class_: str, version: str, mark: Mark) -> None:
    assert judge_brokers(class_, version).mark is mark


def test_versions_are_compared_by_number() -> None:
    assert key("5.7.44") < key("8.0.28") < key("8.0.100") < key("10.1")
    assert earliest(["8.0.9", "8.0.28", "5.7.1", "8.4.0"], after="8.0.20") == "8.0.28"
    assert earliest(["5.7.1"], after="8.0") == ""


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_is_a_version(one: str, other: str) -> None:
    assert earliest([one], after=other) in ("", one)


def _layers(*archs: tuple[str, ...]) -> list[Layer]:
    return [Layer(f"layer:{n}", some) for n, some in enumerate(archs)]


@pytest.mark.parametrize(
    ("function", "mark"),
    [
        (Function(("arm64",), "python3.12"), Mark.PASS),
        (Function(("arm64",), "python3.12", _layers(("arm64",), ("x86_64", "arm64"))), Mark.PASS),
        (Function(("arm64",), "python3.12", _layers(("arm64",), ("x86_64",))), Mark.FIX),
        (Function(("arm64",), "python3.12", _layers(())), Mark.GATE),
        (Function(("x86_64",), "python3.12"), Mark.GATE),
        (Function(("x86_64",), "go1.x"), Mark.FIX),
        (Function(("x86_64",), image=True), Mark.GATE),
        (Function(("arm64",), image=True), Mark.PASS),
        (Function((), "python3.12"), Mark.UNKNOWN),
    ],
)
def test_functions(function: Function, mark: Mark) -> None:
    assert judge_function(function).mark is mark


@pytest.mark.parametrize(
    ("task", "mark"),
    [
        (Task("a:1", "ARM64", "LINUX"), Mark.PASS),
        (Task("a:1", "X86_64"), Mark.FIX),
        (Task("a:1", "", "", ("FARGATE",)), Mark.FIX),
        (Task("a:1", "", "", ("EC2",)), Mark.GATE),
        (Task("a:1", "ARM64", "WINDOWS_SERVER_2022_CORE"), Mark.FIX),
    ],
)
def test_tasks(task: Task, mark: Mark) -> None:
    assert judge_task(task).mark is mark


@pytest.mark.parametrize(
    ("kind", "image", "mark", "place"),
    [
        ("ARM_CONTAINER", "aws/codebuild/amazonlinux-aarch64-standard:3.0", Mark.PASS, Place.BUILDS),
        ("ARM_LAMBDA_CONTAINER", "registry.example.com/build:1", Mark.PASS, Place.BUILDS),
        ("ARM_CONTAINER", "aws/codebuild/standard:7.0", Mark.FIX, None),
        ("LINUX_CONTAINER", "aws/codebuild/amazonlinux-aarch64-standard:3.0", Mark.FIX, None),
        ("", "", Mark.UNKNOWN, None),
    ],
)
def test_builds(kind: str, image: str, mark: Mark, place: Place | None) -> None:
    verdict = judge_build(Environment(kind, image))
    assert (verdict.mark, verdict.serves) == (mark, place)


DONE = Scan("COMPLETE", {"LOW": 3})


@pytest.mark.parametrize(
    ("found", "mark"),
    [
        (Repository("IMMUTABLE", "1", True, {"amd64": DONE, "arm64": DONE}), Mark.PASS),
        (Repository("IMMUTABLE", "1", True, {"arm64": DONE}), Mark.PASS),
        (Repository("IMMUTABLE", "1", True, {"amd64": DONE, "arm64": Scan()}), Mark.GATE),
        (Repository("IMMUTABLE", "1", True, {"amd64": DONE, "arm64": Scan("FAILED")}), Mark.GATE),
        (Repository("IMMUTABLE", "1", True, {"amd64": DONE, "arm64": Scan("PENDING")}), Mark.UNKNOWN),
        (Repository("IMMUTABLE", "1", True, {"amd64": DONE, "arm64": Scan("ACTIVE", {"CRITICAL": 1})}), Mark.GATE),
        (
            Repository(
                "IMMUTABLE", "1", True, {"amd64": Scan("ACTIVE", {"CRITICAL": 1}), "arm64": Scan("ACTIVE", {"CRITICAL": 1})}
            ),
            Mark.PASS,
        ),
        (Repository("IMMUTABLE", "1", True, {"amd64": DONE}), Mark.FIX),
        (Repository("IMMUTABLE", "1", True), Mark.FIX),
        (Repository("IMMUTABLE", "1"), Mark.UNKNOWN),
        (Repository("IMMUTABLE"), Mark.UNKNOWN),
    ],
)
def test_repositories(found: Repository, mark: Mark) -> None:
    assert judge_repository(found).mark is mark


def test_tags_that_can_change_are_told() -> None:
    both = {"amd64": DONE, "arm64": DONE}
    assert judge_repository(Repository("MUTABLE", "1", True, both)).notes
    assert judge_repository(Repository("IMMUTABLE_WITH_EXCLUSION", "1", True, both)).notes == ()


def test_parts_have_their_worst_mark() -> None:
    verdicts = [Verdict(Mark.PASS, "a"), Verdict(Mark.UNKNOWN, "b", "look"), Verdict(Mark.GATE, "c", "ask")]
    whole = together(verdicts)
    assert (whole.mark, whole.status, whole.action) == (Mark.GATE, "a; b; c", "look; ask")


def test_what_is_left_behind_needs_a_place_beside_it_over_all_surfaces() -> None:
    left = Judged(Surface.AUTOSCALING, "old", Verdict(Mark.PASS, "x86 alone", left_behind=Place.NODES))
    pool = Judged(Surface.KARPENTER, "graviton", Verdict(Mark.PASS, "arm64", serves=Place.NODES))
    build = Judged(Surface.CODEBUILD, "arm", Verdict(Mark.PASS, "arm", serves=Place.BUILDS))
    assert [row.mark for row in settle([left, build])] == [Mark.FIX, Mark.PASS]
    (row, _) = settle([left, pool])
    assert (row.mark, row.status) == (Mark.PASS, "x86 alone; arm64: aws/karpenter/graviton")
