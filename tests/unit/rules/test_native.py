"""The native gate: green only on the registry's word for every image, red only on proof."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.model.arch import Arch
from cockpit.model.cluster import Container, DaemonSet
from cockpit.model.image import Image
from cockpit.model.playbook import NativeCheck
from cockpit.model.snapshot import Freshness, Snapshot, SourceName, SourceState
from cockpit.model.verdict import Outcome, Verdict
from cockpit.rules.native import judge_native
from tests.factories import CANARY, PLAYBOOK, pod, signals, snapshot, with_source

APP = "registry.example.com/payments@sha256:" + "aa" * 32
SIDE = "registry.example.com/mesh@sha256:" + "bb" * 32
CONFIG = "sha256:" + "cc" * 32
BOTH = ("linux/amd64", "linux/arm64/v8")


def container(image_id: str = APP, name: str = "main", **changes: object) -> Container:
    return replace(Container(name, "registry.example.com/payments:1", image_id=image_id, ready=True), **changes)  # type: ignore[arg-type]


def image(reference: str = APP, platforms: tuple[str, ...] = BOTH, **changes: object) -> Image:
    return replace(Image(reference, "sha256:" + "aa" * 32, True, platforms), **changes)  # type: ignore[arg-type]


def world(*containers: Container, images: tuple[Image, ...] = (image(),), **changes: object) -> Snapshot:
    """The healthy world with these containers in the canary's pods."""
    found = snapshot()
    held = containers or (container(),)
    pods = {k: replace(p, containers=held) if p.labels["app"] == CANARY.name else p for k, p in found.pods.items()}
    return replace(found, pods=pods, images={i.reference: i for i in images}, **changes)  # type: ignore[arg-type]


def judge(found: Snapshot, check: NativeCheck | None = None, seconds: float = 600.0) -> Verdict:
    return judge_native(check or NativeCheck(), found, PLAYBOOK, found.time - timedelta(seconds=seconds))


def test_every_image_known_to_be_built_for_its_node_passes() -> None:
    verdict = judge(world(container(), container(SIDE, "mesh", init=True), images=(image(), image(SIDE, ("linux/arm64",)))))
    assert verdict.outcome is Outcome.PASS
    assert verdict.numbers == {"images": 2.0, "pods": 4.0}
    assert any("built for arm64, runs on arm64 (registry)" in line for line in verdict.details)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (world(images=()), "has not been asked"),
        (world(images=(image(platforms=(), why="registry registry.example.com: connection refused"),)), "connection refused"),
        (world(images=(image(platforms=()),)), "names no platform"),
        (world(container(), container(SIDE, "mesh")), "mesh@sha256"),
        (world(container("")), "has not been asked"),
        (world(container(CONFIG), images=(image("registry.example.com/payments:1"),)), "not the one that runs"),
        (world(container(""), images=(image("registry.example.com/payments:1", ("linux/amd64",)),)), "under that tag now"),
        (world(container(""), images=(image("registry.example.com/payments:1"),)), "not known by its digest"),
        (world(container("", ready=False, exit_code=1), images=(image("registry.example.com/payments:1"),)), "by its digest"),
    ],
)
def test_what_is_not_known_is_never_green(found: Snapshot, words: str) -> None:
    verdict = judge(found)
    assert verdict.outcome is Outcome.NO_DATA
    assert words in verdict.reason


def test_a_node_whose_label_lies_is_never_green() -> None:
    found = world()
    lying = {n.name: replace(n, reported_arch="amd64") if n.arch is Arch.ARM64 else n for n in found.nodes.values()}
    verdict = judge(replace(found, nodes=lying))
    assert verdict.outcome is Outcome.NO_DATA
    assert "labelled arm64, and its kubelet says amd64" in verdict.reason


@pytest.mark.parametrize("name", [SourceName.NODES, SourceName.PODS, SourceName.DEPLOYMENTS, SourceName.IMAGES])
@pytest.mark.parametrize("state", [Freshness.UNSYNCED, Freshness.STALE, Freshness.FAULT])
def test_a_source_that_cannot_be_believed_is_never_green(name: SourceName, state: Freshness) -> None:
    assert judge(with_source(world(), name, SourceState(state))).outcome in (Outcome.NO_DATA, Outcome.STALE)


def test_a_foreign_image_that_runs_is_emulated_and_the_daemonset_is_named() -> None:
    binfmt = DaemonSet("kube-system", "binfmt", "u", 6, 6, images=("tonistiigi/binfmt:latest",))
    found = world(images=(image(platforms=("linux/amd64",)),))
    found = replace(found, daemonsets={**found.daemonsets, "kube-system/binfmt": binfmt})
    verdict = judge(found)
    assert verdict.outcome is Outcome.FAIL
    assert "built for linux/amd64, runs on arm64" in verdict.reason
    assert "emulated" in verdict.reason and "DaemonSet kube-system/binfmt" in verdict.reason


