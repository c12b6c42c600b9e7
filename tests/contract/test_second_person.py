"""Whole cockpits of two users on one embedded world, each with its own home: the second person's word, for one plan, once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from cockpit.errors import Exit, NotInControl
from cockpit.flight import Flight
from cockpit.model.controls import Approval, Standing
from cockpit.run.state import Stage
from tests.contract.crowd_bench import Crowd, follows, may, opened, plan_of, soaking, until, waits_for


@pytest.fixture
async def crowd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Crowd]:
    async with opened(tmp_path, monkeypatch) as made:
        yield made


async def refused(flight: Flight, plan: str, words: str) -> None:
    """This cockpit's word is not taken."""
    assert flight.approve(plan) == ""
    await until(flight, lambda: words in flight.seat.view().why)


async def test_a_phase_of_two_persons_is_left_on_the_word_of_another_user_alone(crowd: Crowd) -> None:
    ana = await soaking(crowd)
    with pytest.raises(NotInControl, match="has the controls of ledger-worker") as elsewhere:
        await crowd.open("rehearsal-second", alone=True)
    assert elsewhere.value.exit_code is Exit.CONTROLS
    bob, twin = await crowd.open("rehearsal-second"), await crowd.open("rehearsal")
    for other in (bob, twin):
        await follows(other, ana)
    plan = plan_of(ana)
    assert f"approve plan {plan}" in ana.promote(plan)
    await refused(ana, plan, "in their own cockpit")
    await refused(twin, plan, "it takes the credentials of another person")
    assert "look at it again" in bob.approve("0" * 12)
    assert not may(ana)

    assert bob.approve(plan) == ""
    await until(ana, lambda: may(ana))
    assert ana.promote("0" * 12) != "", "the word is for one plan"
    assert ana.promote(plan) == ""
    await until(ana, lambda: ana.state.phase == 1 and ana.state.stage in (Stage.PROVING, Stage.SOAKING))
    assert await (await crowd.words()).read() is None, "used up"
    assert ana.seat.view().standing is Standing.MINE


async def test_a_word_for_anything_but_this_very_plan_allows_nothing(crowd: Crowd) -> None:
    ana, book = await soaking(crowd), await crowd.words()
    fair = Approval(ana.state.run, "prefer-arm64", plan_of(ana), "bob@host", "second", crowd.ready.clock.now())
    for wrong, words in (
        (replace(fair, plan_hash="0" * 12), "which is no longer this one"),
        (replace(fair, at=fair.at - timedelta(minutes=16)), "is older than 15 min"),
        (replace(fair, user="operator"), "which is you"),
    ):
        await book.give(wrong)
        await until(ana, lambda words=words: words in waits_for(ana))  # type: ignore[misc]
        assert ana.promote(plan_of(ana)) != ""
    for wrong in (replace(fair, phase="require-arm64"), replace(fair, run="another")):
        await book.give(wrong)
        await until(ana, lambda wrong=wrong: heard(ana) == (wrong.run, wrong.phase))  # type: ignore[misc]
        await ana.next_tick()
        assert not may(ana)
        assert ana.promote(plan_of(ana)) != ""
    assert ana.state.phase == 0


def heard(flight: Flight) -> tuple[str, str]:
    """The run and the phase that the word is for, as this cockpit has read it."""
    word = flight.seat.view().approval
    return (word.run, word.phase) if word else ("", "")
