from __future__ import annotations

from dataclasses import replace

import pytest

from cockpit.model.arch import Arch
from cockpit.model.cluster import Resources, Taint
from cockpit.model.playbook import AffinityMode
from cockpit.model.snapshot import Freshness, Snapshot, SourceName, SourceState
from cockpit.model.verdict import Outcome, Verdict
from cockpit.rules.affinity import narrow
from cockpit.rules.ahead import ahead
from cockpit.rules.original import ORIGINAL
from tests.factories import deployment, node, phase, pod, snapshot, with_source


def told(found: Snapshot, mode: AffinityMode = AffinityMode.REQUIRED) -> Verdict:
    verdict = ahead(found, phase("affinity", affinity=mode))
    assert verdict is not None
    return verdict


def used(**changes: Resources) -> Snapshot:
    found = snapshot()
    return replace(found, usage={**found.usage, **changes})


FULL_CPU = used(a0=Resources(3600, 4 << 30, 8), a1=Resources(3000, 4 << 30, 8))
FULL_MEMORY = used(a0=Resources(1000, 16 << 30, 8), a1=Resources(1000, 15 << 30, 8))
FULL_PODS = used(a0=Resources(1000, 4 << 30, 58), a1=Resources(1000, 4 << 30, 57))


def test_pods_that_all_find_room_are_no_warning() -> None:
    assert (told(snapshot()).outcome, told(snapshot()).reason) == (Outcome.PASS, "room for all 4 on arm64")


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (FULL_CPU, "room for 2 of 4 on arm64 (cpu): it will get stuck"),
        (FULL_MEMORY, "room for 1 of 4 on arm64 (memory): it will get stuck"),
        (FULL_PODS, "room for 1 of 4 on arm64 (pods per node): it will get stuck"),
    ],
)
def test_too_little_room_says_how_many_fit_and_what_is_short(found: Snapshot, words: str) -> None:
    assert (told(found).outcome, told(found).reason) == (Outcome.FAIL, words)


def test_a_preference_gets_stuck_on_nothing_but_leaves_pods_behind() -> None:
    assert told(FULL_CPU, AffinityMode.PREFERRED).reason == "room for 2 of 4 on arm64 (cpu): 2 will stay on amd64"


def test_pods_that_are_there_already_need_no_further_room() -> None:
    moved = {f"payments/api-{i}": pod(f"api-{i}", "a0") for i in range(3)}
    assert told(replace(FULL_CPU, pods={**FULL_CPU.pods, **moved})).passed


def test_only_nodes_that_take_the_pods_count() -> None:
    batch = Taint("dedicated", "NoSchedule", "batch")
    found = snapshot()
    nodes = {**found.nodes, **{f"a{i}": node(f"a{i}", Arch.ARM64, taints=(batch,)) for i in range(2)}}
    assert "room for 0 of 4 on arm64 (taints" in told(replace(found, nodes=nodes)).reason
    keeps = ({"key": "dedicated", "operator": "Exists"},)
    tolerant = {**found.deployments, "payments/payments-api": deployment(tolerations=keeps)}
    assert told(replace(found, nodes=nodes, deployments=tolerant)).passed
    cordoned = {**found.nodes, **{f"a{i}": node(f"a{i}", Arch.ARM64, unschedulable=True) for i in range(2)}}
    assert "no arm64 node is ready" in told(replace(found, nodes=cordoned)).reason


def test_it_is_judged_by_the_affinity_from_before_the_run() -> None:
    found = snapshot()
    away = deployment(affinity=narrow(None, Arch.AMD64), annotations={ORIGINAL: "null"})
    assert told(replace(found, deployments={**found.deployments, "payments/payments-api": away})).passed


@pytest.mark.parametrize("source", [SourceName.USAGE, SourceName.NODES, SourceName.PODS, SourceName.DEPLOYMENTS])
def test_what_is_not_known_is_said_and_neither_room_nor_none(source: SourceName) -> None:
    found = told(with_source(snapshot(), source, SourceState(Freshness.FAULT, None, "forbidden")))
    assert found.outcome.blind
    assert found.reason.startswith(f"room on arm64 is not known: {source}")


def test_a_damaged_record_or_a_missing_deployment_is_not_known() -> None:
    found = snapshot()
    assert told(replace(found, deployments={})).outcome is Outcome.NO_DATA
    damaged = {**found.deployments, "payments/payments-api": deployment(annotations={ORIGINAL: "{"})}
    assert "damaged" in told(replace(found, deployments=damaged)).reason


def test_phases_that_roll_nothing_anywhere_have_nothing_ahead() -> None:
    assert ahead(snapshot(), phase("canary-5", 5)) is None
    assert ahead(snapshot(), phase("home", affinity=AffinityMode.NONE)) is None
