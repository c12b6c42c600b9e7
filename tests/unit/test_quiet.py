"""The collector out of the way, and cycles collected all the same."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from cockpit.quiet import EVERY, LONG, NEVER, WHOLE, Quiet


class Knot:
    """Garbage that only the collector finds."""

    def __init__(self) -> None:
        self.itself = self


class Clock:
    """Both clocks, turned by hand: every look at the CPU's costs `cost`."""

    def __init__(self) -> None:
        self.now = 0.0
        self.cost = 0.0
        self.used = 0.0

    def spent(self) -> float:
        self.used += self.cost
        return self.used


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def quiet(clock: Clock) -> Iterator[Quiet]:
    before, set_aside = gc.get_threshold(), gc.get_freeze_count()
    with Quiet(lambda: clock.now, clock.spent) as made:
        yield made
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() <= set_aside


def dropped() -> weakref.ref[Knot]:
    return weakref.ref(Knot())


def test_nothing_walks_the_old_by_itself(quiet: Quiet) -> None:
    assert gc.get_threshold()[2] == NEVER
    assert gc.get_freeze_count() > 0


def test_cycles_are_collected_between_ticks(quiet: Quiet, clock: Clock) -> None:
    clock.now = EVERY
    quiet.rest()
    knot = dropped()
    clock.now += EVERY - 1
    quiet.rest()
    assert knot() is not None
    clock.now += 1
    quiet.rest()
    assert knot() is None


def test_what_takes_long_is_set_aside_and_its_cycles_are_found_later_but_never_while_something_is_written(
    quiet: Quiet, clock: Clock
) -> None:
    clock.cost = 2 * LONG
    knot = Knot()
    clock.now = EVERY
    quiet.rest()
    clock.now += EVERY
    quiet.rest()
    gone = weakref.ref(knot)
    del knot
    clock.now += EVERY
    quiet.rest()
    assert gone() is not None, "set aside: not walked"
    clock.now = WHOLE
    quiet.rest(busy=True)
    assert gone() is not None, "a rollback waits for nothing"
    quiet.rest()
    assert gone() is None


def test_eight_hours_of_cycles_do_not_pile_up(quiet: Quiet, clock: Clock) -> None:
    clock.cost = 2 * LONG
    knots: list[weakref.ref[Knot]] = []
    most = 0
    for _ in range(int(8 * 3600 / EVERY)):
        kept = [Knot() for _ in range(3)]
        clock.now += EVERY
        quiet.rest()
        knots += [weakref.ref(knot) for knot in kept]
        del kept
        most = max(most, sum(knot() is not None for knot in knots))
    assert most <= 3 * (WHOLE / EVERY + 2)


def test_whoever_has_switched_the_collector_off_finds_it_off() -> None:
    before = gc.get_threshold()
    gc.set_threshold(0, *before[1:])
    try:
        with Quiet():
            assert gc.get_threshold()[0] == 0
        assert gc.get_threshold()[0] == 0
    finally:
        gc.set_threshold(*before)
