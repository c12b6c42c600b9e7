"""The classifier on labelled worlds: every kind is found where it is, and nowhere else."""

from __future__ import annotations

import shlex
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import cycle

import pytest

from cockpit.model.finding import Finding, FindingKind
from cockpit.model.playbook import FindingCheck
from cockpit.model.snapshot import Freshness, SourceName, SourceState
from cockpit.model.verdict import Outcome
from cockpit.rules.matrix import State, findings, judge_finding, look
from cockpit.rules.matrix.commands import within
from cockpit.rules.matrix.registry import BY_KIND, DETECTORS
from tests.unit.rules.matrix.worlds import Case, cases, playbook

CASES = cases()
RECORDED = [case for case in CASES if case.recorded]
NOT_OF_KUBERNETES = frozenset({FindingKind.EMULATED, FindingKind.NO_HEALTHY_TARGETS})
"""Kinds that rest on the registry's or the load balancer's answers."""
ELSEWHERE = frozenset({"targets-home-gone", "one-arch-stuck-on-x86", "quota-full", "quota-full-in-other-units"})
"""Worlds of which the symptom is not on the side that is moved to: there, or on both."""
OF_IMAGES = frozenset({FindingKind.EXEC_FORMAT, FindingKind.NO_MANIFEST, FindingKind.EMULATED})
PLAYBOOK = playbook()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_exactly_the_symptoms_that_are_there_are_found(case: Case) -> None:
    assert {f.kind for f in findings(case.snapshot, PLAYBOOK)} == case.expected, case.why


@pytest.mark.parametrize(
    ("worlds", "elsewhere"), [(CASES, frozenset()), (RECORDED, NOT_OF_KUBERNETES)], ids=["all", "recorded alone"]
)
def test_precision_and_recall_are_one_for_every_kind(worlds: list[Case], elsewhere: frozenset[FindingKind]) -> None:
    assert len(worlds) >= 40
    right, said, there = Counter[FindingKind](), Counter[FindingKind](), Counter[FindingKind]()
    for case in worlds:
        found = {f.kind for f in findings(case.snapshot, PLAYBOOK)}
        said.update(found)
        there.update(case.expected)
        right.update(found & case.expected)
    assert not said.keys() - there.keys()
    for kind in set(FindingKind) - elsewhere:
        assert there[kind], f"no world shows {kind}"
        assert right[kind] / said[kind] == 1.0, f"precision of {kind}"
        assert right[kind] / there[kind] == 1.0, f"recall of {kind}"


def test_hard_negatives_outnumber_no_kind() -> None:
    assert sum(not case.expected for case in CASES) >= 30


def every_finding() -> list[Finding]:
    return [f for case in CASES for f in findings(case.snapshot, PLAYBOOK)]


def test_every_finding_says_what_was_seen_and_what_to_do() -> None:
    for found in every_finding():
        assert found.objects, found
        assert all("/" in name for name in found.objects)
        assert found.count >= 1
        for text in (found.title, found.message, found.cause, found.confirm, found.fix, found.rollback):
            assert text, found
            assert "{" not in text.replace("{.", "").replace("{node-role", "").replace("taint {", ""), text


def test_commands_can_be_pasted_and_name_the_namespace_and_the_context_they_are_drawn_in() -> None:
    for found in every_finding():
        words = shlex.split(found.confirm)
        assert words[0] in ("kubectl", "docker", "aws")
        assert "--context" not in words
        there = shlex.split(within(found.confirm, "prod eks"))
        assert there == (["kubectl", "--context", "prod eks", *words[1:]] if words[0] == "kubectl" else words)
        if words[0] == "kubectl":
            namespaced = any(o.startswith(("Pod/", "Deployment/", "Resource", "Horizontal")) for o in found.objects)
            pending = found.kind in (FindingKind.PENDING_AFFINITY, FindingKind.PENDING_TAINT, FindingKind.PENDING_CAPACITY)
            assert not namespaced or pending or words[1] == "-n"


def test_a_hostile_name_cannot_leave_its_place_in_the_command() -> None:
    case = next(c for c in CASES if c.name == "exec-format-log-message")
    pods = {}
    for key, pod in case.snapshot.pods.items():
        containers = tuple(replace(c, name="x; rm -rf $(HOME) `id` '") for c in pod.containers)
        pods[key] = replace(pod, containers=containers) if "arm64" in pod.name else pod
    found = findings(replace(case.snapshot, pods=pods), PLAYBOOK)
    assert "x; rm -rf $(HOME) `id` '" in shlex.split(found[0].confirm)


