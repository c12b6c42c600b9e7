"""Which architectures a NodePool's requirements leave."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.model.arch import Arch
from cockpit.model.audit import Mark
from cockpit.model.json import Json
from cockpit.model.nodepool import NodePool
from cockpit.rules.portability.aws.pools import archs, judge_pool
from cockpit.rules.portability.aws.verdict import Place

ARCH, FAMILY, TYPE = "kubernetes.io/arch", "karpenter.k8s.aws/instance-family", "node.kubernetes.io/instance-type"


def pool(*requirements: tuple[str, str, list[Json]], ready: bool = True, labels: Mapping[str, str] | None = None) -> NodePool:
    held: tuple[Mapping[str, Json], ...] = tuple(
        {"key": key, "operator": operator, "values": values} for key, operator, values in requirements
    )
    return NodePool("graviton", ready=ready, requirements=held, labels=labels or {})


@pytest.mark.parametrize(
    ("found", "left"),
    [
        (pool(), {Arch.AMD64, Arch.ARM64}),
        (pool((ARCH, "In", ["arm64"])), {Arch.ARM64}),
        (pool((ARCH, "In", ["amd64", "arm64"])), {Arch.AMD64, Arch.ARM64}),
        (pool((ARCH, "NotIn", ["arm64"])), {Arch.AMD64}),
        (pool((ARCH, "Exists", [])), {Arch.AMD64, Arch.ARM64}),
        (pool(("beta.kubernetes.io/arch", "In", ["amd64"])), {Arch.AMD64}),
        (pool((FAMILY, "In", ["m5", "c5"])), {Arch.AMD64}),
        (pool((FAMILY, "In", ["t3", "t4g"])), {Arch.AMD64, Arch.ARM64}),
        (pool((FAMILY, "NotIn", ["m5"])), {Arch.AMD64, Arch.ARM64}),
        (pool((TYPE, "In", ["m7g.large"])), {Arch.ARM64}),
        (pool((ARCH, "In", ["arm64"]), (FAMILY, "In", ["m5"])), set()),
        (pool(("karpenter.k8s.aws/instance-cpu-manufacturer", "In", ["aws"])), {Arch.ARM64}),
        (pool(("karpenter.sh/capacity-type", "In", ["spot"])), {Arch.AMD64, Arch.ARM64}),
        (pool(labels={ARCH: "amd64"}), {Arch.AMD64}),
    ],
)
def test_architectures(found: NodePool, left: set[Arch]) -> None:
    assert archs(found) == left


def test_verdicts() -> None:
    assert judge_pool(pool((ARCH, "In", ["arm64"]))).serves is Place.NODES
    assert judge_pool(pool((ARCH, "In", ["arm64"]), ready=False)).mark is Mark.FIX
    assert judge_pool(pool((ARCH, "In", ["amd64"]))).left_behind is Place.NODES
    assert judge_pool(pool((ARCH, "In", ["arm64"]), (FAMILY, "In", ["m5"]))).mark is Mark.FIX


_requirement = st.tuples(
    st.sampled_from([ARCH, FAMILY, TYPE, "other"]),
    st.sampled_from(["In", "NotIn", "Exists", "DoesNotExist", "Gt", ""]),
    st.lists(st.one_of(st.sampled_from(["arm64", "amd64", "m5", "m7g", "m7g.large"]), st.integers(), st.none()), max_size=3),
)


@given(st.lists(_requirement, max_size=4), _requirement)
def test_one_more_requirement_never_leaves_more(
    some: list[tuple[str, str, list[Json]]], more: tuple[str, str, list[Json]]
) -> None:
    assert archs(pool(*some, more)) <= archs(pool(*some))
