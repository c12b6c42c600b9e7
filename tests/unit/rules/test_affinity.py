"""Node affinity as the scheduler reads it, one rule at a time."""

from __future__ import annotations

import pytest

from cockpit.model.arch import Arch
from cockpit.model.cluster import Node, Taint
from cockpit.model.json import Json
from cockpit.rules.affinity import admits, narrow, pinned_to, prefer, preference_for
from cockpit.rules.tolerations import repelling, tolerates

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
ARM: Json = {"key": "kubernetes.io/arch", "operator": "In", "values": ["arm64"]}
LABELS = {"kubernetes.io/arch": "arm64", "pool": "general", "generation": "7"}


def node(name: str = "n1", **labels: str) -> Node:
    return Node(name, "arm64", "arm64", True, labels=labels or LABELS)


def require(*terms: Json) -> Json:
    return {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": list(terms)}}}


def expression(key: str, operator: str, *values: str) -> Json:
    return {"key": key, "operator": operator, "values": list(values)}


def match(*expressions: Json) -> Json:
    return {"matchExpressions": list(expressions)}


@pytest.mark.parametrize(
    ("requirement", "admitted"),
    [
        (expression("pool", "In", "other", "general"), True),
        (expression("pool", "In", "other"), False),
        (expression("absent", "In", ""), False),
        (expression("pool", "In"), False),
        (expression("pool", "NotIn", "general"), False),
        (expression("pool", "NotIn", "other"), True),
        (expression("absent", "NotIn", "x"), True),
        (expression("absent", "NotIn"), False),
        (expression("pool", "Exists"), True),
        (expression("absent", "Exists"), False),
        (expression("pool", "Exists", "x"), False),
        (expression("absent", "DoesNotExist"), True),
        (expression("pool", "DoesNotExist"), False),
        (expression("generation", "Gt", "6"), True),
        (expression("generation", "Gt", "7"), False),
        (expression("generation", "Gt", "06"), True),
        (expression("generation", "Lt", "8"), True),
        (expression("generation", "Lt", "7"), False),
        (expression("generation", "Lt", "8", "9"), False),
        (expression("generation", "Lt", "many"), False),
        (expression("generation", "Lt", "1_000"), False),
        (expression("generation", "Lt", "99999999999999999999"), False),
        (expression("generation", "Gt", "-1"), False),
        (expression("pool", "Gt", "1"), False),
        (expression("absent", "Lt", "1"), False),
        (expression("pool", "Contains", "general"), False),
        (expression("pool", "NotIn", "no good"), False),
        (expression("no good", "DoesNotExist"), False),
        (expression("", "DoesNotExist"), False),
        (expression("a/b/c", "DoesNotExist"), False),
        (expression("Example.com/x", "DoesNotExist"), False),
        (expression("example.com/x", "DoesNotExist"), True),
        ("nonsense", False),
    ],
)
def test_operators(requirement: Json, admitted: bool) -> None:
    assert admits(require(match(requirement)), {}, node()) is admitted


@pytest.mark.parametrize(
    ("field", "admitted"),
    [
        (expression("metadata.name", "In", "n1"), True),
        (expression("metadata.name", "In", "n2"), False),
        (expression("metadata.name", "NotIn", "n2"), True),
        (expression("metadata.name", "NotIn", "n1"), False),
        (expression("metadata.name", "In", "n1", "n2"), False),
        (expression("metadata.name", "Exists"), False),
        (expression("metadata.uid", "In", "n1"), False),
    ],
)
def test_fields(field: Json, admitted: bool) -> None:
    assert admits(require({"matchFields": [field]}), {}, node()) is admitted


def test_terms_are_ored_and_requirements_anded() -> None:
    no, yes = expression("pool", "In", "other"), expression("pool", "In", "general")
    assert admits(require(match(no), match(yes)), {}, node())
    assert not admits(require(match(no, yes)), {}, node())
    assert not admits(require({"matchExpressions": [yes], "matchFields": [expression("metadata.name", "In", "n2")]}), {}, node())


@pytest.mark.parametrize("affinity", [None, {}, {"nodeAffinity": None}, {"nodeAffinity": {}}, {"nodeAffinity": {REQUIRED: None}}])
def test_nothing_required_admits_all(affinity: Json) -> None:
    assert admits(affinity, {}, node())


@pytest.mark.parametrize("terms", [[], [{}], [{"matchExpressions": []}], [{"matchExpressions": None, "matchFields": None}]])
def test_empty_terms_match_nothing_and_still_do_when_narrowed(terms: list[Json]) -> None:
    assert not admits(require(*terms), {}, node())
    assert narrow(require(*terms), Arch.ARM64) == require(*terms)


def test_the_node_selector_is_anded() -> None:
    assert admits(None, {"pool": "general"}, node())
    assert not admits(None, {"pool": "general", "absent": ""}, node())


def test_narrowing_goes_into_every_term_and_touches_nothing_else() -> None:
    anti: Json = {PREFERRED: [{"weight": 1}]}
    pool, name = expression("pool", "In", "general"), expression("metadata.name", "In", "n1")
    soft: Json = [{"weight": 50, "preference": match(expression("kubernetes.io/arch", "In", "amd64"))}]
    before: Json = {
        "nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [match(pool), {"matchFields": [name]}, {}]}, PREFERRED: soft},
        "podAntiAffinity": anti,
    }
    assert narrow(before, Arch.ARM64) == {
        "nodeAffinity": {
            REQUIRED: {"nodeSelectorTerms": [match(pool, ARM), {"matchFields": [name], "matchExpressions": [ARM]}, {}]},
            PREFERRED: soft,
        },
        "podAntiAffinity": anti,
    }


@pytest.mark.parametrize("affinity", [None, {}, {"nodeAffinity": None}, {"nodeAffinity": {REQUIRED: None}}])
def test_narrowing_makes_the_parents_that_are_missing(affinity: Json) -> None:
    assert narrow(affinity, Arch.ARM64) == require(match(ARM))


def test_preferring_adds_a_term_or_updates_its_weight() -> None:
    other: Json = {"weight": 50, "preference": match(expression("kubernetes.io/arch", "In", "amd64"))}
    once = prefer({"nodeAffinity": {PREFERRED: [other]}}, Arch.ARM64, 80)
    assert once == {"nodeAffinity": {PREFERRED: [other, {"weight": 80, "preference": match(ARM)}]}}
    again = prefer(once, Arch.ARM64, 30)
    assert again == {"nodeAffinity": {PREFERRED: [other, {"weight": 30, "preference": match(ARM)}]}}
    assert (preference_for(again, Arch.ARM64), preference_for(again, Arch.AMD64), preference_for(None, Arch.ARM64)) == (30, 50, 0)


@pytest.mark.parametrize(
    ("affinity", "selector", "pinned"),
    [
        (None, {}, None),
        (None, {"kubernetes.io/arch": "amd64"}, Arch.AMD64),
        (None, {"beta.kubernetes.io/arch": "amd64"}, Arch.AMD64),
        (None, {"pool": "general"}, None),
        (require(match(ARM)), {}, Arch.ARM64),
        (require(match(expression("beta.kubernetes.io/arch", "In", "arm64"))), {}, Arch.ARM64),
        (require(match(expression("kubernetes.io/arch", "NotIn", "arm64"))), {}, Arch.AMD64),
        (require(match(ARM), match(expression("pool", "Exists"))), {}, None),
        (require(match(ARM), match(expression("kubernetes.io/arch", "In", "amd64"))), {}, None),
        (require(match(ARM)), {"kubernetes.io/arch": "amd64"}, None),
        (require(match(expression("kubernetes.io/arch", "In", "arm64", "amd64"))), {}, None),
        (require({}), {}, None),
    ],
)
def test_pinned_to(affinity: Json, selector: dict[str, str], pinned: Arch | None) -> None:
    assert pinned_to(affinity, selector) is pinned


@pytest.mark.parametrize(
    ("toleration", "covered"),
    [
        ({"key": "dedicated", "operator": "Equal", "value": "arm", "effect": "NoSchedule"}, True),
        ({"key": "dedicated", "value": "arm"}, True),
        ({"key": "dedicated", "value": "x86"}, False),
        ({"key": "dedicated", "operator": "Exists"}, True),
        ({"operator": "Exists"}, True),
        ({"operator": "Exists", "effect": "NoExecute"}, False),
        ({"key": "other", "operator": "Exists"}, False),
        ({"operator": "Equal", "value": "arm"}, False),
        ({"key": "dedicated", "operator": "Maybe"}, False),
        ({"key": None, "operator": "Exists", "effect": None}, True),
    ],
)
def test_tolerations(toleration: dict[str, Json], covered: bool) -> None:
    assert tolerates(toleration, Taint("dedicated", "NoSchedule", "arm")) is covered


def test_only_hard_taints_repel() -> None:
    taints = (Taint("a", "PreferNoSchedule"), Taint("b", "NoSchedule"), Taint("c", "NoExecute"))
    tainted = Node("n", "arm64", "arm64", True, taints=taints)
    assert repelling([{"key": "b", "operator": "Exists"}], tainted) == (Taint("c", "NoExecute"),)
