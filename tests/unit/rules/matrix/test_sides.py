"""Which side a symptom is on: going back is a way out of the one that is moved to only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from cockpit.model.arch import Arch
from cockpit.model.cluster import Autoscaler, Condition, Container, KubeEvent, Node, Pod, Quota, Ref
from cockpit.model.finding import Finding
from cockpit.model.finding import FindingKind as K
from cockpit.model.image import Image
from cockpit.model.playbook import FindingCheck, Playbook
from cockpit.model.snapshot import Snapshot
from cockpit.model.verdict import Outcome, Verdict
from cockpit.rules.matrix import findings, judge_finding
from tests.factories import AGENT, API, CANARY, GROUPS, IMAGE, NOW, PLAYBOOK, node, pod, snapshot

APP = "registry.example.com/payments:1.4.0"
WRONG = Container("main", APP, waiting="CrashLoopBackOff", message="exec /app: exec format error", exit_code=255, restarts=3)
ALONE = replace(PLAYBOOK, target=replace(PLAYBOOK.target, canary=None), alb=None, phases=PLAYBOOK.phases[2:])
"""One workload that affinity moves."""


def world(**changes: object) -> Snapshot:
    images = (Image(name, platforms=("linux/amd64", "linux/arm64")) for name in (APP, IMAGE))
    return snapshot(images={image.reference: image for image in images}, **changes)


def sick(*names: str, container: Container = WRONG) -> Snapshot:
    """The healthy world, in which these pods run this container."""
    healthy = world()
    hit = {k: replace(p, ready=False, containers=(container,)) for k, p in healthy.pods.items() if p.name in names}
    return replace(healthy, pods={**healthy.pods, **hit})


def without(arch: Arch) -> Snapshot:
    healthy = world()
    gone = {arn: replace(g, healthy=0, unhealthy=3) if g.arch is arch else g for arn, g in healthy.targets.items()}
    return replace(healthy, targets=gone)


def late(ref: Ref) -> Snapshot:
    stuck = Condition("Progressing", "False", "ProgressDeadlineExceeded", "has timed out progressing")
    return deployed(ref, conditions=(stuck,))


def refused(ref: Ref) -> Snapshot:
    words = Condition("ReplicaFailure", "True", "FailedCreate", "pods is forbidden: exceeded quota: compute")
    return deployed(ref, conditions=(words,))


def deployed(ref: Ref, **changes: object) -> Snapshot:
    healthy, key = world(), f"{ref.namespace}/{ref.name}"
    return replace(healthy, deployments={**healthy.deployments, key: replace(healthy.deployments[key], **changes)})  # type: ignore[arg-type]


def at_maximum(ref: Ref) -> Snapshot:
    limited = Condition("ScalingLimited", "True", "TooManyReplicas", "the desired replica count is more than the maximum")
    return world(autoscalers={"payments/h": Autoscaler("payments", "h", ref, 2, 9, 9, 9, (limited,))})


def mislabelled(label: Arch) -> Snapshot:
    healthy = world()
    lies = node("liar", label, reported_arch=str(label.other))
    return replace(healthy, nodes={**healthy.nodes, "liar": lies})


def judged(kind: K, seen: Snapshot, playbook: Playbook = PLAYBOOK) -> Verdict:
    return judge_finding(FindingCheck(kind), seen, playbook)


HOME: list[tuple[K, Snapshot]] = [
    (K.EXEC_FORMAT, sick("api-0", "api-1")),
    (K.EXEC_FORMAT, sick("edr-x0")),
    (K.INVALID_ELF, sick("api-0", container=replace(WRONG, message="addon.node: invalid ELF header"))),
    (K.NO_HEALTHY_TARGETS, without(Arch.AMD64)),
    (K.PROGRESS_DEADLINE, late(API)),
    (K.QUOTA, refused(API)),
    (K.HPA_AT_MAXIMUM, at_maximum(API)),
    (K.ARCH_LABEL_MISMATCH, mislabelled(Arch.AMD64)),
]
AWAY: list[tuple[K, Snapshot]] = [
    (K.EXEC_FORMAT, sick("canary-0", "canary-1")),
    (K.EXEC_FORMAT, sick("edr-a0")),
    (K.AGENT_CRASH_LOOP, sick("edr-a0", container=replace(WRONG, message="boom"))),
    (K.NO_HEALTHY_TARGETS, without(Arch.ARM64)),
    (K.PROGRESS_DEADLINE, late(CANARY)),
    (K.QUOTA, refused(CANARY)),
    (K.HPA_AT_MAXIMUM, at_maximum(CANARY)),
    (K.ARCH_LABEL_MISMATCH, mislabelled(Arch.ARM64)),
]


@pytest.mark.parametrize(("kind", "seen"), HOME, ids=lambda x: str(x) if isinstance(x, K) else "")
def test_what_is_wrong_at_home_never_fires_and_never_sends_anybody_there(kind: K, seen: Snapshot) -> None:
    (found,) = [f for f in findings(seen, PLAYBOOK) if f.kind is kind]
    assert found.side is Arch.AMD64
    assert "do NOT go back: amd64 is the side that fails" in found.rollback
    assert_not_sent_home(found)
    verdict = judged(kind, seen)
    assert verdict.outcome is Outcome.NO_DATA
    assert "it is on amd64, where a rollback would go, so this is no trigger" in verdict.reason


@pytest.mark.parametrize(("kind", "seen"), AWAY, ids=lambda x: str(x) if isinstance(x, K) else "")
def test_what_is_wrong_where_it_goes_fires_and_says_the_way_back(kind: K, seen: Snapshot) -> None:
    (found,) = [f for f in findings(seen, PLAYBOOK) if f.kind is kind]
    assert found.side is Arch.ARM64
    assert "weights back to amd64" in found.rollback
    assert judged(kind, seen).outcome is Outcome.FAIL


def assert_not_sent_home(found: Finding) -> None:
    assert "weights back" not in found.rollback and "affinity back" not in found.rollback and "R (" not in found.rollback


def test_one_workload_that_is_wrong_on_both_sides_is_two_findings_and_fires_for_one() -> None:
    seen = sick("api-0", "canary-0", "canary-1")
    sides = {f.side: f.objects for f in findings(seen, PLAYBOOK)}
    assert sides == {Arch.AMD64: ("Pod/api-0",), Arch.ARM64: ("Pod/canary-0", "Pod/canary-1")}
    verdict = judged(K.EXEC_FORMAT, seen)
    assert (verdict.outcome, verdict.numbers) == (Outcome.FAIL, {"count": 2.0})
    assert "Pod/canary-0 and 1 more" in verdict.reason


def test_the_canary_is_the_targets_side_wherever_its_pods_have_landed() -> None:
    seen = sick("canary-0")
    stray = {k: replace(p, node="x0") if p.name == "canary-0" else p for k, p in seen.pods.items()}
    assert judged(K.EXEC_FORMAT, replace(seen, pods=stray)).outcome is Outcome.FAIL


def test_pods_of_one_workload_count_where_they_run() -> None:
    moved: Callable[[Pod], Pod] = lambda p: replace(p, node="a0") if p.name == "api-0" else p  # noqa: E731
    seen = sick("api-0")
    assert judged(K.EXEC_FORMAT, seen, ALONE).outcome is Outcome.NO_DATA
    there = replace(seen, pods={k: moved(p) for k, p in seen.pods.items()})
    assert judged(K.EXEC_FORMAT, there, ALONE).outcome is Outcome.FAIL


@pytest.mark.parametrize(("arch", "outcome"), [(Arch.ARM64, Outcome.FAIL), (Arch.AMD64, Outcome.NO_DATA)])
def test_a_pending_pod_is_on_the_side_that_its_deployment_asks_for(arch: Arch, outcome: Outcome) -> None:
    seen = deployed(API, node_selector={"kubernetes.io/arch": str(arch)})
    waits = pod("api-9", "", API, ready=False, unschedulable="0/6 nodes are available: 6 Insufficient cpu.")
    seen = replace(seen, pods={**seen.pods, "payments/api-9": waits})
    assert judged(K.PENDING_CAPACITY, seen, ALONE).outcome is outcome


def test_a_quota_of_the_namespace_is_on_no_one_side() -> None:
    seen = world(quotas={"payments/q": Quota("payments", "q", {"pods": "8"}, {"pods": "8"})})
    (found,) = findings(seen, PLAYBOOK)
    assert found.side is None and "weights back to amd64" in found.rollback
    assert judged(K.QUOTA, seen).outcome is Outcome.NO_DATA


def test_while_the_way_back_is_not_ready_no_finding_sends_anybody_home() -> None:
    seen = sick("canary-0")
    full: dict[str, Node] = {k: replace(n, unschedulable=n.arch is Arch.AMD64) for k, n in seen.nodes.items()}
    (found,) = findings(replace(seen, nodes=full), PLAYBOOK)
    assert found.rollback == "the way back is NOT ready: no amd64 node is ready and schedulable"
    (agent,) = findings(replace(sick("edr-a0", container=replace(WRONG, message="boom")), nodes=full), PLAYBOOK)
    assert agent.rollback.startswith("cordon the arm64 nodes; the way back is NOT ready")


def test_targets_that_are_gone_at_home_are_told_with_the_canarys_symptom_too() -> None:
    seen = replace(sick("canary-0"), targets=without(Arch.AMD64).targets)
    assert GROUPS[Arch.AMD64] in seen.targets
    for found in findings(seen, PLAYBOOK):
        assert_not_sent_home(found)


def tag_only(*platforms: str, why: str = "") -> Snapshot:
    """The canary crashes with words of its own; its image id is not known, and this is what its tag names now."""
    plain = Container(
        "main",
        APP,
        waiting="CrashLoopBackOff",
        message="missing env DB_HOST",
        exit_code=1,
        restarts=3,
    )
    told = Image(plain.image, platforms=platforms, why=why)
    seen = sick("canary-0", container=plain)
    return replace(seen, images={**seen.images, plain.image: told})


def test_a_crash_is_no_wrong_binarys_because_a_tag_has_no_such_build_now() -> None:
    seen = tag_only("linux/amd64")
    assert findings(seen, PLAYBOOK) == ()
    assert judged(K.EXEC_FORMAT, seen).outcome is Outcome.NO_DATA


def test_nothing_is_called_emulated_by_its_tag_alone() -> None:
    healthy = world()
    tagged = {name: replace(image, platforms=("linux/amd64",)) for name, image in healthy.images.items()}
    seen = replace(healthy, images=tagged)
    assert findings(seen, PLAYBOOK) == ()
    verdict = judged(K.EMULATED, seen)
    assert verdict.outcome is Outcome.NO_DATA and "by its tag only" in verdict.reason


def pulling(container: Container, *said: str) -> Snapshot:
    """The canary's image cannot be pulled, and its tag names an amd64 build only."""
    seen = sick("canary-0", container=container)
    events = tuple(KubeEvent("payments", f"e{n}", NOW, "Warning", "Failed", text, "Pod/canary-0") for n, text in enumerate(said))
    return replace(
        seen, events=events, images={**seen.images, container.image: Image(container.image, platforms=("linux/amd64",))}
    )


