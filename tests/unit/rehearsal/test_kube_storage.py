from __future__ import annotations

import copy
from typing import Any

import pytest

from cockpit.clock import ManualClock
from cockpit.rehearsal.kube.errors import KubeError
from cockpit.rehearsal.kube.storage import Storage
from tests.unit.rehearsal.small_world import DEPLOYMENT, NAMESPACE, deployment, pod, small_world


def test_create_fills_in_what_a_server_owns_and_defaults_of_workloads() -> None:
    storage = Storage(ManualClock(), seed=1)
    made = storage.create("deployments", deployment())
    meta = made["metadata"]
    assert (made["apiVersion"], made["kind"], meta["generation"]) == ("apps/v1", "Deployment", 1)
    assert meta["creationTimestamp"] == "2026-11-22T02:00:00Z"
    assert int(meta["resourceVersion"]) == storage.resource_version
    assert made["spec"]["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}
    assert storage.create("pods", pod("a", "n"))["metadata"]["uid"] != meta["uid"]


def test_the_same_seed_gives_the_same_uids() -> None:
    first, second = (small_world(ManualClock()) for _ in range(2))
    assert [o["metadata"]["uid"] for o in first.list("pods")] == [o["metadata"]["uid"] for o in second.list("pods")]


def test_update_bumps_generation_only_for_the_spec() -> None:
    storage = small_world(ManualClock())
    for change, generation in (({"status": {"replicas": 9}}, 1), ({"spec": {"replicas": 9}}, 2)):
        obj = copy.deepcopy(storage.get("deployments", NAMESPACE, DEPLOYMENT))
        for part, values in change.items():
            obj[part].update(values)
        assert storage.update("deployments", obj)["metadata"]["generation"] == generation


def test_a_write_that_changes_nothing_keeps_the_version() -> None:
    storage = small_world(ManualClock())
    before = storage.resource_version
    storage.update("deployments", copy.deepcopy(storage.get("deployments", NAMESPACE, DEPLOYMENT)))
    assert storage.resource_version == before


def test_status_only_takes_nothing_but_the_status() -> None:
    storage = small_world(ManualClock())
    obj = copy.deepcopy(storage.get("deployments", NAMESPACE, DEPLOYMENT))
    obj["spec"]["replicas"], obj["status"]["replicas"] = 40, 40
    written = storage.update("deployments", obj, status_only=True)
    assert (written["spec"]["replicas"], written["status"]["replicas"]) == (2, 40)


def test_a_stale_update_is_a_conflict() -> None:
    storage = small_world(ManualClock())
    stale = copy.deepcopy(storage.get("deployments", NAMESPACE, DEPLOYMENT))
    storage.update("deployments", {**stale, "status": {}})
    with pytest.raises(KubeError) as refused:
        storage.update("deployments", {**stale, "spec": {}})
    assert (refused.value.code, refused.value.reason) == (409, "Conflict")
    assert str(refused.value) == (
        f'Operation cannot be fulfilled on deployments.apps "{DEPLOYMENT}": '
        "the object has been modified; please apply your changes to the latest version and try again"
    )


def test_listeners_hear_every_change_in_order() -> None:
    storage = small_world(ManualClock())
    heard: list[tuple[str, str]] = []
    storage.listen(lambda kind, resource, obj: heard.append((kind, obj["metadata"]["name"])))
    made = storage.create("pods", pod("fresh", "n"))
    storage.update("pods", {**made, "status": {"phase": "Failed"}})
    storage.delete("pods", NAMESPACE, "fresh")
    assert heard == [("ADDED", "fresh"), ("MODIFIED", "fresh"), ("DELETED", "fresh")]


def test_the_past_can_be_listed_until_it_is_compacted() -> None:
    storage = small_world(ManualClock())
    then, names = storage.resource_version, [o["metadata"]["name"] for o in storage.list("pods")]
    storage.create("pods", pod("fresh", "n"))
    storage.delete("pods", NAMESPACE, names[0])
    assert [v.name for v in storage.versions("pods", at=then)] == names
    assert [v.name for v in storage.versions("pods")] == ["fresh", names[1]]
    storage.compact()
    with pytest.raises(KubeError) as refused:
        storage.versions("pods", at=then)
    assert (refused.value.code, refused.value.reason) == (410, "Expired")


def test_encoded_versions_are_what_was_stored() -> None:
    import msgspec

    storage = small_world(ManualClock())
    version = storage.versions("pods")[0]
    decoded: dict[str, Any] = msgspec.json.decode(version.full())
    assert decoded == version.obj
