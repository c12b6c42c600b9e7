"""The queue between network and store against folding everything in order, whatever waits for however long."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from cockpit.clock import ManualClock
from cockpit.model.snapshot import Freshness, SourceName
from cockpit.sources.base import GONE, Batch, Progress
from cockpit.sources.inbox import Inbox
from cockpit.store import Store

PODS = SourceName.PODS
PARTS = 3
KEYS = ("a", "b", "c", "d", "e")


@dataclass
class Naive:
    """Every batch folded at once, in order."""

    data: dict[object, object] = field(default_factory=dict)
    keys: list[set[object]] = field(default_factory=lambda: [set() for _ in range(PARTS)])
    listed: set[int] = field(default_factory=set)

    def fold(self, part: int, batch: Batch) -> None:
        for key, value in batch.changes.items():
            if value is GONE:
                self.keys[part].discard(key)
                if not any(key in keys for keys in self.keys):
                    self.data.pop(key, None)
            else:
                self.keys[part].add(key)
                self.data[key] = value
        if batch.listed is not None:
            self.keys[part] = set(batch.listed)
            self.listed.add(part)
            if len(self.listed) == PARTS:
                whole = set[object]().union(*self.keys)
                self.data = {key: value for key, value in self.data.items() if key in whole}


keys = st.sampled_from(KEYS)
values = st.one_of(st.integers(0, 9), st.just(GONE))
Step = tuple[int, Batch] | None
"""A batch of a part, or the store takes what there is."""


def batches(at: int) -> st.SearchStrategy[Batch]:
    changes = st.dictionaries(keys, values, max_size=4).map(
        lambda found: Batch(PODS, float(at), cast("dict[object, object]", found))
    )
    listed = st.frozensets(keys).map(lambda found: Batch(PODS, float(at), listed=frozenset(found)))
    return st.one_of(changes, changes, listed, st.just(Batch(PODS, float(at), fault="no")))


steps = st.lists(st.one_of(st.none(), st.tuples(st.integers(0, PARTS - 1), batches(1))), max_size=40)


def take(inbox: Inbox, store: Store) -> None:
    for batch in inbox.drain():
        store.take(batch)


@given(steps)
def test_whatever_waits_the_last_map_is_that_of_folding_in_order(told: list[Step]) -> None:
    inbox, store, naive = Inbox(PODS, PARTS), Store(ManualClock()), Naive()
    store.register([PODS], 60.0)
    for step in told:
        if step is None:
            take(inbox, store)
            assert dict(store.freeze().pods) == naive.data
        else:
            inbox.put(*step)
            naive.fold(*step)
            assert len(inbox) <= len(KEYS)
    take(inbox, store)
    assert dict(store.freeze().pods) == naive.data


@given(steps)
def test_it_is_live_only_once_every_part_has_listed_and_none_is_at_fault(told: list[Step]) -> None:
    inbox, store = Inbox(PODS, PARTS), Store(ManualClock())
    store.register([PODS], 60.0)
    listed, faults = set[int](), set[int]()
    for step in told:
        if step is not None:
            part, batch = step
            inbox.put(part, batch)
            (faults.add if batch.fault else faults.discard)(part)
            listed |= {part} if batch.listed is not None else set()
        take(inbox, store)
        freshness = store.freeze().source(PODS).freshness
        assert (freshness is Freshness.LIVE) == (len(listed) == PARTS and not faults)
        assert (freshness is Freshness.FAULT) == bool(faults)


def test_a_million_changes_of_one_object_wait_as_one() -> None:
    inbox = Inbox(PODS, 1)
    for version in range(10_000):
        inbox.put(0, Batch(PODS, 0.0, {"a": version}))
    assert len(inbox) == 1
    (batch,) = inbox.drain()
    assert batch.changes == {"a": 9_999}


def test_a_big_batch_is_folded_in_slices_and_the_list_ends_with_the_last() -> None:
    inbox = Inbox(PODS, 1)
    everything: dict[object, object] = {f"p{number}": number for number in range(1_234)}
    inbox.put(0, Batch(PODS, 0.0, everything, listed=frozenset(everything), progress=Progress(1_234, 1_234)))
    told = list(inbox.drain())
    assert [len(batch.changes) for batch in told] == [500, 500, 234]
    assert [batch.listed is None for batch in told] == [True, True, False]
    assert {key for batch in told for key in batch.changes} == set(everything)


def test_a_fault_is_not_hidden_by_the_slices_that_come_before_it() -> None:
    inbox = Inbox(PODS, 2)
    inbox.put(1, Batch(PODS, 0.0, fault="refused"))
    inbox.put(0, Batch(PODS, 0.0, {f"p{number}": number for number in range(600)}))
    assert [batch.fault for batch in inbox.drain()] == ["refused", "refused"]


def test_progress_is_the_sum_of_the_parts_and_unknown_with_one_of_them() -> None:
    inbox, store = Inbox(PODS, 2), Store(ManualClock())
    inbox.put(0, Batch(PODS, 0.0, {"a": 1}, progress=Progress(1, 40)))
    take(inbox, store)
    state = store.freeze().source(PODS)
    assert (state.freshness, state.read, state.expected) == (Freshness.UNSYNCED, 1, None)
    inbox.put(1, Batch(PODS, 0.0, {"b": 1}, progress=Progress(2, 2)))
    take(inbox, store)
    state = store.freeze().source(PODS)
    assert (state.read, state.expected) == (3, 42)