def test_a_foreign_image_is_proof_even_while_registries_are_silent() -> None:
    found = with_source(world(images=(image(platforms=("linux/amd64",)),)), SourceName.IMAGES, SourceState(Freshness.STALE, 99.0))
    assert judge(found).outcome is Outcome.FAIL


def test_a_runtime_that_names_only_the_configuration_is_judged_by_it() -> None:
    tagged = image("registry.example.com/payments:1", manifests={CONFIG: "linux/amd64"})
    assert judge(world(container(CONFIG), images=(tagged,))).outcome is Outcome.FAIL
    assert judge(world(container(CONFIG), images=(replace(tagged, manifests={CONFIG: "linux/arm64"}),))).passed


@pytest.mark.parametrize(
    "message",
    ["exec /app: exec format error", 'failed to create containerd task: exec: "/app": Exec format error: unknown'],
)
def test_the_runtimes_own_words_are_proof(message: str) -> None:
    verdict = judge(world(container(message=message, ready=False, waiting="CrashLoopBackOff", exit_code=1), images=()))
    assert verdict.outcome is Outcome.FAIL
    assert verdict.reason.startswith("exec format error: canary-0, container main")


def test_a_tag_tells_what_a_node_is_about_to_pull() -> None:
    pulling = container("", ready=False, waiting="ContainerCreating")
    assert judge(world(pulling, images=(image("registry.example.com/payments:1"),))).passed
    foreign = world(pulling, images=(image("registry.example.com/payments:1", ("linux/amd64",)),))
    assert judge(foreign).outcome is Outcome.NO_DATA, "nothing runs yet"


def test_words_from_before_a_container_became_ready_are_no_proof() -> None:
    assert judge(world(container(message="exec /app: exec format error", exit_code=1))).passed


@pytest.mark.parametrize("code", [126, 255])
def test_an_exit_code_alone_is_a_hint(code: int) -> None:
    verdict = judge(world(container(ready=False, waiting="CrashLoopBackOff", exit_code=code)))
    assert verdict.passed
    assert any(line.startswith("hint:") and f"exit code {code}" in line for line in verdict.details)


def test_a_probe_that_contradicts_the_registry_is_proof() -> None:
    verdict = judge(world(images=(image(probed="amd64", probe="uname -m: x86_64"),)))
    assert verdict.outcome is Outcome.FAIL
    assert "uname -m: x86_64" in verdict.reason


def test_a_probe_alone_is_not_enough_to_be_green() -> None:
    assert judge(world(images=(image(platforms=(), why="offline", probed="arm64"),))).outcome is Outcome.NO_DATA


def test_low_throughput_per_pod_is_a_hint_and_decides_nothing() -> None:
    verdict = judge(world(signals=signals(share=0.05)))
    assert verdict.passed and not any("requests/s" in line for line in verdict.details)
    slow = judge(world(signals=signals(share=0.02)))
    assert slow.passed
    assert any(line.startswith("hint:") and "39%" in line for line in slow.details)
    assert not any("requests/s" in line for line in judge(world(signals=signals(share=0.02)), seconds=60.0).details)
    assert not any(
        "requests/s" in line for line in judge(world(signals=signals(share=0.02)), NativeCheck(hint_below=0.3)).details
    )


def test_a_canary_without_a_pod_on_the_target_is_never_green() -> None:
    found = world()
    moved = {k: replace(p, node="x0") for k, p in found.pods.items()}
    assert judge(replace(found, pods=moved)).outcome is Outcome.NO_DATA


_IMAGES = st.sampled_from(["", "arm64", "amd64", "both", "offline", "absent"])


@given(st.lists(_IMAGES, min_size=1, max_size=6))
def test_pass_means_that_every_image_was_told_to_be_native(kinds: list[str]) -> None:
    references = [f"registry.example.com/i{i}@sha256:{'0123456789abcdef'[i] * 64}" for i in range(len(kinds))]
    built = {"arm64": ("linux/arm64",), "amd64": ("linux/amd64",), "both": BOTH, "": ()}
    held = [image(r, built.get(k, ()), why="no answer" if k == "offline" else "") for r, k in zip(references, kinds, strict=True)]
    known = tuple(i for i, k in zip(held, kinds, strict=True) if k != "absent")
    verdict = judge(world(*(container(r, f"c{i}") for i, r in enumerate(references)), images=known))
    assert verdict.passed == (set(kinds) <= {"arm64", "both"})
    assert (verdict.outcome is Outcome.FAIL) == ("amd64" in kinds)


def test_pods_of_the_baseline_that_moved_count_too() -> None:
    found = world()
    moved = pod("api-moved", "a0", containers=(container(SIDE),))
    verdict = judge(replace(found, pods={**found.pods, "payments/api-moved": moved}))
    assert verdict.outcome is Outcome.NO_DATA and "mesh@" in verdict.reason
