"""While an image of a live pod is not known, what rests on images is not seen: neither found nor clear."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cockpit.model.cluster import Container
from cockpit.model.finding import FindingKind as K
from cockpit.model.image import Image
from cockpit.model.playbook import FindingCheck
from cockpit.model.snapshot import Snapshot
from cockpit.model.verdict import Outcome
from cockpit.rules.matrix import State, judge_finding, look
from tests.factories import PLAYBOOK, snapshot

OF_IMAGES = {K.EXEC_FORMAT, K.NO_MANIFEST, K.EMULATED}
APP, AGENT = (f"registry.example.com/{name}@sha256:{digit * 64}" for name, digit in (("payments", "a"), ("edr", "b")))


def world(*images: Image, **on_home: str) -> Snapshot:
    """Pods that run by digest, and what registries say of them; `agent` is what the agent runs on amd64 nodes."""
    found, pods = snapshot(), {}
    for key, one in found.pods.items():
        agent = on_home.get("agent", AGENT) if one.node.startswith("x") else AGENT
        image = agent if one.namespace == "security" else APP
        pods[key] = replace(one, containers=(Container("main", image.partition("@")[0] + ":1", image_id=image, ready=True),))
    return replace(found, pods=pods, images={image.reference: image for image in images})


def image(reference: str, why: str = "") -> Image:
    return Image(reference, platforms=() if why else ("linux/amd64", "linux/arm64"), why=why)


def blind(seen: Snapshot) -> dict[K, str]:
    return {row.kind: row.why for row in look(seen, PLAYBOOK).blind}


def test_all_known_is_clear() -> None:
    seen = world(image(APP), image(AGENT))
    assert blind(seen) == {}
    assert all(judge_finding(FindingCheck(kind), seen, PLAYBOOK).outcome is Outcome.PASS for kind in OF_IMAGES)


@pytest.mark.parametrize(
    ("images", "words"),
    [
        ((image(APP, "401"), image(AGENT)), "1 image not known: registry.example.com/payments: 401"),
        ((image(APP), image(AGENT, "timed out")), "1 image not known: registry.example.com/edr: timed out"),
        ((), "2 images not known: registry.example.com/edr: its registry has not been asked yet"),
        ((image(AGENT), Image(APP)), "1 image not known: registry.example.com/payments: its registry names no platform"),
    ],
)  # fmt: skip
def test_what_is_not_known_is_neither_clear_nor_a_pass(images: tuple[Image, ...], words: str) -> None:
    seen = world(*images)
    assert blind(seen) == dict.fromkeys(OF_IMAGES, words)
    for kind in OF_IMAGES:
        verdict = judge_finding(FindingCheck(kind), seen, PLAYBOOK)
        assert (verdict.outcome, verdict.reason) == (Outcome.NO_DATA, words)
    assert look(seen, PLAYBOOK).row(K.INVALID_ELF).state is State.CLEAR


def test_an_agents_image_on_nodes_that_nobody_asks_about_blinds_nothing() -> None:
    assert blind(world(image(APP), image(AGENT), agent="registry.example.com/edr@sha256:" + "c" * 64)) == {}


def test_what_is_found_is_found_though_another_image_is_not_known() -> None:
    seen = world(replace(image(APP), platforms=("linux/amd64",)), image(AGENT, "timed out"))
    assert look(seen, PLAYBOOK).row(K.EMULATED).state is State.FOUND
    assert judge_finding(FindingCheck(K.EMULATED), seen, PLAYBOOK).outcome is Outcome.FAIL
