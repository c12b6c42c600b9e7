"""The preflight's checks of the world, against the embedded cluster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cockpit.errors import Refused
from cockpit.model.arch import Arch
from cockpit.model.check import Report, Result
from cockpit.model.playbook import AffinityMode, AffinitySet, Alb, Phase, Playbook
from cockpit.model.share import Rule, TargetGroup
from cockpit.preflight import inspect, preflight
from cockpit.preflight.balancer import _health, _rule
from cockpit.rehearsal.kube.errors import Obj
from cockpit.rehearsal.world import World
from cockpit.run.shared.record import Record
from cockpit.run.state import RunState, Stage
from tests.contract.test_exec import embedded
from tests.unit.rehearsal.worlds import BASELINE, playbook, world

MOVE = Phase("move", 60.0, affinity=AffinitySet(BASELINE, AffinityMode.PREFERRED, Arch.ARM64, 100))
ARGO = {"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:payments/payments-api"}


def flown(**target: object) -> Playbook:
    plain = playbook(balanced=False)
    return replace(plain, phases=(MOVE,), alb=None, target=replace(plain.target, **target))  # type: ignore[arg-type]


def changed(change: Callable[[Obj], None]) -> World:
    made = world(balanced=False)
    found = made.storage.get("deployments", "payments", BASELINE.name)
    change(found)
    return made


async def looked(made: World, folder: Path, what: Playbook | None = None) -> Report:
    async with embedded(made, folder) as client:
        return await inspect(what or flown(), client, None)


def of(report: Report, name: str) -> list[tuple[Result, str]]:
    return [(c.result, c.words) for c in report.checks if c.name == name]


async def test_a_world_in_order_passes_and_says_where_it_is(tmp_path: Path) -> None:
    report = await looked(world(balanced=False), tmp_path)
    assert report.refused == ()
    assert report.pin.cluster_uid in of(report, "cluster")[0][1]
    assert of(report, "API CA")[0][0] is Result.PASS
    assert of(report, "workloads") == [(Result.PASS, str(BASELINE))]


def paused(found: Obj) -> None:
    found["spec"]["paused"] = True


def selected(found: Obj) -> None:
    found["spec"]["template"]["spec"]["nodeSelector"] = {"kubernetes.io/arch": "amd64"}


def owned(found: Obj) -> None:
    found["metadata"].setdefault("annotations", {}).update(ARGO)


def under_way(found: Obj) -> None:
    paused(found)
    found["metadata"].setdefault("annotations", {})["cutover-cockpit.dev/original-affinity"] = "null"


@pytest.mark.parametrize(
    ("change", "name", "words"),
    [
        (paused, "paused", "kubectl -n payments rollout resume deployment/payments-api"),
        (selected, "node selector", "kubernetes.io/arch=amd64"),
        (owned, "owners", "argocd app set shop --sync-policy none"),
    ],
)
async def test_what_would_go_wrong_is_refused_with_the_way_out(
    tmp_path: Path, change: Callable[[Obj], None], name: str, words: str
) -> None:
    ((result, said),) = of(await looked(changed(change), tmp_path), name)
    assert result is Result.REFUSED
    assert words in said


async def test_every_refusal_is_said_at_once(tmp_path: Path) -> None:
    def all_of_them(found: Obj) -> None:
        for one in (paused, selected, owned):
            one(found)

    async with embedded(changed(all_of_them), tmp_path) as client:
        with pytest.raises(Refused) as refused:
            await preflight(flown(), client, None)
    assert len(str(refused.value).splitlines()) == 3


async def test_an_owner_that_the_playbook_calls_suspended_is_a_warning(tmp_path: Path) -> None:
    ((result, _),) = of(await looked(changed(owned), tmp_path, flown(gitops="suspended")), "owners")
    assert result is Result.WARN


async def test_whoever_joins_a_run_is_not_kept_out_by_how_the_world_is(tmp_path: Path) -> None:
    report = await looked(changed(under_way), tmp_path)
    ((result, words),) = of(report, "paused")
    assert (result, report.refused) == (Result.WARN, ())
    assert "a run is under way" in words


@pytest.mark.parametrize(
    ("stage", "eased"), [(Stage.SOAKING, True), (Stage.FAILED, True), (Stage.COMPLETED, False), (Stage.ROLLED_BACK, False)]
)
async def test_a_run_that_is_over_leaves_its_marks_but_eases_nothing(tmp_path: Path, stage: Stage, eased: bool) -> None:
    made = changed(under_way)
    texts = Record(RunState("a-run", stage, 0), flown().name, "", "move").as_texts()
    name = {"name": f"cutover-cockpit-{flown().name}", "namespace": "payments"}
    made.storage.create("configmaps", {"metadata": name, "data": texts})
    ((result, _),) = of(await looked(made, tmp_path), "paused")
    assert result is (Result.WARN if eased else Result.REFUSED)


ALB = Alb("ap-south-1", {Arch.AMD64: "arn:x86", Arch.ARM64: "arn:arm"}, rules=("arn:rule",))
FORWARD = {
    "Type": "forward",
    "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": a, "Weight": 1} for a in ("arn:x86", "arn:arm")]},
}


def test_a_rule_of_the_load_balancer_controller_is_refused_with_the_lever_that_fits() -> None:
    mine = Rule("arn:rule", False, (FORWARD,), {})  # type: ignore[arg-type]
    assert list(_rule(ALB, mine)) == []
    (check,) = _rule(ALB, replace(mine, tags={"ingress.k8s.aws/stack": "payments/api"}))
    assert check.result is Result.REFUSED
    assert "traffic.alb.ingress" in check.words
    alone = Rule("arn:rule", False, ({"Type": "forward", "TargetGroupArn": "arn:x86"},), {})
    (check,) = _rule(ALB, alone)
    assert "the arm64 target group is not in arn:rule" in check.words


def test_the_serving_side_needs_a_healthy_target_and_the_new_one_not_yet() -> None:
    def group(arch: Arch, healthy: int) -> TargetGroup:
        return TargetGroup(f"arn:{arch}", str(arch), arch, healthy, 0)

    def results(x86: int, arm: int) -> list[Result]:
        return [c.result for c in _health([group(Arch.AMD64, x86), group(Arch.ARM64, arm)], Arch.AMD64)]

    assert results(2, 1) == [Result.PASS, Result.PASS]
    assert results(2, 0) == [Result.PASS, Result.WARN]
    assert results(0, 2) == [Result.REFUSED, Result.PASS]
