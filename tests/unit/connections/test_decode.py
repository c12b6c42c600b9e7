"""Kubernetes JSON to model objects: what is counted, what is cleaned, what is left as it came, what is tolerated."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.connections import decode, decode_labels, wire
from cockpit.connections.demand import amounts, pod_requests
from cockpit.model.cluster import Container, Resources, Taint

EVIL = "x\x1b]52;c;ZXZpbA==\x07\x9b\u202e"
UNSAFE = set("\x1b\x07\x9b\u202e\x7f")


def raw(**body: Any) -> bytes:
    return json.dumps({"metadata": {"name": "n", "namespace": "ns", "uid": "u", "resourceVersion": "1"}, **body}).encode()


def named(metadata: dict[str, Any], **body: Any) -> bytes:
    return json.dumps({"metadata": {"name": "n", **metadata}, **body}).encode()


def test_a_node_shows_its_label_and_what_its_kubelet_says() -> None:
    labels = {
        "kubernetes.io/arch": "arm64",
        "node-role.kubernetes.io/control-plane": "",
        "node.kubernetes.io/instance-type": "m7g.xlarge",
        "topology.kubernetes.io/zone": "ap-south-1a",
    }
    status = {
        "nodeInfo": {"architecture": "amd64"},
        "conditions": [{"type": "MemoryPressure", "status": "False"}, {"type": "Ready", "status": "True"}],
        "allocatable": {"cpu": "3920m", "memory": "14Gi", "pods": "58", "ephemeral-storage": "18242267924"},
    }
    taints = [
        {"key": "dedicated", "effect": "NoSchedule", "value": "db"},
        {"key": "gone", "effect": "NoExecute", "timeAdded": None},
    ]
    found = decode.node(named({"labels": labels}, spec={"unschedulable": True, "taints": taints}, status=status))
    assert (found.arch, found.reported_arch, found.ready, found.unschedulable) == ("arm64", "amd64", True, True)
    assert (found.control_plane, found.instance_type, found.zone) == (True, "m7g.xlarge", "ap-south-1a")
    assert found.allocatable == Resources(3920, 14 << 30, 58)
    assert found.taints == (Taint("dedicated", "NoSchedule", "db"), Taint("gone", "NoExecute", ""))


@pytest.mark.parametrize("codec", [decode.NODES, decode.PODS, decode.DEPLOYMENTS, decode.DAEMONSETS, decode.EVENTS])
@pytest.mark.parametrize("body", [{}, {"spec": None, "status": None}, {"spec": {}, "status": {}}])
def test_what_go_leaves_out_or_writes_as_null_has_a_meaning(codec: decode.Codec[Any, Any], body: dict[str, Any]) -> None:
    assert codec.one(named({"labels": None, "ownerReferences": None, "annotations": None}, **body)).name == "n"
    assert codec.page(b'{"metadata":{"resourceVersion":"1"},"items":null}').items == []


def test_a_ready_condition_that_is_unknown_is_not_ready() -> None:
    assert not decode.node(raw(status={"conditions": [{"type": "Ready", "status": "Unknown"}]})).ready
    assert not decode.pod(raw(status={"conditions": None})).ready


def test_containers_tell_how_they_wait_and_how_they_ended() -> None:
    illegal = "Illegal instruction"
    crash = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s"}}
    ended = {"terminated": {"exitCode": 132, "reason": "Error", "message": f"{illegal}\n"}}
    spec = {
        "containers": [{"name": "main", "image": "i:1"}, {"name": "side", "image": "s"}],
        "initContainers": [{"name": "first", "image": "f"}],
    }
    status = {
        "phase": "Running",
        "containerStatuses": [
            {"name": "main", "imageID": "sha256:0", "ready": False, "restartCount": 7, "state": crash, "lastState": ended}
        ],
        "initContainerStatuses": [{"name": "first", "ready": True, "state": {"terminated": {"exitCode": 0}}}],
    }
    both = f"{illegal}; back-off 5m0s"
    assert decode.pod(raw(spec=spec, status=status)).containers == (
        Container("first", "f", ready=True, exit_code=0, init=True),
        Container("main", "i:1", "sha256:0", restarts=7, waiting="CrashLoopBackOff", message=both, exit_code=132, ended="Error"),
        Container("side", "s"),
    )


def test_of_a_long_last_message_the_end_is_kept_which_says_why() -> None:
    log = "\n".join([*(f"starting, step {n} of 200" for n in range(200)), "exec /app: exec format error"])
    status = {"containerStatuses": [{"name": "main", "lastState": {"terminated": {"exitCode": 1, "message": log}}}]}
    (found,) = decode.pod(raw(spec={"containers": [{"name": "main", "image": "i:1"}]}, status=status)).containers
    assert found.message.startswith("…") and found.message.endswith("step 199 of 200 exec /app: exec format error")
    assert len(found.message) == 1024


def test_a_pod_tells_its_owner_its_end_and_why_it_finds_no_node() -> None:
    owners = [{"kind": "Other", "name": "x"}, {"kind": "ReplicaSet", "name": "rs", "controller": True}]
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/16 nodes: Insufficient cpu"}
    times = {"creationTimestamp": "2026-11-22T02:00:00Z", "deletionTimestamp": "2026-11-22T03:00:00Z"}
    found = decode.pod(named({"ownerReferences": owners, **times}, status={"phase": "Pending", "conditions": [condition]}))
    assert (found.owner, found.terminating, found.unschedulable) == ("ReplicaSet/rs", True, "0/16 nodes: Insufficient cpu")
    assert found.created == datetime(2026, 11, 22, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("annotations", "main"),
    [(None, ""), ({}, ""), ({"kubectl.kubernetes.io/default-container": "app", "other": "x"}, "app")],
)
def test_a_pods_own_container_is_read_from_its_annotation(annotations: dict[str, str] | None, main: str) -> None:
    assert decode.pod(named({"annotations": annotations})).main == main


def test_times_without_a_zone_are_utc() -> None:
    noon = "2026-11-22T12:00:00"
    conditions = [{"type": "Progressing", "status": "True", "lastTransitionTime": noon}]
    [condition] = decode.deployment(raw(status={"conditions": conditions})).conditions
    created = decode.pod(named({"creationTimestamp": noon})).created
    told = decode.event(raw(lastTimestamp=noon)).time
    assert {condition.since, created, told} == {datetime(2026, 11, 22, 12, tzinfo=UTC)}


def test_what_is_written_back_is_left_as_it_came_and_what_is_shown_is_clean() -> None:
    affinity = {"nodeAffinity": {EVIL: [EVIL]}}
    tolerations = [{"key": EVIL, "tolerationSeconds": 3}]
    template = {"spec": {"affinity": affinity, "tolerations": tolerations, "containers": [{"name": EVIL, "image": EVIL}]}}
    conditions = [{"type": EVIL, "status": EVIL, "reason": EVIL, "message": EVIL}]
    meta = {"annotations": {EVIL: EVIL}, "labels": {EVIL: EVIL}, "uid": EVIL}
    found = decode.deployment(
        named(meta, spec={"template": template, "selector": {"matchLabels": {EVIL: EVIL}}}, status={"conditions": conditions})
    )
    assert found.affinity == affinity
    assert found.tolerations == tuple(tolerations)
    assert found.annotations == {EVIL: EVIL}
    shown = [found.uid, *found.images, *found.labels, *found.labels.values(), *found.selector, *found.selector.values()]
    shown += [word for c in found.conditions for word in (c.type, c.status, c.reason, c.message)]
    assert not UNSAFE & set("".join(shown))


def test_replicas_left_out_are_one_and_images_come_once() -> None:
    containers = [{"name": "a", "image": "i"}, {"name": "b", "image": "i"}]
    found = decode.deployment(raw(spec={"template": {"spec": {"containers": containers}}}))
    assert (found.replicas, found.images) == (1, ("i",))
    assert decode.deployment(raw(spec={"replicas": 0})).replicas == 0


@pytest.mark.parametrize(
    ("body", "minute", "count"),
    [
        ({"lastTimestamp": "2026-11-22T02:05:00Z", "firstTimestamp": "2026-11-22T02:01:00Z", "count": 4}, 5, 4),
        ({"eventTime": "2026-11-22T02:07:00.123456Z", "lastTimestamp": None, "firstTimestamp": None}, 7, 1),
        (
            {"series": {"count": 9, "lastObservedTime": "2026-11-22T02:09:00.000001Z"}, "eventTime": "2026-11-22T02:07:00.1Z"},
            9,
            9,
        ),
    ],
)
def test_an_event_has_the_newest_of_its_times(body: dict[str, Any], minute: int, count: int) -> None:
    found = decode.event(raw(involvedObject={"kind": "Pod", "name": "p"}, **body))
    assert (found.time.minute, found.count, found.regarding) == (minute, count, "Pod/p")


def test_labels_of_one_revision_are_kept_once() -> None:
    one, two = (decode.pod(named({"labels": {"app": "x", "pod-template-hash": "h"}})) for _ in range(2))
    assert one.labels is two.labels


def test_selectors_are_said_as_the_api_takes_them() -> None:
    requirement = wire.Requirement
    whole = wire.Selector(
        {"app": "x"},
        [
            requirement("tier", "In", ["a", "b"]),
            requirement("z", "Exists"),
            requirement("y", "DoesNotExist"),
            requirement("w", "NotIn", ["c"]),
        ],
    )
    assert decode_labels.label_selector(whole) == "app=x,tier in (a,b),z,!y,w notin (c)"
    assert decode_labels.label_selector(wire.Selector()) is None
    assert decode_labels.label_selector(None) is None
    assert decode_labels.label_selector(wire.Selector(None, [requirement("a", "Gt", ["3"])])) is None


@pytest.mark.parametrize(
    ("page", "more"),
    [
        (b'{"kind":"PodList","metadata":{"resourceVersion":"7","continue":"t"},"items":[{"bad"', "t"),
        (b'{"items":[{"metadata":{"continue":"wrong"}}],"metadata":{"resourceVersion":"7"}}', ""),
        (b'{"metadata":{"resourceVersion":"7","continue":"\\"items\\"","remainingItemCount":3},"items":[]}', '"items"'),
    ],
)
def test_a_pages_metadata_is_found_wherever_it_stands(page: bytes, more: str) -> None:
    found = wire.list_meta(page)
    assert (found.resource_version, found.continue_) == ("7", more)


@pytest.mark.parametrize("page", [b"", b"[]", b"{}", b'{"items":[]}', b"<html>"])
def test_what_is_no_list_is_refused(page: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        wire.list_meta(page)


def asked(cpu: str | float, memory: str = "0", policy: str | None = None) -> wire.SpecContainer:
    return wire.SpecContainer(resources=wire.Quantities({"cpu": cpu, "memory": memory}), restart_policy=policy)


def test_the_scheduler_counts_the_greater_of_starting_and_running() -> None:
    running = wire.PodSpec(containers=[asked("500m", "1Gi"), asked(0.25, "1Mi")])
    assert pod_requests(running) == Resources(750, (1 << 30) + (1 << 20))
    starting = wire.PodSpec(containers=[asked("1")], init_containers=[asked("2"), asked("100m", policy="Always"), asked("1950m")])
    assert pod_requests(starting).cpu_milli == 2050
    sidecar = wire.PodSpec(containers=[asked("1")], init_containers=[asked("100m", policy="Always")], overhead={"cpu": "50m"})
    assert pod_requests(sidecar).cpu_milli == 1150
    whole = wire.PodSpec(containers=[asked("1", "1Gi")], resources=wire.Quantities({"cpu": "3"}))
    assert pod_requests(whole) == Resources(3000, 1 << 30)
    assert pod_requests(wire.PodSpec()) == Resources()


@given(
    st.dictionaries(st.sampled_from(["cpu", "memory", "pods", "x"]), st.one_of(st.text(max_size=8), st.integers(), st.floats()))
)
def test_quantities_never_raise_and_are_never_negative(found: dict[str, str | int | float]) -> None:
    read = amounts(found)
    assert min(read.cpu_milli, read.memory_bytes, read.pods) >= 0


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)))
def test_no_json_makes_a_decoder_raise_anything_but_a_decode_error(value: Any) -> None:
    for body in (value, {"metadata": value}, {"metadata": {"name": "n"}, "spec": value, "status": value}):
        for codec in (decode.NODES, decode.PODS, decode.DEPLOYMENTS, decode.DAEMONSETS, decode.EVENTS):
            try:
                codec.one(json.dumps(body).encode())
            except msgspec.DecodeError:
                continue
