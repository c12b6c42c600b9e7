"""Price-performance: a figure with its basis, or why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from cockpit.model.arch import Arch
from cockpit.model.cluster import Resources
from cockpit.model.playbook import Phase, Playbook, Prices, SignalCheck
from cockpit.model.price import PricePerformance
from cockpit.model.series import Series
from cockpit.model.signal import Measure
from cockpit.model.snapshot import Freshness, Snapshot, SourceName, SourceState
from cockpit.rules.price import better, price_performance, ratio
from cockpit.run.state import RunState, Stage
from cockpit.run.worth import Worth
from tests.factories import CANARY, NOW, PLAYBOOK, deployment, series, signals, snapshot, with_source

PRICES = Prices({"m6i.xlarge": 0.192, "m7g.xlarge": 0.1632}, basis="on-demand, us-east-1, 2026-07-20")
PRICED = replace(PLAYBOOK, prices=PRICES)
TYPES = {Arch.AMD64: "m6i.xlarge", Arch.ARM64: "m7g.xlarge"}


def world(share: float = 0.5, p99: tuple[float, float] = (0.118, 0.115), **changes: object) -> Snapshot:
    """8 pods of half a core each, 4 a side, on nodes of 4 cores; 1,240 req/s."""
    made = snapshot(signals=signals(p99=p99, share=share))
    nodes = {name: replace(node, instance_type=TYPES[Arch(node.arch)]) for name, node in made.nodes.items()}
    return replace(made, nodes=nodes, **changes)  # type: ignore[arg-type]


def figures(seen: Snapshot, playbook: Playbook = PRICED, phase: Phase = PLAYBOOK.phases[0]) -> Mapping[Arch, PricePerformance]:
    return price_performance(seen, playbook, phase, None)


def test_a_side_s_figure_is_its_rate_over_the_share_of_its_nodes_prices() -> None:
    arm, amd = (figures(world())[arch] for arch in (Arch.ARM64, Arch.AMD64))
    assert arm.cost == pytest.approx(4 * 0.5 / 4 * 0.1632)
    assert amd.cost == pytest.approx(4 * 0.5 / 4 * 0.192)
    assert arm.rate == 620
    assert arm.per_money == pytest.approx(620 / 0.0816)
    assert amd.per_money == pytest.approx(620 / 0.096)
    assert arm.per_core == 310
    assert arm.limit == pytest.approx(0.115 * 1.04)
    assert amd.limit is None
    assert "4 pods request 2 cores of 2 m7g.xlarge at 0.1632 USD an hour (on-demand, us-east-1, 2026-07-20)" in arm.basis
    assert ratio(figures(world()), Arch.ARM64) == pytest.approx(0.192 / 0.1632)


def test_a_playbook_s_price_replaces_the_shipped_one_and_is_named() -> None:
    prices = replace(PRICES, own={"m7g.xlarge": 0.1}, label="savings plan")
    arm = figures(world(), replace(PRICED, prices=prices))[Arch.ARM64]
    assert arm.cost == pytest.approx(0.05)
    assert "(savings plan)" in arm.basis


def without_requests(seen: Snapshot) -> Snapshot:
    pods = {name: replace(pod, requests=Resources()) for name, pod in seen.pods.items()}
    return replace(seen, pods=pods)


def short(seen: Snapshot) -> Snapshot:
    return replace(seen, signals={**seen.signals, ("requests", Arch.ARM64): series([620.0] * 4)})


def old(seen: Snapshot) -> Snapshot:
    stale = series([620.0] * 20, end=NOW - timedelta(minutes=2))
    return replace(seen, signals={**seen.signals, ("requests", Arch.ARM64): stale})


def silent(seen: Snapshot) -> Snapshot:
    empty = Series(series([620.0] * 20).samples, "the query gives no series (no data)", True)
    return replace(seen, signals={**seen.signals, ("requests", Arch.ARM64): empty})


def rolling(seen: Snapshot) -> Snapshot:
    return replace(seen, deployments={**seen.deployments, f"payments/{CANARY.name}": deployment(CANARY, updated=2)})


def unpriced(seen: Snapshot) -> Snapshot:
    return replace(seen, nodes={n: replace(node, instance_type="m9z.large") for n, node in seen.nodes.items()})


def nameless(seen: Snapshot) -> Snapshot:
    return replace(seen, nodes={n: replace(node, instance_type="") for n, node in seen.nodes.items()})


def blind(seen: Snapshot) -> Snapshot:
    return with_source(seen, SourceName.NODES, SourceState(Freshness.STALE, 90.0))


def deaf(seen: Snapshot) -> Snapshot:
    return with_source(seen, SourceName.METRICS, SourceState(Freshness.FAULT, 90.0, "no route"))


def idle(seen: Snapshot) -> Snapshot:
    return replace(seen, signals={**seen.signals, ("requests", Arch.ARM64): series([0.0] * 20)})


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (without_requests, "requests no CPU"),
        (short, "for 45 of 120 s"),
        (old, "120 s old"),
        (silent, "no series"),
        (rolling, "rollout of deployment/payments-api-arm64"),
        (unpriced, "no price of m9z.large: add it to prices.per_hour"),
        (nameless, "does not say its instance type"),
        (blind, "nodes: stale"),
        (deaf, "cannot be asked"),
        (idle, "no requests"),
    ],
)
def test_whatever_is_missing_leaves_no_figure_and_is_said(broken: object, why: str) -> None:
    assert callable(broken)
    arm = figures(broken(world()))[Arch.ARM64]
    assert arm.per_money is None
    assert why in arm.why


def test_what_is_slower_than_its_limit_sustains_nothing() -> None:
    arm = figures(world(p99=(0.130, 0.115)))[Arch.ARM64]
    assert arm.per_money is None
    assert arm.why == "latency_p99 is 130 ms, above its limit of 120 ms"
    spike = [0.118] * 17 + [0.3] * 3
    seen = world()
    late = replace(seen, signals={**seen.signals, ("latency_p99", Arch.ARM64): series(spike)})
    assert "300 ms" in figures(late)[Arch.ARM64].why


def test_a_fixed_limit_binds_both_sides_and_no_limit_no_figure() -> None:
    fixed = replace(PLAYBOOK.phases[0], gates=(SignalCheck("latency_p99", max=0.116),))
    sides = figures(world(), phase=fixed)
    assert sides[Arch.AMD64].per_money is not None
    assert sides[Arch.ARM64].why
    assert "no gate limits latency_p99" in figures(world(), phase=replace(fixed, gates=()))[Arch.ARM64].why


def test_sides_at_unlike_loads_are_not_compared() -> None:
    sides = figures(world(share=0.05))
    assert sides[Arch.ARM64].per_money is not None
    assert ratio(sides, Arch.ARM64) is None


def test_the_better_figure_is_kept_whatever_comes_after() -> None:
    few, many, none = figures(world(share=0.05)), figures(world(share=0.9)), figures(without_requests(world()))
    best: Mapping[Arch, PricePerformance] = {}
    for now in (few, many, none, few):
        best = better(best, now)
    assert best[Arch.ARM64] == many[Arch.ARM64]
    assert best[Arch.AMD64] == few[Arch.AMD64]


def test_a_run_s_summary_has_both_ends_and_nothing_from_the_way_back() -> None:
    worth = Worth()
    assert worth.words(PRICED) == ""
    assert worth.fields(PRICED)["price_performance"] == {
        "unit": "requests per second for 1 USD an hour, within the p99 limit",
        "sides": {"arm64": None, "amd64": None},
        "ratio": None,
    }
    back = RunState(run="x", stage=Stage.ROLLING_BACK, phase=0, stage_at=NOW, proven_at=NOW - timedelta(minutes=9))
    worth.notice(world(share=0.9), PRICED, back)
    assert worth.words(PRICED) == ""
    worth.notice(world(share=0.01), PRICED, RunState(run="x", stage_at=NOW))
    worth.notice(world(share=0.9), PRICED, replace(back, stage=Stage.SOAKING))
    words = worth.words(PRICED)
    assert "arm64 13,676 (canary-5, at 558 req/s a core)" in words
    assert "amd64 12,787 (before canary-5, at 614 req/s a core): 1.07 times" in words


def test_the_figure_is_held_against_the_p99_wherever_it_stands_and_says_which_signal_that_is() -> None:
    half = replace(PLAYBOOK.signals["latency_p99"], name="latency_p50")
    others = {name: signal for name, signal in PLAYBOOK.signals.items() if name != "latency_p99"}
    first = replace(PRICED, signals={"latency_p50": half, **PRICED.signals})
    both = world(p99=(0.130, 0.115))
    fast = {("latency_p50", arch): series([0.01] * 20) for arch in Arch}
    both = replace(both, signals={**both.signals, **fast})
    assert first.latency == "latency_p99"
    assert figures(both, first)[Arch.ARM64].why == "latency_p99 is 130 ms, above its limit of 120 ms"
    only = replace(PRICED, signals={"latency_p50": half, **others})
    limited = replace(PLAYBOOK.phases[0], gates=(SignalCheck("latency_p50", max=0.05),))
    side = figures(both, only, limited)[Arch.ARM64]
    assert (side.signal, side.p99) == ("latency_p50", 0.01)
    measured = replace(half, name="slowest", measure=Measure.LATENCY_P99)
    assert replace(PRICED, signals={"latency_p50": half, "slowest": measured, **others}).latency == "slowest"
