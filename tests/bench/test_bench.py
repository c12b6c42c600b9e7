"""The bench measures what it says it measures."""

from __future__ import annotations

import json

import pytest

from cockpit.connections import decode
from cockpit.model.arch import ARCH_LABELS
from tests.bench.decode_child import official
from tests.bench.figures import Row, Sample, table
from tests.bench.listing import BUILDERS, pages
from tests.bench.screen import Screen


def test_generated_pods_decode_to_what_they_are() -> None:
    raw = list(pages("pods", 120, size=50))
    found = [decode.PODS.page(page) for page in raw]

    assert [len(page.items) for page in found] == [50, 50, 20]
    assert [bool(page.more) for page in found] == [True, True, False]
    pods = [pod for page in found for pod in page.items]
    assert len({(pod.namespace, pod.name) for pod in pods}) == 120
    assert all(pod.ready and pod.phase == "Running" and len(pod.containers) == 2 and pod.node for pod in pods)
    assert 5_500 < sum(map(len, raw)) / 120 < 7_500


def test_generated_nodes_decode_to_what_they_are() -> None:
    nodes = [node for page in pages("nodes", 100) for node in decode.NODES.page(page).items]

    assert [sum(node.arch == arch for node in nodes) for arch in ("amd64", "arm64")] == [50, 50]
    assert len({node.name for node in nodes}) == 100
    assert all(node.ready and node.zone and ARCH_LABELS[0] in node.labels for node in nodes)


@pytest.mark.parametrize("kind", BUILDERS)
def test_both_ways_decode_the_same_objects(kind: str) -> None:
    page = next(pages(kind, 3))
    ours = {"pods": decode.PODS, "nodes": decode.NODES}[kind].page(page).items  # type: ignore[attr-defined]

    assert [one.name for one in ours] == [one.metadata.name for one in official(kind)(page)]


@pytest.mark.parametrize("kind", BUILDERS)
def test_the_same_objects_every_time(kind: str) -> None:
    assert list(pages(kind, 4)) == list(pages(kind, 4))
    assert json.loads(next(pages(kind, 1)))["kind"] == {"pods": "PodList", "nodes": "NodeList"}[kind]


def test_a_ratio_without_a_peer_is_said_to_have_none() -> None:
    row = Row("rollback", "s", Sample((0.2, 0.1, 0.4)), None, "the script", ratio_at_most=0.2, missing="no kubectl on the PATH")

    assert row.verdict == "no peer"
    assert "no kubectl on the PATH" in table([row])


@pytest.mark.parametrize(
    ("ours", "verdict"),
    [(0.9, "met"), (1.1, "MISSED")],
)
def test_a_missed_target_is_said_to_be_missed(ours: float, verdict: str) -> None:
    assert Row("frame", "s", Sample((ours,)), Sample((1.0,)), "bare", at_most=1.0).verdict == verdict
    assert Row("frame", "s", Sample((ours,)), Sample((10.0,)), "bare", ratio_at_most=0.1).verdict == verdict


def test_a_screen_shows_what_was_written_to_it_in_pieces() -> None:
    screen = Screen(10, 2)
    for piece in ("\x1b[2J\x1b[1;1Hold words", "\x1b[1;", "1H\x1b[31mnew\x1b[0m", "\x1b]0;title\x07\x1b[2;3H漢x"):
        screen.feed(piece.encode())

    assert screen.text == "new words\n  漢x"
