"""The reducer against a naive fold, and that what it has handed out never changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.clock import ManualClock
from cockpit.model.cluster import KubeEvent, Node
from cockpit.model.snapshot import Freshness, Snapshot, SourceName
from cockpit.sources.base import Kind, Observation
from cockpit.store import Store, drive

STALE_AFTER = 60.0
SOURCES = [SourceName.NODES, SourceName.PODS, SourceName.RULES]


def node(name: str, ready: bool = True) -> Node:
    return Node(name=name, arch="arm64", reported_arch="arm64", ready=ready)


def said(kind: Kind, key: object = None, value: object = None, at: float = 0.0, **more: Any) -> Observation:
    return Observation(SourceName.NODES, kind, at, key, value, **more)


def registered(clock: ManualClock) -> Store:
    store = Store(clock)
    store.register([SourceName.NODES], STALE_AFTER)
    return store


def freshness(store: Store) -> Freshness:
    return store.freeze().source(SourceName.NODES).freshness


def test_nothing_heard_is_unsynced_and_a_partial_list_still_is() -> None:
    store = registered(ManualClock())
    assert freshness(store) is Freshness.UNSYNCED
    store.fold(said(Kind.UPSERT, "a", node("a")))
    snapshot = store.freeze()
    assert snapshot.source(SourceName.NODES).freshness is Freshness.UNSYNCED
    assert set(snapshot.nodes) == {"a"}
    store.fold(said(Kind.LISTED, keys=frozenset({"a"})))
    assert freshness(store) is Freshness.LIVE


def test_a_source_never_registered_is_unsynced() -> None:
    assert Store(ManualClock()).freeze().source(SourceName.USAGE).freshness is Freshness.UNSYNCED


async def test_silence_makes_stale_with_an_age_and_a_word_makes_live() -> None:
    clock = ManualClock()
    store = registered(clock)
    store.fold(said(Kind.LISTED))
    await clock.advance(STALE_AFTER)
    assert freshness(store) is Freshness.LIVE
    await clock.advance(15)
    state = store.freeze().source(SourceName.NODES)
    assert (state.freshness, state.age) == (Freshness.STALE, 75.0)
    store.fold(said(Kind.HEARD, at=clock.monotonic()))
    assert freshness(store) is Freshness.LIVE


def test_an_answer_with_an_old_time_is_stale_at_once() -> None:
    clock = ManualClock(elapsed=1000.0)
    store = registered(clock)
    store.fold(said(Kind.LISTED, at=clock.monotonic() - 61))
    assert freshness(store) is Freshness.STALE


@pytest.mark.parametrize("kind", [Kind.UPSERT, Kind.HEARD, Kind.LISTED])
def test_a_fault_keeps_what_was_known_and_why_until_something_is_heard(kind: Kind) -> None:
    store = registered(ManualClock(elapsed=5.0))
    store.fold(said(Kind.UPSERT, "a", node("a")))
    store.fold(said(Kind.LISTED, keys=frozenset({"a"}), at=4.0))
    store.fold(said(Kind.FAULT, why="connection refused"))
    snapshot = store.freeze()
    state = snapshot.source(SourceName.NODES)
    assert (state.freshness, state.why, state.age) == (Freshness.FAULT, "connection refused", 1.0)
    assert set(snapshot.nodes) == {"a"}
    store.fold(said(kind, "a", node("a"), at=5.0, keys=frozenset({"a"})))
    assert freshness(store) is Freshness.LIVE


def test_a_fault_before_the_first_list_is_a_fault_and_then_unsynced_again() -> None:
    store = registered(ManualClock())
    store.fold(said(Kind.FAULT, why="no"))
    assert freshness(store) is Freshness.FAULT
    store.fold(said(Kind.UPSERT, "a", node("a")))
    assert freshness(store) is Freshness.UNSYNCED


def test_what_changes_nothing_is_no_change() -> None:
    store = registered(ManualClock())
    store.fold(said(Kind.UPSERT, "a", node("a")))
    store.fold(said(Kind.LISTED, keys=frozenset({"a"})))
    first = store.freeze()
    store.fold(said(Kind.UPSERT, "a", node("a")))
    store.fold(said(Kind.HEARD))
    store.fold(said(Kind.DELETE, "b"))
    store.fold(said(Kind.LISTED, keys=frozenset({"a"})))
    assert store.freeze().nodes is first.nodes
    store.fold(said(Kind.UPSERT, "a", node("a", ready=False)))
    assert store.freeze().nodes is not first.nodes


def test_events_are_in_the_order_of_their_time() -> None:
    clock = ManualClock()
    store = Store(clock)
    for name, second in (("late", 30), ("early", 10), ("middle", 20)):
        event = KubeEvent("n", name, clock.start.replace(second=second), "Warning", "Why", "what", "Pod/x")
        store.fold(Observation(SourceName.EVENTS, Kind.UPSERT, 0.0, f"n/{name}", event))
    assert [e.name for e in store.freeze().events] == ["early", "middle", "late"]
    store.fold(Observation(SourceName.EVENTS, Kind.DELETE, 0.0, "n/middle"))
    assert [e.name for e in store.freeze().events] == ["early", "late"]
    assert [e.name for e in store.freeze().events] == ["early", "late"]


KEYS = st.sampled_from(["a", "b", "c", "d"])
OBSERVATIONS = st.builds(
    Observation,
    source=st.sampled_from(SOURCES),
    kind=st.sampled_from(list(Kind)),
    at=st.floats(0, 100),
    key=KEYS,
    value=st.integers(0, 3),
    keys=st.frozensets(KEYS),
    why=st.sampled_from(["refused", "reset"]),
)


class Naive:
    """The same, said as plainly as possible: everything folded from the beginning each time."""

    def __init__(self, told: Sequence[Observation]) -> None:
        self.data: dict[SourceName, dict[object, object]] = {name: {} for name in SOURCES}
        self.state: dict[SourceName, tuple[bool, str, float | None]] = dict.fromkeys(SOURCES, (False, "", None))
        for o in told:
            self.take(o)

    def take(self, o: Observation) -> None:
        listed, _, heard = self.state[o.source]
        data = self.data[o.source]
        if o.kind is Kind.FAULT:
            self.state[o.source] = (listed, o.why, heard)
            return
        if o.kind is Kind.UPSERT:
            data[o.key] = o.value
        if o.kind is Kind.DELETE:
            data.pop(o.key, None)
        if o.kind is Kind.LISTED:
            self.data[o.source] = {k: v for k, v in data.items() if k in o.keys}
        self.state[o.source] = (listed or o.kind is Kind.LISTED, "", o.at)

    def freshness(self, name: SourceName, now: float) -> Freshness:
        listed, fault, heard = self.state[name]
        if fault:
            return Freshness.FAULT
        if not listed or heard is None:
            return Freshness.UNSYNCED
        return Freshness.LIVE if now - heard <= STALE_AFTER else Freshness.STALE


def shown(snapshot: Snapshot) -> dict[SourceName, dict[Any, Any]]:
    maps = {SourceName.NODES: snapshot.nodes, SourceName.PODS: snapshot.pods, SourceName.RULES: snapshot.rules}
    return {name: dict(found) for name, found in maps.items()}


@given(st.lists(st.one_of(OBSERVATIONS, st.just(None)), max_size=60))
def test_a_snapshot_is_what_a_naive_fold_gives_and_never_changes(steps: list[Observation | None]) -> None:
    clock = ManualClock(elapsed=100.0)
    store = Store(clock)
    store.register(SOURCES, STALE_AFTER)
    taken: list[tuple[Snapshot, dict[SourceName, dict[Any, Any]]]] = []
    told: list[Observation] = []
    for step in [*steps, None]:
        if step is not None:
            store.fold(step)
            told.append(step)
            continue
        snapshot = store.freeze()
        naive = Naive(told)
        assert shown(snapshot) == naive.data
        assert {n: snapshot.source(n).freshness for n in SOURCES} == {n: naive.freshness(n, 100.0) for n in SOURCES}
        taken.append((snapshot, deepcopy(shown(snapshot))))
    assert [s.seq for s, _ in taken] == list(range(1, len(taken) + 1))
    for snapshot, then in taken:
        assert shown(snapshot) == then


class Scripted:
    """A source that plays rounds: each is what it tells before it raises (or just ends, for None)."""

    names = (SourceName.NODES,)
    stale_after = STALE_AFTER

    def __init__(self, *rounds: tuple[list[Observation], Exception | None]) -> None:
        self.rounds = list(rounds)
        self.closed = 0

    async def observe(self) -> AsyncGenerator[Observation, None]:
        told, error = self.rounds.pop(0) if self.rounds else ([], None)
        try:
            for observation in told:
                yield observation
            if error:
                raise error
            if not self.rounds:
                await asyncio.get_running_loop().create_future()
        finally:
            self.closed += 1


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_crash_of_a_source_is_a_fault_and_it_is_started_again() -> None:
    clock = ManualClock()
    store = Store(clock)
    listed = said(Kind.LISTED)
    source = Scripted(([listed], ValueError("bad\x1b[2J")), ([], None), ([listed], None))
    task = asyncio.create_task(drive(source, store))
    await settle()
    state = store.freeze().source(SourceName.NODES)
    assert state.freshness is Freshness.FAULT
    assert "ValueError" in state.why
    assert "\x1b" not in state.why
    await clock.advance(6)
    await settle()
    assert "ended" in store.freeze().source(SourceName.NODES).why
    await clock.advance(6)
    await settle()
    assert freshness(store) is Freshness.LIVE
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert source.closed == 3
