"""Where pods may run."""

from __future__ import annotations

import pytest

from cockpit.rehearsal.kube.errors import Obj
from cockpit.rehearsal.placement import affinity_holds, preference, requirement_holds, tolerates, untolerated

LABELS = {"arch": "arm64", "cores": "4", "zone": "a"}
NODE: Obj = {
    "metadata": {"name": "n1", "labels": LABELS},
    "spec": {"taints": [{"key": "k", "value": "v", "effect": "NoSchedule"}]},
}


@pytest.mark.parametrize(
    ("operator", "key", "values", "holds"),
    [
        ("In", "arch", ["arm64", "amd64"], True),
        ("In", "arch", ["amd64"], False),
        ("In", "absent", ["x"], False),
        ("NotIn", "arch", ["amd64"], True),
        ("NotIn", "arch", ["arm64"], False),
        ("NotIn", "absent", ["x"], True),
        ("Exists", "arch", [], True),
        ("Exists", "absent", [], False),
        ("DoesNotExist", "absent", [], True),
        ("DoesNotExist", "arch", [], False),
        ("Gt", "cores", ["3"], True),
        ("Gt", "cores", ["4"], False),
        ("Lt", "cores", ["5"], True),
        ("Lt", "cores", ["4"], False),
        ("Gt", "zone", ["1"], False),
        ("Gt", "absent", ["1"], False),
        ("Lt", "cores", [], False),
    ],
)
def test_operators(operator: str, key: str, values: list[str], holds: bool) -> None:
    assert requirement_holds({"key": key, "operator": operator, "values": values}, LABELS) is holds


def _required(*terms: Obj) -> Obj:
    required = {"nodeSelectorTerms": list(terms)}
    return {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}}


def _in(key: str, *values: str) -> Obj:
    return {"key": key, "operator": "In", "values": list(values)}


def test_terms_are_ored_expressions_anded_and_an_empty_term_matches_nothing() -> None:
    good, bad = _in("arch", "arm64"), _in("zone", "b")
    assert affinity_holds(_required({"matchExpressions": [good]}, {"matchExpressions": [bad]}), NODE)
    assert not affinity_holds(_required({"matchExpressions": [good, bad]}), NODE)
    assert not affinity_holds(_required({}), NODE)
    assert not affinity_holds(_required(), NODE)
    assert affinity_holds({}, NODE)


def test_fields_name_the_node() -> None:
    assert affinity_holds(_required({"matchFields": [_in("metadata.name", "n1")]}), NODE)
    assert not affinity_holds(_required({"matchFields": [_in("metadata.name", "n2")]}), NODE)


def test_a_leftover_node_selector_is_anded_with_affinity() -> None:
    spec = _required({"matchExpressions": [_in("arch", "arm64")]})
    assert not affinity_holds({**spec, "nodeSelector": {"arch": "amd64"}}, NODE)
    assert affinity_holds({**spec, "nodeSelector": {"arch": "arm64"}}, NODE)


def test_preferences_add_up() -> None:
    liked = {"weight": 30, "preference": {"matchExpressions": [_in("arch", "arm64")]}}
    other = {"weight": 50, "preference": {"matchExpressions": [_in("arch", "amd64")]}}
    everywhere = {"weight": 7, "preference": {}}
    preferred = [liked, other, everywhere]
    assert preference({"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}}, NODE) == 37


@pytest.mark.parametrize(
    ("toleration", "covers"),
    [
        ({"operator": "Exists"}, True),
        ({"key": "k", "operator": "Exists"}, True),
        ({"key": "k", "value": "v"}, True),
        ({"key": "k", "value": "v", "effect": "NoSchedule"}, True),
        ({"key": "k", "value": "v", "effect": "NoExecute"}, False),
        ({"key": "k", "value": "w"}, False),
        ({"key": "other", "operator": "Exists"}, False),
    ],
)
def test_tolerations(toleration: Obj, covers: bool) -> None:
    assert tolerates(toleration, NODE["spec"]["taints"][0]) is covers
    assert (untolerated({"tolerations": [toleration]}, NODE) is None) is covers
