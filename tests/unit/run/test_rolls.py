"""How fast rolls go is learned from whole rolls, and from nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from cockpit.model.cluster import Deployment
from cockpit.model.snapshot import Freshness, SourceName, SourceState
from cockpit.run.rolls import Rolls
from tests.factories import NOW, deployment, snapshot, with_source

KEY = "payments/payments-api"


def see(rolls: Rolls, seconds: float, found: Deployment, *, live: bool = True) -> None:
    seen = snapshot(time=NOW + timedelta(seconds=seconds), deployments={KEY: found})
    rolls.see(seen if live else with_source(seen, SourceName.DEPLOYMENTS, SourceState(Freshness.STALE, 400.0)))


def part(updated: int, available: int = 4, replicas: int = 4) -> Deployment:
    return deployment(replicas=replicas, generation=2, observed_generation=2, updated=updated, available=available)


def test_a_whole_roll_teaches_seconds_for_each_pod() -> None:
    rolls = Rolls()
    for at, found in ((0, deployment()), (10, part(1, 3)), (20, part(3)), (30, part(4, 3)), (34, part(4)), (99, part(4))):
        see(rolls, at, found)
    assert rolls.rates == {KEY: 6.0}


def test_a_roll_seen_from_its_middle_and_a_change_of_scale_teach_nothing() -> None:
    half, scaled = Rolls(), Rolls()
    for at, found in ((0, part(1)), (10, part(3)), (30, part(4))):
        see(half, at, found)
    for at, found in ((0, deployment()), (5, part(4, 4, 8)), (20, part(8, 8, 8))):
        see(scaled, at, replace(found, total=found.replicas))
    assert (half.rates, scaled.rates) == ({}, {})


def test_what_is_stale_teaches_nothing() -> None:
    rolls = Rolls()
    see(rolls, 0, deployment())
    see(rolls, 10, part(0), live=False)
    see(rolls, 20, part(4))
    assert rolls.rates == {}
