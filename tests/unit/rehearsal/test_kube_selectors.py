from __future__ import annotations

import pytest

from cockpit.rehearsal.kube.errors import KubeError
from cockpit.rehearsal.kube.selectors import matches_label_selector, parse

OBJ = {
    "metadata": {"name": "p", "namespace": "ns", "labels": {"app": "api", "tier": "front", "rank": "3"}},
    "spec": {"nodeName": "n1"},
    "status": {"phase": "Running"},
}


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ("app=api", True),
        ("app==api,tier!=back", True),
        ("app in (web, api),tier", True),
        ("app notin (api)", False),
        ("!app", False),
        ("!other", True),
        ("other", False),
        ("other!=x", True),
        ("rank>2", True),
        ("rank<3", False),
        ("other notin (a)", True),
        ("", True),
    ],
)
def test_label_selectors(labels: str, expected: bool) -> None:
    assert parse("pods", labels, "").matches(OBJ) is expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("metadata.name=p", True),
        ("metadata.name!=p", False),
        ("spec.nodeName=n1,status.phase=Running", True),
        ("status.phase!=Succeeded,status.phase!=Failed", True),
        ("spec.nodeName=", False),
    ],
)
def test_field_selectors(fields: str, expected: bool) -> None:
    assert parse("pods", "", fields).matches(OBJ) is expected


def test_an_absent_flag_counts_as_false() -> None:
    assert parse("nodes", "", "spec.unschedulable=false").matches({"metadata": {}, "spec": {}})


def test_regarding_is_the_involved_object() -> None:
    event = {"metadata": {}, "involvedObject": {"name": "p"}}
    assert parse("events", "", "regarding.name=p").matches(event)


@pytest.mark.parametrize(("labels", "fields"), [("a=b=c", ""), ("-", ""), ("", "spec.color=red"), ("", "nonsense")])
def test_nonsense_is_a_bad_request(labels: str, fields: str) -> None:
    with pytest.raises(KubeError) as refused:
        parse("pods", labels, fields)
    assert refused.value.code == 400


def test_label_selector_objects() -> None:
    labels = {"app": "api"}
    assert matches_label_selector({"matchLabels": labels}, labels)
    assert matches_label_selector({}, labels)
    assert not matches_label_selector(None, labels)
    assert not matches_label_selector({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["api"]}]}, labels)
