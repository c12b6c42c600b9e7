from __future__ import annotations

import copy
from typing import Any

import pytest

from cockpit.clock import ManualClock
from cockpit.rehearsal.kube.duration import human
from cockpit.rehearsal.kube.errors import KubeError
from cockpit.rehearsal.kube.managed import manage
from cockpit.rehearsal.kube.resources import stored
from cockpit.rehearsal.kube.schema import TypeMismatch, decode
from cockpit.rehearsal.kube.validation import validate
from tests.unit.rehearsal.small_world import DEPLOYMENT, NAMESPACE, small_world

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def _target() -> dict[str, Any]:
    return copy.deepcopy(small_world(ManualClock()).get("deployments", NAMESPACE, DEPLOYMENT))


def _causes(obj: dict[str, Any], old: dict[str, Any] | None = None) -> list[tuple[str, str]]:
    with pytest.raises(KubeError) as refused:
        validate(stored("deployments"), obj, old)
    assert (refused.value.code, refused.value.reason) == (422, "Invalid")
    assert refused.value.details is not None
    return [(c["field"], c["message"]) for c in refused.value.details["causes"]]


def test_a_good_deployment_passes() -> None:
    validate(stored("deployments"), _target())


@pytest.mark.parametrize(
    ("term", "path", "message"),
    [
        (
            {"key": "a", "operator": "In", "values": []},
            "values",
            "Required value: must be specified when `operator` is 'In' or 'NotIn'",
        ),
        (
            {"key": "a", "operator": "Exists", "values": ["x"]},
            "values",
            "Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
        ),
        (
            {"key": "a", "operator": "Gt", "values": ["1", "2"]},
            "values",
            "Required value: must be specified single value when `operator` is 'Lt' or 'Gt'",
        ),
        ({"key": "a", "operator": "Is", "values": []}, "operator", 'Invalid value: "Is": not a valid selector operator'),
    ],
)
def test_affinity_requirements(term: dict[str, Any], path: str, message: str) -> None:
    obj = _target()
    affinity = obj["spec"]["template"]["spec"]["affinity"]["nodeAffinity"]
    affinity[REQUIRED]["nodeSelectorTerms"][0]["matchExpressions"][0] = term
    base = f"spec.template.spec.affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms[0].matchExpressions[0]"
    assert _causes(obj) == [(f"{base}.{path}", message)]


def test_no_terms_and_a_weight_out_of_range_come_together() -> None:
    obj = _target()
    affinity = obj["spec"]["template"]["spec"]["affinity"]["nodeAffinity"]
    affinity[REQUIRED]["nodeSelectorTerms"] = []
    affinity[PREFERRED][0]["weight"] = 101
    base = "spec.template.spec.affinity.nodeAffinity"
    assert _causes(obj) == [
        (f"{base}.{REQUIRED}.nodeSelectorTerms", "Required value: must have at least one node selector term"),
        (f"{base}.{PREFERRED}[0].weight", "Invalid value: 101: must be in the range 1-100"),
    ]


def test_the_selector_is_immutable_and_must_match_the_template() -> None:
    old, new = _target(), _target()
    new["spec"]["selector"] = {"matchLabels": {"app": "other"}}
    fields = [field for field, _ in _causes(new, old)]
    assert fields == ["spec.template.metadata.labels", "spec.selector"]


def test_surge_and_unavailable_may_not_both_be_zero() -> None:
    obj = _target()
    obj["spec"]["strategy"]["rollingUpdate"] = {"maxSurge": 0, "maxUnavailable": 0}
    assert _causes(obj) == [
        ("spec.strategy.rollingUpdate.maxUnavailable", "Invalid value: 0: may not be 0 when `maxSurge` is 0"),
    ]


def test_wrong_types_are_worded_as_by_go() -> None:
    with pytest.raises(TypeMismatch) as refused:
        decode("Deployment", {"spec": {"replicas": "two"}})
    assert str(refused.value) == "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"


def test_decoding_drops_what_a_typed_server_drops() -> None:
    raw = {"spec": {"replicas": 0, "template": {"spec": {"tolerations": [], "affinity": {}, "hostPID": None, "colour": "red"}}}}
    clean, unknown = decode("Deployment", raw)
    assert clean == {"spec": {"replicas": 0, "template": {"spec": {"affinity": {}}}}}
    assert unknown == ["spec.template.spec.colour"]


def test_managed_fields_follow_the_last_writer() -> None:
    old = manage(None, _target(), "kubectl", "", "T1")
    new = copy.deepcopy(old)
    new["spec"]["template"]["spec"]["affinity"]["nodeAffinity"][PREFERRED] = []
    managed = manage(old, new, "cockpit", "", "T2")["metadata"]["managedFields"]
    assert [(m["manager"], m["operation"], m["time"]) for m in managed] == [
        ("kubectl", "Update", "T1"),
        ("cockpit", "Update", "T2"),
    ]
    path = ["f:spec", "f:template", "f:spec", "f:affinity", "f:nodeAffinity"]
    theirs, ours = managed[0]["fieldsV1"], managed[1]["fieldsV1"]
    for step in path:
        theirs, ours = theirs[step], ours[step]
    assert (set(theirs), set(ours)) == ({f"f:{REQUIRED}"}, {f"f:{PREFERRED}"})


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (125, "2m5s"),
        (600, "10m"),
        (10800, "3h"),
        (11000, "3h3m"),
        (90000, "25h"),
        (86400 * 3, "3d"),
        (86400 * 3 + 7200, "3d2h"),
        (86400 * 20, "20d"),
        (86400 * 800, "2y70d"),
    ],
)
def test_durations_as_kubectl_shows_them(seconds: float, text: str) -> None:
    assert human(seconds) == text
