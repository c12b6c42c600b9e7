"""What decides where pods may be put, from the JSON of a Deployment."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cockpit.connections import decode
from cockpit.model.cluster import Deployment, Resources
from cockpit.model.json import Json
from cockpit.model.placement import ROLLING, Spread, Strategy
from cockpit.rules.rolling import Limits, limits


def decoded(outer: dict[str, Any], **template: Any) -> Deployment:
    body = {"metadata": {"name": "api", "namespace": "payments"}, "spec": {**outer, "template": template}}
    return decode.deployment(json.dumps(body).encode())


def test_spread_constraints_that_refuse_are_kept_with_their_policies() -> None:
    selector: dict[str, Json] = {"matchLabels": {"app": "api"}}
    hard = {"topologyKey": "zone", "maxSkew": 2, "whenUnsatisfiable": "DoNotSchedule", "labelSelector": selector}
    own = {**hard, "minDomains": 3, "nodeAffinityPolicy": "Ignore", "nodeTaintsPolicy": "Honor"}
    soft = {**hard, "whenUnsatisfiable": "ScheduleAnyway"}
    found = decoded({}, metadata={"labels": {"app": "api"}}, spec={"topologySpreadConstraints": [hard, soft, own]})
    assert found.spreads == (Spread("zone", 2, selector), Spread("zone", 2, selector, 3, False, True))
    assert found.template_labels == {"app": "api"}


def test_limits_are_summed_for_a_quota() -> None:
    containers = [{"name": n, "resources": {"limits": {"cpu": "500m", "memory": "1Gi"}, "requests": {"cpu": "1"}}} for n in "ab"]
    found = decoded({}, spec={"containers": [*containers, {"name": "c"}]})
    assert found.template_limits == Resources(1000, 2 << 30)
    assert found.template_requests.cpu_milli == 2000


@pytest.mark.parametrize(
    ("strategy", "replicas", "found"),
    [
        (None, 10, Limits(3, 2)),
        ({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}, 10, Limits(1, 0)),
        ({"rollingUpdate": {"maxSurge": "0%", "maxUnavailable": "0%"}}, 10, Limits(0, 1)),
        ({"rollingUpdate": {"maxSurge": "nonsense", "maxUnavailable": "5%"}}, 10, Limits(0, 1)),
        ({"rollingUpdate": {"maxSurge": "100%", "maxUnavailable": None}}, 3, Limits(3, 0)),
        ({"type": "Recreate"}, 3, Limits(0, 3)),
    ],
)
def test_how_far_a_roll_overshoots_and_undershoots(strategy: dict[str, Any] | None, replicas: int, found: Limits) -> None:
    read = decoded({"strategy": strategy} if strategy else {}).strategy
    assert limits(read, replicas) == found
    assert strategy or read == ROLLING == Strategy()
