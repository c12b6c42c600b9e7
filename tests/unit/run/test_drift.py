"""The watch over what a run has written: who changed it is named, in every stage in which something of the run stands."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from cockpit.clock import ManualClock
from cockpit.levers.affinity import AffinityLever
from cockpit.model.arch import Arch
from cockpit.model.event import Event, EventType
from cockpit.model.json import Json, canonical
from cockpit.model.managed import OURS, Manager
from cockpit.model.playbook import AffinityMode
from cockpit.model.snapshot import Freshness, Snapshot, SourceName, SourceState
from cockpit.rules.affinity import narrow
from cockpit.rules.original import ORIGINAL
from cockpit.run.assess import judge
from cockpit.run.crew import Crew
from cockpit.run.drift import GRACE, DriftWatch
from cockpit.run.logbook import Logbook
from cockpit.run.state import Hold, HoldBy, RunState, Stage
from tests.factories import API, NOW, PLAYBOOK, phase, snapshot, with_source

NAME = "payments/payments-api"
AFFINITY: Json = {"f:spec": {"f:template": {"f:spec": {"f:affinity": {}}}}}
CONTAINERS: Json = {"f:spec": {"f:template": {"f:spec": {"f:containers": {}}}}}


def ours(**changes: Any) -> Snapshot:
    """A picture in which the workload is as the phase has set it, but for `changes`; its writers are known."""
    found = snapshot()
    was = found.deployments[NAME]
    mine = Manager(OURS, NOW, "", AFFINITY)
    recorded = {**was.annotations, ORIGINAL: canonical(was.affinity)}
    set_ = replace(was, affinity=narrow(was.affinity, Arch.ARM64), annotations=recorded, managers=(mine,))
    return replace(found, deployments={**found.deployments, NAME: replace(set_, **changes)})


def by(name: str, fields: Any = AFFINITY) -> tuple[Manager, ...]:
    return (Manager(OURS, NOW, "", {}), Manager(name, NOW + timedelta(seconds=30), "", fields))


class Watch:
    """The watch and what it looks at."""

    def __init__(self, stage: Stage = Stage.SOAKING) -> None:
        self.playbook = replace(PLAYBOOK, phases=(phase("require-arm64", affinity=AffinityMode.REQUIRED),), alb=None)
        self.clock = ManualClock()
        self.logbook = Logbook(self.clock, "run", "ana@bastion", None)
        lever = AffinityLever(cast("Any", None), (API,), "run", self.clock)
        self.crew = Crew(self.playbook, {"affinity": lever})
        self.watch = DriftWatch(self.logbook, self.playbook, self.clock)
        self.state = RunState("run", stage, 0, stage_at=NOW - timedelta(minutes=5), phase_at=NOW - timedelta(minutes=5))

    def see(self, picture: Snapshot, ticks: int = 3) -> list[str]:
        held = [self.watch.look(picture, self.state, judge(self.crew, picture, self.state, {"affinity"})) for _ in range(ticks)]
        return [words for words in held if words]

    def drifts(self) -> list[Event]:
        return [e for e in self.logbook.events if e.type is EventType.DRIFT]


@pytest.mark.parametrize("stage", [Stage.PROVING, Stage.SOAKING, Stage.COMPLETED])
def test_a_revert_is_held_and_its_author_named(stage: Stage) -> None:
    watch = Watch(stage)
    assert watch.see(ours()) == []
    (words,) = watch.see(ours(affinity=None, managers=by("argocd-controller")))
    assert words.startswith("affinity: deployment/payments-api: was required arm64 [")
    assert words.endswith("; who: argocd-controller at " + f"{NOW + timedelta(seconds=30):%H:%M:%S}")
    fields = watch.drifts()[0].fields
    assert (fields["lever"], fields["target"], fields["held"]) == ("affinity", "deployment/payments-api", True)
    assert str(fields["who"]).startswith("argocd-controller")


def test_it_is_said_though_the_run_is_held_already() -> None:
    watch = Watch()
    watch.see(ours())
    watch.state = replace(watch.state, hold=Hold(HoldBy.OPERATOR, "lunch", NOW))
    assert len(watch.see(ours(affinity=None, managers=by("kubectl-edit")))) == 1
    watch.watch.resumed()
    assert len(watch.see(ours(affinity=None, managers=by("kubectl-edit")), 1)) == 1, "and again when somebody lets go of the hold"


def test_a_lost_record_is_a_change_of_what_we_wrote() -> None:
    watch = Watch()
    watch.see(ours())
    (words,) = watch.see(ours(annotations={}, managers=by("kubectl-annotate", {"f:metadata": {}})))
    assert "without the record of the original" in words
    assert "kubectl-annotate" in words


@pytest.mark.parametrize("changes", [{"replicas": 99}, {"paused": True}, {"labels": {"team": "b"}}, {"resource_version": "9"}])
def test_what_others_own_is_theirs(changes: dict[str, Any]) -> None:
    watch = Watch()
    watch.see(ours())
    assert watch.see(ours(**changes)) == []
    assert watch.drifts() == []


def test_a_release_during_the_run_is_said_and_holds_nothing() -> None:
    watch = Watch()
    watch.see(ours())
    assert watch.see(ours(images=("registry.example.com/api:3",), managers=by("ci", CONTAINERS))) == []
    (event,) = watch.drifts()
    assert "a release during the run: image was" in event.message
    assert (event.fields["held"], str(event.fields["who"])[:3]) == (False, "ci ")


def test_a_picture_from_before_our_own_write_is_no_change_until_the_source_has_had_its_time() -> None:
    watch = Watch(Stage.PROVING)
    stale = ours(affinity=None, annotations={}, managers=())
    watch.state = replace(watch.state, stage_at=stale.time)
    assert watch.see(stale, 20) == []
    later = replace(stale, time=stale.time + timedelta(seconds=GRACE + 1))
    assert len(watch.see(with_source(later, SourceName.DEPLOYMENTS, SourceState(Freshness.LIVE, 0.0)))) == 1


@pytest.mark.parametrize("stage", [Stage.READY, Stage.SETTING, Stage.ROLLING_BACK, Stage.ROLLED_BACK])
def test_nothing_is_watched_where_nothing_of_the_run_stands_or_the_run_itself_writes(stage: Stage) -> None:
    watch = Watch(stage)
    watch.see(ours())
    assert watch.see(ours(affinity=None, managers=by("argocd"))) == []


def test_a_new_phase_forgets_what_the_last_one_had_set() -> None:
    watch = Watch()
    watch.see(ours())
    watch.state = replace(watch.state, phase_at=NOW)
    before = ours().deployments[NAME]
    lists = {"annotations": {**before.annotations, ORIGINAL: canonical({**cast("dict[str, Any]", before.affinity)}) + " "}}
    assert watch.see(ours(**lists)) == []