BACK_OFF = Container(
    "main", APP, waiting="ImagePullBackOff",
    message=f'Back-off pulling image "{APP}"',
)  # fmt: skip


def test_a_pull_that_fails_without_a_word_is_told_by_its_registry_but_another_cause_wins() -> None:
    assert judged(K.NO_MANIFEST, pulling(BACK_OFF)).outcome is Outcome.FAIL
    assert judged(K.NO_MANIFEST, pulling(BACK_OFF, "Error: ImagePullBackOff")).outcome is Outcome.FAIL
    refused = "Failed to pull image: 429 Too Many Requests"
    assert findings(pulling(BACK_OFF, refused), PLAYBOOK) == ()


def test_there_is_no_log_of_what_never_ended() -> None:
    digest = "registry.example.com/payments@sha256:" + "ab" * 32
    never = replace(
        WRONG, image=digest, waiting="CreateContainerError", message="context deadline exceeded", exit_code=None, restarts=0
    )
    seen = sick("canary-0", container=never)
    (found,) = findings(replace(seen, images={**seen.images, digest: Image(digest, platforms=("linux/amd64",))}), PLAYBOOK)
    assert found.confirm == "kubectl -n payments describe pod canary-0"
    assert found.message == "main: CreateContainerError, and the image has no arm64 build"


def test_a_roll_that_cannot_pull_on_one_side_is_described_and_one_that_ended_has_a_log() -> None:
    labels = {"app": API.name, "pod-template-hash": "abc"}
    stuck = pod("new-0", "a0", API, ready=False, labels=labels, containers=(replace(BACK_OFF, message="429 Too Many Requests"),))
    fine = pod("new-1", "x0", API, labels=labels, created=NOW)
    seen = replace(world(), pods={**world().pods, "payments/new-0": stuck, "payments/new-1": fine})
    (found,) = [f for f in findings(seen, PLAYBOOK) if f.kind is K.ONE_ARCH_STUCK]
    assert found.confirm == "kubectl -n payments describe pod new-0"
    assert "ImagePullBackOff" in found.message and "None" not in found.message
    (crashed,) = [f for f in findings(sick("canary-0"), PLAYBOOK) if f.kind is K.EXEC_FORMAT]
    assert crashed.confirm == "kubectl -n payments logs canary-0 -c main --previous --tail 20"


def test_an_agent_is_found_where_it_is_wrong() -> None:
    (found,) = findings(sick("edr-a1", container=replace(WRONG, message="boom")), PLAYBOOK)
    assert found.side is Arch.ARM64 and AGENT.name in found.cause
