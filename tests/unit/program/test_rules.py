"""Who may start in a program: no tier before everything that it depends on is complete, whatever the program."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.model.program import Done, EarlyStart, Position, Program, Standing, Tier, Word
from cockpit.rules.program import board, complete, depends_on, in_the_way, obstacles, words

TODAY = date(2026, 11, 22)
COMPLETED = Position(Standing.COMPLETED, Word.CLUSTER)
STANDINGS = st.builds(Position, st.sampled_from(Standing), st.sampled_from(Word), colour=st.sampled_from(["", "green", "red"]))


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Any program that the loader would take: a tier comes only after tiers above it."""
    count = draw(st.integers(1, 6))
    tiers = []
    for number in range(count):
        above = [f"t{n}" for n in range(number)]
        after = tuple(draw(st.lists(st.sampled_from(above), unique=True))) if above else ()
        files = tuple(f"t{number}-{n}.yaml" for n in range(draw(st.integers(0, 2))))
        done = draw(st.sampled_from([None, Done("ana", TODAY)])) if not files else None
        tiers.append(Tier(f"t{number}", "", files, after, done))
    names = [tier.name for tier in tiers]
    days = st.integers(-2, 2).map(lambda n: TODAY + timedelta(days=n))
    waivers = st.builds(EarlyStart, st.sampled_from(names), st.sampled_from(names), st.just("why"), st.just("who"), days)
    return Program("p", tuple(tiers), tuple(draw(st.lists(waivers, max_size=4))))


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Program, dict[str, Position]]:
    program = draw(programs())
    files = [file for tier in program.tiers for file in tier.playbooks]
    return program, {file: draw(STANDINGS) for file in files if draw(st.booleans())}


def ancestors(program: Program, tier: Tier) -> set[str]:
    """By another way than the rules': the closure of the relation, to a fixed point."""
    found = set(tier.after)
    while more := {after for name in found for one in [program.tier(name)] if one for after in one.after} - found:
        found |= more
    return found


@given(worlds())
def test_no_tier_starts_before_what_it_depends_on(world: tuple[Program, dict[str, Position]]) -> None:
    program, at = world
    for tier in program.tiers:
        if in_the_way(program, tier, at, TODAY):
            continue
        for name in ancestors(program, tier):
            before = program.tier(name)
            assert before
            waived = any((w.tier, w.before) == (tier.name, name) and w.expires >= TODAY for w in program.waivers)
            moved = (
                before.done is not None if not before.playbooks else all(at.get(f, Position()).proven for f in before.playbooks)
            )
            assert moved or waived


@given(worlds())
def test_what_stands_in_the_way_is_not_complete_and_not_waived(world: tuple[Program, dict[str, Position]]) -> None:
    program, at = world
    for tier in program.tiers:
        assert {one.name for one in depends_on(program, tier)} == ancestors(program, tier)
        for one in in_the_way(program, tier, at, TODAY):
            before = program.tier(one.tier)
            assert before
            assert not complete(before, at)
            assert one.why
            assert one.waiver is None or one.waiver.expires < TODAY


@given(worlds())
def test_completing_more_never_takes_a_permission_away(world: tuple[Program, dict[str, Position]]) -> None:
    program, at = world
    better = {file: COMPLETED for tier in program.tiers for file in tier.playbooks}
    for tier in program.tiers:
        assert len(in_the_way(program, tier, at | better, TODAY)) <= len(in_the_way(program, tier, at, TODAY))


@given(worlds())
def test_the_board_offers_a_run_only_where_it_may_start_or_is_going(world: tuple[Program, dict[str, Position]]) -> None:
    program, at = world
    rows = board(program, at, TODAY).rows
    assert [row.tier for row in rows] == [tier.name for tier in program.tiers for _ in tier.playbooks or ("",)]
    for row in rows:
        if row.step.startswith("cockpit run"):
            assert not row.blockers or row.position.standing.going
        if (
            row.blockers
            and not row.position.standing.going
            and not row.complete
            and row.position.standing is not Standing.COMPLETED
        ):
            assert row.step.startswith("wait for")


CHAIN = Program(
    "p",
    (
        Tier("dev", playbooks=("dev.yaml",)),
        Tier("lambda", after=("dev",)),
        Tier("stateless", playbooks=("api.yaml",), after=("lambda",)),
    ),
    (EarlyStart("stateless", "lambda", "no native code", "ana", TODAY),),
)


def steps(at: dict[str, Position], program: Program = CHAIN, today: date = TODAY) -> list[str]:
    return [row.step for row in board(program, at, today).rows]


def test_a_waiver_counts_until_the_end_of_its_last_day() -> None:
    at = {"dev.yaml": COMPLETED}
    assert steps(at)[2] == "cockpit status api: ask its cluster"
    assert steps(at, today=TODAY + timedelta(days=1))[2] == "wait for lambda"
    (late,) = obstacles(CHAIN, CHAIN.tiers[2], at, TODAY + timedelta(days=1))
    assert words(late) == f"lambda: nobody has written that it is done (its waiver expired on {TODAY})"


def test_what_one_machine_remembers_moves_nothing() -> None:
    remembered = replace(COMPLETED, word=Word.HISTORY, why="its cluster does not answer in time")
    (in_way,) = in_the_way(CHAIN, CHAIN.tiers[2], {"dev.yaml": remembered}, TODAY)
    assert in_way.why == "dev is complete by this machine's history alone (its cluster does not answer in time)"


@pytest.mark.parametrize(
    ("standing", "colour", "step"),
    [
        (Standing.NOT_BEGUN, "", "cockpit audit dev"),
        (Standing.NOT_BEGUN, "red", "cockpit audit dev: mend what is red"),
        (Standing.NOT_BEGUN, "waived", "cockpit run dev"),
        (Standing.ROLLED_BACK, "green", "cockpit run dev"),
        (Standing.UNDER_WAY, "", "cockpit run dev: see it through"),
        (Standing.HELD, "red", "cockpit run dev: resume, or roll back"),
        (Standing.FAILED, "", "cockpit rollback dev"),
        (Standing.COMPLETED, "", ""),
        (Standing.UNKNOWN, "green", "cockpit status dev: ask its cluster"),
    ],
)
def test_the_next_legal_step(standing: Standing, colour: str, step: str) -> None:
    assert steps({"dev.yaml": Position(standing, Word.CLUSTER, colour=colour)})[0] == step
