"""The panel and the full view of the agents: the node, the reason and what to look at, readable on 80 columns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from cockpit.model.cluster import Ref
from cockpit.rules.agents import AgentHealth
from cockpit.rules.sidecars import SidecarHealth
from cockpit.run.frame import Frame
from screens.present import agents
from screens.present.agent_detail import agent_rows
from screens.present.words import Line, Tone, plain, width
from tests.screens import factories as make
from tests.screens.world import CANARY

EDR, LOGS, PROXY = (
    Ref("daemonset", *name) for name in (("security", "edr-sensor"), ("logging", "fluent-bit"), ("kube-system", "kube-proxy"))
)
NODES = tuple(f"ip-10-0-3-{n}.ap-south-1.compute.internal" for n in (11, 19, 27))
PINNED = "pinned to amd64 by nodeSelector kubernetes.io/arch"
WELL = AgentHealth(LOGS, 3, 3, desired=9, reported=9)
MISSING = AgentHealth(EDR, 3, 0, tuple((n, PINNED) for n in NODES), desired=8, reported=8)
LOOPING = AgentHealth(EDR, 3, 2, ((NODES[0], "CrashLoopBackOff, exit 1, 7 restarts"),), ("edr-sensor-x7k2p",), 7)
UNCERTIFIED = AgentHealth(
    EDR,
    3,
    3,
    certified=False,
    uncertified=((NODES[1], "runs registry.example.com/edr/sensor:7.14.0"),),
    compared="tag and digest",
)
FOUND = AgentHealth(PROXY, 3, 1, tuple((n, PINNED) for n in NODES[1:]), listed=False)
SIDECAR = SidecarHealth("mesh-proxy", CANARY, 12, 11, 4, ("payments-api-arm64-x-1",), native=True)


def frame(*listed: AgentHealth, found: tuple[AgentHealth, ...] = (), sidecars: tuple[SidecarHealth, ...] = ()) -> Frame:
    return replace(make.FRAMES["soaking"](), agents=listed, unlisted=found, sidecars=sidecars)


def text(rows: Iterable[Line]) -> str:
    return "\n".join(plain(row) for row in rows)


@pytest.mark.parametrize("cells", [76, 80, 120])
@pytest.mark.parametrize("agent", [WELL, MISSING, LOOPING, UNCERTIFIED], ids=lambda a: a.agent.name)
def test_no_row_is_wider_than_the_screen(agent: AgentHealth, cells: int) -> None:
    shown = frame(agent, WELL, found=(FOUND,), sidecars=(SIDECAR,))
    assert all(width(row) <= cells for row in agent_rows(shown, cells))
    for height in (1, 2, 3, 5, 10):
        assert 1 <= len(agents.rows(shown, cells // 2, height)) <= height


def test_a_pinned_agent_is_named_with_every_node_and_the_reason_and_its_own_claim() -> None:
    shown = text(agent_rows(frame(WELL, MISSING), 80))
    assert shown.index("edr-sensor") < shown.index("fluent-bit"), "the sick one first"
    assert "! says 8/8 (100%), as it counts only nodes that it may run on" in shown
    assert f"! 3 nodes: {PINNED}" in text(agents.rows(frame(WELL, MISSING), 100, 5))
    for node in ("ip-10-0-3-11", "ip-10-0-3-19", "ip-10-0-3-27"):
        assert any(node in row and PINNED in row for row in shown.splitlines())


def test_a_crash_loop_is_told_by_pod_node_exit_code_and_restarts() -> None:
    shown = text(agent_rows(frame(LOOPING), 80))
    assert "✗ crash loop   edr-sensor-x7k2p" in shown
    several = replace(LOOPING, crash_looping=("edr-sensor-x7k2p", "edr-sensor-q"))
    assert "✗ crash loop   edr-sensor-x7k2p and 1 more" in text(agent_rows(frame(several), 80))
    assert "CrashLoopBackOff, exit 1, 7 restarts" in shown and "2 of 3 nodes, 7 restarts" in shown
    assert ("✗ crash loop: edr-sensor-x7k2p", Tone.ALARM) in [part for row in agents.rows(frame(LOOPING), 60, 5) for part in row]


def test_an_uncertified_image_is_told_by_node_and_by_what_was_compared() -> None:
    shown = text(agent_rows(frame(UNCERTIFIED), 80))
    assert "NOT the certified image (compared by tag and digest)" in shown
    assert "ip-10-0-3-19" in shown and "sensor:7.14.0" in shown
    assert "! not the certified image: ip-10-0-3-19" in text(agents.rows(frame(UNCERTIFIED), 60, 5))


def test_what_nobody_has_listed_is_one_quiet_line_below_the_listed_ones() -> None:
    rows = agents.rows(frame(WELL, found=(FOUND,)), 60, 5)
    assert [(plain(row), row[0][1]) for row in rows][-1] == ("not listed: kube-proxy 1/3", Tone.DIM)
    assert len(agents.rows(frame(WELL, found=(FOUND,)), 60, 1)) == 1, "it never takes the place of a listed one"
    assert "not listed" not in text(agents.rows(frame(WELL, found=(replace(FOUND, missing=()),)), 60, 5))
    shown = text(agent_rows(frame(WELL, found=(FOUND,)), 80))
    assert "Found on x86 nodes, not listed   they warn and gate nothing" in shown
    assert f"ip-10-0-3-19, ip-10-0-3-27: {PINNED}" in " ".join(shown.split())


def test_a_sidecar_that_crash_loops_comes_first() -> None:
    shown = frame(WELL, sidecars=(SIDECAR,))
    assert agents.rows(shown, 60, 5)[0] == (("✗ sidecar mesh-proxy: crash loop in 1 of 12 pods", Tone.ALARM),)
    full = text(agent_rows(shown, 80))
    assert "✗ crash loop  mesh-proxy  native sidecar of payments-api-arm64" in full
    assert "11 of 12 pods ready, 4 restarts  on these nodes only" in full
