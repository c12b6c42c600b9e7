"""What the plan screen and the dialogs say of what comes next."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cockpit.model.arch import ARCH_LABEL
from cockpit.model.cluster import Resources
from cockpit.model.snapshot import SourceName, SourceState
from cockpit.run.frame import Frame
from screens.present import asking, plan
from screens.present.words import Line, Tone, plain
from tests.screens import factories as make
from tests.screens import world


def text(rows: list[Line]) -> str:
    return "\n".join(plain(row) for row in rows)


def before_the_roll(cpu_milli: int, *, known: bool = True) -> Frame:
    """canary-100 may be left for require-arm64; each node has this much asked for."""
    base = world.snapshot(100)
    nodes = {n.name: replace(n, labels={ARCH_LABEL: n.arch}) for n in base.nodes.values()}
    usage = {name: Resources(cpu_milli, 4 << 30, 8) for name in nodes}
    sources = base.sources if known else {**base.sources, SourceName.USAGE: SourceState()}
    return make.make(make.at(3, soaked=900.0), replace(base, nodes=nodes, usage=usage, sources=sources))


@pytest.mark.parametrize(
    ("frame", "words", "tone"),
    [
        (before_the_roll(7000), "! room for 12 of 30 on arm64 (cpu): it will get stuck", Tone.ALARM),
        (before_the_roll(1000), "room for all 30 on arm64", Tone.PLAIN),
        (before_the_roll(7000, known=False), "! room on arm64 is not known: usage: not listed yet", Tone.CAUTION),
    ],
)
def test_before_pods_roll_it_is_said_how_many_find_room(frame: Frame, words: str, tone: Tone) -> None:
    for rows in (plan.plan_screen(frame, 78), asking.promote_head(frame, asking.asked(frame), 70)):
        assert tone in {of for row in rows for said, of in row if said == words}


def test_no_time_is_told_for_a_way_back_that_is_not_ready() -> None:
    gone = {n.name: replace(n, unschedulable=True) for n in world.snapshot(25).nodes.values()}
    shown = text(asking.rollback_head(make.make(make.at(1), replace(world.snapshot(25), nodes=gone)), 76))
    assert "NOT ready: no amd64 node" in shown
    assert "~" not in shown


def test_after_a_rollback_the_plan_goes_no_further() -> None:
    shown = text(plan.plan_screen(make.rolled_back(), 80))
    assert "the run has ended" in shown
    assert "canary-50" not in shown
