"""What a finding says to whoever must act on it: its own evidence before the runbook's words, and commands that fit it."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from datetime import timedelta

import pytest

from cockpit.model.arch import Arch
from cockpit.model.cluster import Container, DaemonSet, Resources, Taint
from cockpit.model.finding import Certainty, Finding
from cockpit.model.finding import FindingKind as K
from cockpit.model.image import Image
from cockpit.model.json import Json
from cockpit.model.snapshot import Freshness, Snapshot, SourceName, SourceState
from cockpit.rules.matrix import findings
from cockpit.rules.matrix.advice import ADVICE
from cockpit.rules.matrix.home import mending
from cockpit.rules.original import ORIGINAL
from tests.factories import AGENT, API, IMAGE, NOW, PLAYBOOK, RULE, deployment, pod, rule, snapshot, with_source
from tests.unit.rules.matrix.test_sides import APP, WRONG, deployed, sick, world

EDR = DaemonSet("security", "edr-sensor", "uid-edr", 3, 3)
AMD64_ONLY = {"kubernetes.io/arch": "amd64"}


def test_every_kind_has_its_words() -> None:
    assert ADVICE.keys() == set(K)


def only(seen: Snapshot, kind: K) -> Finding:
    (found,) = [f for f in findings(seen, PLAYBOOK) if f.kind is kind]
    return found


def agentless(daemonset: DaemonSet, *taints: Taint) -> Snapshot:
    """No pod of the agent on the target's nodes, which have these taints."""
    healthy = world(daemonsets={f"security/{daemonset.name}": daemonset})
    nodes = {k: replace(n, taints=taints) if n.arch is Arch.ARM64 else n for k, n in healthy.nodes.items()}
    pods = {
        k: p for k, p in healthy.pods.items() if p.owner != f"DaemonSet/{AGENT.name}" or healthy.nodes[p.node].arch is Arch.AMD64
    }
    return replace(healthy, nodes=nodes, pods=pods)


def patch(found: Finding) -> Json:
    words = shlex.split(found.mend)
    assert words[:6] == ["kubectl", "-n", "security", "patch", "daemonset", "edr-sensor"]
    value: Json = json.loads(words[-1])
    return value


def test_a_missing_agent_is_named_with_the_selector_that_keeps_it_off_and_the_patch() -> None:
    found = only(agentless(replace(EDR, node_selector=AMD64_ONLY)), K.AGENT_MISSING)
    assert found.title == "Agent missing: edr-sensor" and found.objects[0] == "DaemonSet/edr-sensor"
    assert "pinned to amd64 by nodeSelector kubernetes.io/arch" in found.cause and "3/3 looks complete" in found.cause
    assert patch(found) == [{"op": "remove", "path": "/spec/template/spec/nodeSelector/kubernetes.io~1arch"}]
    assert found.count == len(found.objects) - 1
    assert found.first == "kubectl cordon -l kubernetes.io/arch=arm64"


@pytest.mark.parametrize("already", [(), ({"key": "other", "operator": "Exists"},)])
def test_a_taint_that_keeps_an_agent_off_is_named_and_its_toleration_added(already: tuple[dict[str, Json], ...]) -> None:
    found = only(agentless(replace(EDR, tolerations=already), Taint("arch", "NoSchedule", "arm64")), K.AGENT_MISSING)
    assert "taint arch=arm64:NoSchedule is not tolerated" in found.cause
    toleration: Json = {"key": "arch", "operator": "Exists", "effect": "NoSchedule"}
    path = "/spec/template/spec/tolerations"
    add: Json = {"path": f"{path}/-", "value": toleration} if already else {"path": path, "value": [toleration]}
    assert patch(found) == [{"op": "add", **add}]  # type: ignore[dict-item]


def test_what_takes_thinking_opens_the_editor_and_what_is_not_known_offers_nothing() -> None:
    labelled = only(agentless(replace(EDR, node_selector={"pool": "x86"})), K.AGENT_MISSING)
    assert labelled.mend == "kubectl -n security edit daemonset edr-sensor"
    unknown = only(agentless(EDR), K.AGENT_MISSING)
    assert (unknown.mend, unknown.certainty) == ("", Certainty.LIKELY)
    gone = only(agentless(replace(EDR, name="other")), K.AGENT_MISSING)
    assert "there is no DaemonSet edr-sensor in security" in gone.cause


def rolled(old: str) -> Snapshot:
    """The canary's new revision fails; a pod of the revision before, of the image `old`, is Ready."""
    seen = sick("canary-0")
    new = seen.pods["payments/canary-0"]
    labels = {**new.labels, "pod-template-hash": "new"}
    before = replace(
        new, name="canary-9", ready=True, created=NOW - timedelta(days=1), labels={**labels, "pod-template-hash": "old"},
        containers=(Container("main", old, ready=True),),
    )  # fmt: skip
    pods = {
        **seen.pods,
        "payments/canary-0": replace(new, labels=labels, created=NOW - timedelta(minutes=2)),
        "payments/canary-9": before,
    }
    return replace(seen, pods=pods)


def test_a_wrong_binary_that_came_with_a_roll_is_mended_by_undoing_it() -> None:
    found = only(rolled("registry.example.com/payments:1.3.9"), K.EXEC_FORMAT)
    assert found.cause.startswith("began with a new revision of deployment/payments-api-arm64")
    assert found.mend == "kubectl -n payments rollout undo deployment/payments-api-arm64"


def test_the_same_image_in_an_older_revision_is_no_reason_to_undo_a_placement() -> None:
    found = only(rolled(APP), K.EXEC_FORMAT)
    assert found.mend == "" and "new revision" not in found.cause


