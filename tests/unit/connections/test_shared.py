"""What pods and nodes have in common is held once: at 150,000 pods it is all that matters of their size."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cockpit.connections import decode
from cockpit.sources.collection import sliced
from tests.contract.small_api import node, pod


def running(name: str) -> dict[str, Any]:
    made = pod(name)
    statuses = [{"name": "main", "ready": True, "restartCount": 0, "imageID": "x@sha256:1", "state": {"running": {}}}]
    return {**made, "status": {**made["status"], "containerStatuses": statuses}}


def test_pods_of_one_revision_share_their_containers_labels_and_requests() -> None:
    one, other = (decode.pod(json.dumps(running(name)).encode()) for name in ("a", "b"))
    assert one.name != other.name
    assert one.containers[0] is other.containers[0]
    assert one.labels is other.labels
    assert one.requests is other.requests
    assert one.node is other.node


def test_a_container_that_ended_keeps_what_it_said() -> None:
    ended = running("a")
    ended["status"]["containerStatuses"][0] |= {
        "ready": False,
        "lastState": {"terminated": {"exitCode": 1, "reason": "Error", "message": "exec format error"}},
    }
    (container,) = decode.pod(json.dumps(ended).encode()).containers
    assert (container.ready, container.exit_code, container.ended) == (False, 1, "Error")
    assert container.message == "exec format error"
    (fine,) = decode.pod(json.dumps(running("b")).encode()).containers
    assert (fine.ready, fine.exit_code, fine.message, fine.image_id) == (True, None, "", "x@sha256:1")


def test_nodes_share_the_words_of_their_labels() -> None:
    one, other = (decode.node(json.dumps(node(name)).encode()) for name in ("a", "b"))
    assert one.labels["kubernetes.io/arch"] is other.labels["kubernetes.io/arch"]
    assert one.allocatable is other.allocatable


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=60), st.integers(1, 120))
def test_slices_are_all_there_is_in_order_and_end_as_soon_as_they_are_full(objects: list[bytes], size: int) -> None:
    slices: list[Sequence[bytes]] = list(sliced(objects, size))
    assert [one for some in slices for one in some] == objects
    for some in slices:
        assert some
        assert sum(len(one) for one in some[:-1]) < size
