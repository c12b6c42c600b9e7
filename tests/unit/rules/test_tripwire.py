"""The tripwire: any change by others is told once, whoever made it; our own writes and stale pictures never are."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.model.plan import Mark, Proof, Reading
from cockpit.rules.tripwire import CONFIRM, GONE, Change, Look, Memory, watch

RULE = Mark("rule 1", "5", "arm64 5, amd64 95", "CloudTrail knows")
OTHER = Mark("rule 2", "5", "arm64 5, amd64 95", "CloudTrail knows")
RIGHT = Reading("weights", "5%", "5%", "", Proof.PROVEN, marks=(RULE, OTHER))
MOVED = replace(RULE, value="50", words="arm64 50, amd64 50", who="eve")
WRONG = replace(RIGHT, configured="50% / 5%", proof=Proof.CONTRADICTED, why="rule 1 is not", marks=(MOVED, OTHER))


def look(reading: Reading = RIGHT, *, live: bool = True, fresh: bool = True) -> Look:
    return Look(reading, live, fresh)


def seen(*looks: Look) -> tuple[Memory, list[Change]]:
    """The memory, and everything that was told on the way."""
    memory = Memory()
    told: list[Change] = []
    for one in looks:
        memory, new = watch(memory, [one])
        told += new
    return memory, told


def test_a_change_says_what_was_what_is_and_who_once() -> None:
    assert seen(look(), *[look(WRONG)] * 5)[1] == [Change("weights", "rule 1", "arm64 5, amd64 95", "arm64 50, amd64 50", "eve")]


def test_one_look_alone_is_not_believed() -> None:
    assert seen(look(), *[look(WRONG), look()] * 4)[1] == []


def test_a_change_that_comes_back_is_told_again() -> None:
    assert len(seen(look(), *[look(WRONG)] * CONFIRM, look(), *[look(WRONG)] * CONFIRM)[1]) == 2


def test_after_a_resume_a_change_that_is_still_there_is_told_again() -> None:
    memory, told = seen(look(), *[look(WRONG)] * 3)
    again = watch(memory.again(), [look(WRONG)])[1]
    assert list(again) == told


def test_what_a_source_shows_from_before_our_own_write_is_no_change() -> None:
    before = replace(WRONG, configured="0%", marks=(replace(RULE, value="0"), replace(OTHER, value="0")))
    assert seen(*[look(before, fresh=False)] * 50, look(), look())[1] == []


def test_what_somebody_wrote_before_ours_was_ever_seen_is_a_change() -> None:
    told = seen(*[look(WRONG, fresh=False)] * 3, *[look(WRONG)] * CONFIRM)[1]
    assert [(c.target, c.was, c.found, c.who) for c in told] == [
        ("rule 1, rule 2", "5%", "50% / 5% (rule 1 is not)", "eve; CloudTrail knows")
    ]


def test_a_source_that_is_silent_proves_nothing_and_forgets_nothing() -> None:
    assert seen(look(), *[look(WRONG, live=False)] * 9)[1] == []
    assert len(seen(look(), look(WRONG), look(WRONG, live=False), look(WRONG))[1]) == 1
    assert len(seen(look(), look(WRONG), look(WRONG), look(WRONG, live=False), look(WRONG))[1]) == 1


def test_a_change_that_leaves_the_share_as_it_is_is_one_all_the_same() -> None:
    unrecorded = replace(RULE, value="5 without", words="arm64 5, amd64 95, without the record of the original")
    assert [c.found for c in seen(look(), *[look(replace(RIGHT, marks=(unrecorded, OTHER)))] * 2)[1]] == [unrecorded.words]


def test_a_target_that_is_gone_is_a_change() -> None:
    assert [(c.target, c.found) for c in seen(look(), *[look(replace(RIGHT, marks=(OTHER,)))] * 2)[1]] == [("rule 1", GONE)]


def test_a_mark_that_is_not_settled_yet_is_waited_for() -> None:
    unsettled = replace(RIGHT, proof=Proof.UNPROVEN, marks=(replace(RULE, value=""), OTHER))
    assert seen(look(unsettled), look(unsettled), look(), look())[1] == []
    assert [c.target for c in seen(look(unsettled), look(), *[look(unsettled)] * 2)[1]] == ["rule 1"]


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), max_size=30))
def test_whatever_the_looks_nothing_is_told_unless_it_was_seen_in_a_row_from_a_live_source(
    looks: list[tuple[bool, bool, bool]],
) -> None:
    memory, run = Memory(), 0
    for wrong, live, fresh in looks:
        settled = "weights" in memory.settled
        memory, told = watch(memory, [look(WRONG if wrong else RIGHT, live=live, fresh=fresh)])
        if live:
            run = run + 1 if wrong and (settled or fresh) else 0
        if told:
            assert live
            assert run >= CONFIRM
        if live and run == CONFIRM:
            assert told or memory.told


@pytest.mark.parametrize("who", ["", "argocd at 02:00:00"])
def test_the_words_name_who_when_that_is_known(who: str) -> None:
    words = str(Change("affinity", "deployment/api", "required arm64", "original", who))
    assert words.startswith("affinity: deployment/api: was required arm64, is original")
    assert words.endswith(f"; who: {who}") is bool(who)
