"""The rows of an image: red for what a node cannot pull or run, UNKNOWN for what nobody told, and PASS for nothing else."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.model.arch import Arch
from cockpit.model.audit import Layer, Mark, Row
from cockpit.model.builds import Blob, Build, Fault, ImageFacts
from cockpit.rules.portability.images import judge_image, rows_of_image

TODAY = date(2026, 11, 22)
REFERENCE = "registry.example.com/payments/api:1"
ARM, X86 = Build("linux/arm64", "linux/arm64"), Build("linux/amd64", "linux/amd64")
GONE = Build("", "linux/arm64", fault=Fault.MISSING, why="its index lists linux/arm64, which is not there")
PLATFORMS = st.sampled_from(["", "linux/amd64", "linux/arm64", "linux/arm64/v8", "linux/arm/v7", "windows/arm64", "linux/s390x"])
BUILDS = st.builds(
    Build,
    platform=PLATFORMS,
    claimed=PLATFORMS,
    fault=st.sampled_from(Fault),
    layers=st.just((Blob("sha256:" + "1" * 64),)),
    missing=st.sampled_from([(), ("sha256:" + "1" * 64,)]),
    unchecked=st.integers(0, 1),
)
FACTS = st.builds(
    ImageFacts,
    reference=st.just(REFERENCE),
    index=st.booleans(),
    pinned=st.booleans(),
    builds=st.lists(BUILDS, max_size=4).map(tuple),
    fault=st.sampled_from([Fault.NONE, *Fault]),
)


def image(*builds: Build, index: bool = True, **more: object) -> ImageFacts:
    return ImageFacts(REFERENCE, "sha256:" + "0" * 64, index, builds=builds, **more)  # type: ignore[arg-type]


def row(facts: ImageFacts, arch: Arch = Arch.ARM64) -> Row:
    (found,) = rows_of_image(facts, arch, TODAY, used_by=("Deployment/api",), owner="dev")
    return found


@pytest.mark.parametrize(
    ("facts", "mark", "words"),
    [
        (image(X86, ARM), Mark.PASS, "linux/arm64 and 1 other platform"),
        (image(Build("linux/arm64/v8", "linux/arm64"), X86), Mark.PASS, "linux/arm64/v8 and 1 other"),
        (image(Build("linux/arm64"), index=False), Mark.PASS, "a single build, linux/arm64"),
        (image(X86), Mark.FIX, "no linux/arm64 build, only linux/amd64"),
        (image(X86, Build("linux/arm/v7", "linux/arm/v7")), Mark.FIX, "only linux/amd64, linux/arm/v7"),
        (image(Build("windows/arm64")), Mark.FIX, "only windows/arm64"),
        (image(Build("linux/amd64"), index=False, pinned=True), Mark.FIX, "pinned to one build"),
        (
            image(Build("linux/amd64", "linux/arm64"), X86),
            Mark.FIX,
            "claims linux/arm64, and the build behind that is linux/amd64",
        ),
        (image(ARM, Build("linux/arm64", "linux/amd64")), Mark.FIX, "claims linux/amd64"),
        (image(X86, GONE), Mark.FIX, "its index lists"),
        (image(ARM, Build("", "linux/amd64", fault=Fault.MISSING, why="gone")), Mark.PASS, "linux/arm64"),
        (image(X86, Build("", "", fault=Fault.BROKEN, why="odd")), Mark.UNKNOWN, "odd"),
        (image(X86, Build("", "linux/s390x", fault=Fault.BROKEN, why="odd")), Mark.FIX, "no linux/arm64"),
        (image(Build("linux/arm64", layers=(Blob("a"), Blob("b")), missing=("a",))), Mark.FIX, "lacks 1 of 2 layers"),
        (
            image(Build("linux/arm64", layers=(Blob("a"),), unchecked=1)),
            Mark.UNKNOWN,
            "would not say whether it has 1 of 1 layers",
        ),
        (image(Build("linux/arm64", layers=(Blob("a"), Blob("b")), missing=("a",), unchecked=1)), Mark.FIX, "lacks 1 of 2"),
        (image(ARM, Build("linux/amd64", layers=(Blob("a"),), unchecked=1)), Mark.PASS, "linux/arm64"),
        (image(), Mark.UNKNOWN, "no platform"),
    ],
)
def test_how_an_image_stands(facts: ImageFacts, mark: Mark, words: str) -> None:
    found = row(facts)
    assert (found.mark, words in found.status) == (mark, True), found.status
    assert (found.component, found.layer) == (f"image/{REFERENCE}", Layer.IMAGE)
    assert (found.used_by, found.owner) == (("Deployment/api",), "dev")


@pytest.mark.parametrize("fault", [f for f in Fault if f])
def test_every_fault_is_red_and_says_what_to_do(fault: Fault) -> None:
    found = row(ImageFacts(REFERENCE, fault=fault, why="because"))
    assert found.mark.red and found.status == "because" and found.action


@given(FACTS, st.sampled_from(Arch))
def test_it_passes_only_with_a_whole_build_that_nothing_contradicts(facts: ImageFacts, arch: Arch) -> None:
    mark, status, action = judge_image(facts, arch)
    if mark is Mark.PASS:
        assert not facts.fault and not any(build.lies for build in facts.builds)
        chosen = next(facts.on(arch))
        assert not chosen.missing and not chosen.unchecked
    else:
        assert mark in (Mark.FIX, Mark.UNKNOWN) and status and action
    rows_of_image(facts, arch, TODAY)


@pytest.mark.parametrize(
    ("build", "notes"),
    [
        (Build("linux/arm64", created=datetime(2026, 11, 21, tzinfo=UTC)), ["created: 2026-11-21, 1 day ago"]),
        (Build("linux/arm64", created=datetime(1980, 1, 1, tzinfo=UTC)), ["its age is not known"]),
        (Build("linux/arm64", created=datetime(2027, 1, 1, tzinfo=UTC)), ["in the future"]),
        (Build("linux/arm64", base="base:1", base_digest="sha256:1"), ["base image: base:1@sha256:1"]),
        (Build("linux/arm64", base_digest="sha256:1"), ["base image: sha256:1"]),
        (Build("linux/arm64"), ["no linux/amd64 build", "not pinned by digest"]),
    ],
)
def test_what_is_worth_knowing(build: Build, notes: list[str]) -> None:
    found = row(image(build))
    assert found.mark is Mark.PASS
    assert all(any(words in note for note in found.notes) for words in notes), found.notes


def test_the_way_to_the_other_architecture_is_judged_alike() -> None:
    assert row(image(ARM), Arch.AMD64).mark is Mark.FIX
    assert row(image(X86), Arch.AMD64).mark is Mark.PASS