@pytest.mark.parametrize("elsewhere", [IMAGE, "registry.example.com/edr/sensor:7.15.0"])
def test_a_certified_image_that_fails_is_not_answered_by_pinning_it(elsewhere: str) -> None:
    seen = sick("edr-a0", container=Container("main", IMAGE, waiting="CrashLoopBackOff", message="boom", exit_code=1, restarts=9))
    home = {k: p for k, p in seen.pods.items() if p.name.startswith("edr-x")}
    ran = {k: replace(p, containers=(Container("main", elsewhere, ready=True),)) for k, p in home.items()}
    found = only(replace(seen, pods={**seen.pods, **ran}), K.AGENT_CRASH_LOOP)
    assert "the certified image of edr-sensor itself fails on arm64" in found.cause
    assert "who signed it off" in found.fix and "pin" not in found.fix
    undone = "kubectl -n security rollout undo daemonset/edr-sensor"
    assert found.mend == (undone if elsewhere != IMAGE else "")


def test_an_image_that_was_never_certified_is_answered_by_the_one_that_was() -> None:
    seen = sick("edr-a0", container=replace(WRONG, message="boom"))
    assert "pin the version that is certified" in only(seen, K.AGENT_CRASH_LOOP).fix


def test_nobody_is_sent_back_from_where_nothing_is_configured() -> None:
    home = replace(sick("canary-0"), rules={RULE: rule(0)})
    assert only(home, K.EXEC_FORMAT).rollback == "already back: nothing of this run is configured"
    unseen = with_source(home, SourceName.RULES, SourceState(Freshness.STALE, 90.0))
    assert "weights back to amd64" in only(unseen, K.EXEC_FORMAT).rollback


def test_affinity_goes_back_only_where_a_run_has_set_it() -> None:
    assert "affinity" not in only(sick("canary-0"), K.EXEC_FORMAT).rollback
    moved = deployment(API, annotations={ORIGINAL: "null"})
    placed = replace(sick("canary-0"), deployments={**world().deployments, "payments/payments-api": moved})
    assert "weights back to amd64, safe in seconds; affinity back" in only(placed, K.EXEC_FORMAT).rollback
    weightless = only(replace(placed, rules={RULE: rule(0)}), K.EXEC_FORMAT).rollback
    assert weightless.startswith("R (cockpit rollback): affinity back")


def test_no_room_is_told_in_numbers_and_holding_is_safe() -> None:
    seen = deployed(API, node_selector={"kubernetes.io/arch": "arm64"})
    waits = [pod(f"api-{n}", "", ready=False, unschedulable="0/6 nodes are available: 6 Insufficient cpu.") for n in (8, 9)]
    full = {name: Resources(3800, 4 << 30, 8) for name in seen.usage}
    seen = replace(seen, usage=full, pods={**seen.pods, **{f"payments/{p.name}": p for p in waits}})
    found = only(seen, K.PENDING_CAPACITY)
    assert found.message.startswith("2 pods ask 500m cpu, 1024Mi each; most free on one arm64 node: 200m cpu, 12288Mi; 0/6")
    assert found.rollback.startswith("holding is safe while users are served; ")
    blind = with_source(seen, SourceName.USAGE, SourceState(Freshness.UNSYNCED))
    assert only(blind, K.PENDING_CAPACITY).message.startswith("2 pods ask 500m cpu, 1024Mi each; 0/6")


def test_certainty_follows_the_evidence() -> None:
    assert only(sick("canary-0"), K.EXEC_FORMAT).certainty is Certainty.LIKELY
    digest = "registry.example.com/payments@sha256:" + "ab" * 32
    by_digest = sick("canary-0", container=replace(WRONG, image=digest))
    told = replace(by_digest, images={**by_digest.images, digest: Image(digest, platforms=("linux/amd64",))})
    assert only(told, K.EXEC_FORMAT).certainty is Certainty.SURE
    library = replace(WRONG, message="libfoo.so: cannot open shared object file")
    assert only(sick("canary-0", container=library), K.INVALID_ELF).certainty is Certainty.GUESS


def test_cordoned_nodes_are_uncordoned_and_pods_that_went_elsewhere_started_anew() -> None:
    healthy = snapshot()
    cordoned = {k: replace(n, unschedulable=n.arch is Arch.AMD64) for k, n in healthy.nodes.items()}
    strayed = {k: replace(p, node="a0") if p.name.startswith("api-") else p for k, p in healthy.pods.items()}
    seen = replace(healthy, nodes=cordoned, pods=strayed)
    way = mending(seen, PLAYBOOK)
    assert "4 of 4 amd64 nodes are cordoned" in way.cause and "no pod of deployment/payments-api runs there" in way.cause
    restart = "kubectl -n payments rollout restart deployment/payments-api"
    assert way.mend == ("kubectl uncordon -l kubernetes.io/arch=amd64", restart)
    sent = deployment(API, annotations={ORIGINAL: "null"})
    by_run = replace(seen, deployments={**seen.deployments, "payments/payments-api": sent})
    assert restart not in mending(by_run, PLAYBOOK).mend
    some = {k: replace(n, unschedulable=k in ("x0", "x1")) for k, n in healthy.nodes.items()}
    assert mending(replace(healthy, nodes=some), PLAYBOOK).mend == ("kubectl uncordon x0 x1",)


def test_without_nodes_there_is_nothing_to_uncordon() -> None:
    gone = {k: n for k, n in snapshot().nodes.items() if n.arch is Arch.ARM64}
    way = mending(replace(snapshot(), nodes=gone, pods={}), PLAYBOOK)
    assert "there is no amd64 node" in way.cause and way.mend == ()