@pytest.mark.parametrize("name", list(SourceName))
def test_what_cannot_be_seen_is_never_found_and_never_called_clear(name: SourceName) -> None:
    for case, freshness in zip(CASES, cycle((Freshness.UNSYNCED, Freshness.STALE, Freshness.FAULT)), strict=False):
        dark = replace(case.snapshot, sources={**case.snapshot.sources, name: SourceState(freshness, 90.0, "no answer")})
        seen = look(dark, PLAYBOOK)
        for detector, row in zip(DETECTORS, seen.rows, strict=True):
            assert row.kind is detector.kind
            if name in detector.needs:
                assert row.state is State.BLIND
                assert str(name) in row.why
            if name in detector.helps:
                assert row.state in (State.BLIND, State.FOUND)


@pytest.mark.parametrize("kind", list(FindingKind))
def test_a_trigger_fires_only_on_its_own_kind_and_only_on_what_is_seen(kind: FindingKind) -> None:
    check = FindingCheck(kind)
    for case in CASES:
        verdict = judge_finding(check, case.snapshot, PLAYBOOK)
        assert verdict.outcome is expected_of(case, kind), (case.name, verdict)
        dark = replace(case.snapshot, sources=dict.fromkeys(SourceName, SourceState(Freshness.STALE, 90.0)))
        assert judge_finding(check, dark, PLAYBOOK).outcome is Outcome.STALE


def expected_of(case: Case, kind: FindingKind) -> Outcome:
    if kind in case.expected:
        return Outcome.NO_DATA if case.name in ELSEWHERE else Outcome.FAIL
    return Outcome.NO_DATA if case.name == "image-not-known" and kind in OF_IMAGES else Outcome.PASS


def test_the_gravest_finding_comes_first_and_the_order_is_always_the_same() -> None:
    ranks = {kind: rank for rank, kind in enumerate(BY_KIND)}
    for case in CASES:
        found = findings(case.snapshot, PLAYBOOK)
        assert [ranks[f.kind] for f in found] == sorted(ranks[f.kind] for f in found)
        shuffled = replace(case.snapshot, pods=dict(reversed(list(case.snapshot.pods.items()))))
        assert findings(shuffled, PLAYBOOK) == found


def test_every_kind_has_one_detector() -> None:
    assert BY_KIND.keys() == set(FindingKind)
    assert len(DETECTORS) == len(FindingKind)


def test_a_playbook_without_agents_or_balancer_has_nothing_to_look_at_there() -> None:
    bare = replace(PLAYBOOK, agents=(), alb=None)
    for case in CASES:
        absent = {row.kind for row in look(case.snapshot, bare).rows if row.state is State.ABSENT}
        assert absent == {FindingKind.AGENT_MISSING, FindingKind.AGENT_CRASH_LOOP, FindingKind.NO_HEALTHY_TARGETS}


def test_a_finding_counts_its_objects_and_knows_since_when() -> None:
    by_name = {c.name: c for c in CASES}
    two = findings(by_name["pending-capacity"].snapshot, PLAYBOOK)[0]
    assert two.count == len(two.objects) == 2
    assert two.since is not None
    assert two.since.isoformat() == "2026-11-22T02:12:00+00:00"
    assert findings(by_name["hpa-at-maximum"].snapshot, PLAYBOOK)[0].since == two.since
    assert findings(by_name["quota-event"].snapshot, PLAYBOOK)[0].count == 11


def test_a_world_that_has_not_changed_is_not_looked_at_again_until_a_pod_may_have_grown_old() -> None:
    case = next(c for c in CASES if c.name == "agent-starting")
    first = look(case.snapshot, PLAYBOOK)
    assert look(replace(case.snapshot, seq=2, time=case.snapshot.time + timedelta(seconds=1)), PLAYBOOK) is first
    assert first.findings == ()
    later = replace(case.snapshot, time=case.snapshot.time + timedelta(minutes=3))
    assert {f.kind for f in findings(later, PLAYBOOK)} == {FindingKind.AGENT_MISSING}
    changed = replace(case.snapshot, pods=dict(case.snapshot.pods))
    assert look(changed, PLAYBOOK) is not first
