"""The shared record: it survives the cluster to the letter, is bounded, and nothing hostile in it is believed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.model.event import Event, EventType
from cockpit.model.json import Json
from cockpit.model.plan import Write
from cockpit.run.shared.intent import Intent, Unreadable, left_open
from cockpit.run.shared.record import HISTORY, MOST_BYTES, Record
from cockpit.run.state import Hold, HoldBy, RunState, Stage
from tests.factories import NOW

WRITE = Write("weights", "rule x", {"arm64": 0}, {"arm64": 5}, {"arn": "x"}, {"actions": []})
RECORD = Record(RunState("payments-api-1", Stage.SOAKING, 1, phase_at=NOW, proven_at=NOW, soaked=42.0), "payments-api", "f" * 64)


def event(number: int, words: str = "setting") -> Event:
    return Event(NOW + timedelta(seconds=number), "payments-api-1", EventType.PHASE_STARTED, "canary", words, {"who": "ana"})


times = st.none() | st.datetimes(timezones=st.just(UTC), min_value=datetime(2000, 1, 1))
words = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30)
holds = st.none() | st.builds(Hold, st.sampled_from(HoldBy), words, st.just(NOW))
states = st.builds(
    RunState, st.just("run-1"), st.sampled_from(Stage), st.integers(-1, 9), holds, times, times, times,
    st.floats(0, 1e6).map(lambda x: round(x, 3)), st.none(), words,
)  # fmt: skip
plain: st.SearchStrategy[Json] = st.none() | st.integers() | words | st.dictionaries(words, st.integers(), max_size=3)
writes = st.builds(Write, st.just("weights"), words.filter(bool), plain, plain, st.dictionaries(words, plain, max_size=2))
intents = st.builds(Intent, words.filter(bool), writes, st.integers(0, 9), words, st.booleans())


@given(states, st.lists(intents, max_size=3, unique_by=lambda i: i.id), st.integers(0, 10**6), st.lists(words, max_size=3))
def test_what_is_stored_comes_back(state: RunState, open_: list[Intent], epoch: int, said: list[str]) -> None:
    record = replace(RECORD, state=state, epoch=epoch, phase="canary", holder="ana@host", moved=("affinity",))
    for intent in open_:
        record = record.intending(intent)
    for number, text in enumerate(said):
        record = record.heard(event(number, text))
    again = Record.parse(json.loads(json.dumps(record.as_texts())))
    assert again == record


def test_the_first_write_on_a_target_keeps_what_stood_there_and_the_last_what_is_there_now() -> None:
    first, second = Intent("1", WRITE), Intent("2", replace(WRITE, before={"arm64": 5}, after={"arm64": 25}))
    record = RECORD.intending(first).settled(first, done=True).intending(second).settled(second, done=True)
    assert [(kept.before, kept.after) for kept in record.originals] == [({"arm64": 0}, {"arm64": 25})]
    assert record.intents == ()


def test_a_write_that_was_not_done_leaves_nothing() -> None:
    record = RECORD.intending(intent := Intent("1", WRITE)).settled(intent, done=False)
    assert [(kept.before, kept.after) for kept in record.originals] == [({"arm64": 0}, {"arm64": 0})]


def test_taking_back_settles_both() -> None:
    back = Intent("2", WRITE, undoes="1")
    assert RECORD.intending(Intent("1", WRITE)).intending(back).settled(back, done=True).intents == ()


def test_the_history_is_bounded_and_only_what_is_new_is_told() -> None:
    record = RECORD
    for number in range(HISTORY + 50):
        record = record.heard(event(number, f"{number} {'x' * 5000}"))
    assert len(record.events) == HISTORY
    assert sum(len(text.encode()) for text in record.as_texts().values()) <= MOST_BYTES
    assert [e.message.split()[0] for e in record.after(HISTORY + 48)] == ["248", "249"]
    assert record.after(record.told) == ()
    crowd = replace(event(0), type=EventType.VERDICT)
    assert record.heard(crowd) is record


def test_a_record_near_the_limit_gives_up_its_history_first() -> None:
    record = RECORD.intending(Intent("1", replace(WRITE, before="x" * (MOST_BYTES // 4))))
    for number in range(HISTORY):
        record = record.heard(event(number, "y" * 400))
    texts = record.as_texts()
    assert sum(len(text.encode()) for text in texts.values()) <= MOST_BYTES + 1
    assert Record.parse(texts).intents == record.intents


@given(st.data())
def test_damage_is_told_and_never_a_crash(data: st.DataObject) -> None:
    texts = RECORD.intending(Intent("1", WRITE)).heard(event(1)).as_texts()
    key = data.draw(st.sampled_from(sorted(texts)))
    harm = data.draw(st.sampled_from(["gone", "cut", "other"]))
    if harm == "gone":
        del texts[key]
    elif harm == "cut":
        texts[key] = texts[key][: len(texts[key]) // 2]
    else:
        texts[key] = data.draw(st.text(max_size=20) | plain.map(json.dumps))
    try:
        Record.parse(texts)
    except Unreadable as error:
        assert str(error).isprintable()


@pytest.mark.parametrize("run", ["", "a\x1b[2J", "x" * 300])
def test_a_hostile_name_is_no_run(run: str) -> None:
    with pytest.raises(Unreadable):
        Record.parse(RECORD.as_texts() | {"run": run})


def test_words_from_the_cluster_are_cleaned() -> None:
    hostile = replace(RECORD, holder="a\x1b]52;c;x\x07", state=replace(RECORD.state, hold=Hold(HoldBy.DRIFT, "b\x9b2J", NOW)))
    found = Record.parse(hostile.heard(event(1, "c\x1b[31m")).as_texts())
    assert found.state.hold is not None
    assert all(text.isprintable() for text in (found.holder, found.state.hold.reason, found.events[0].message))


def test_open_intents_are_those_without_an_outcome() -> None:
    def intended(name: str, undoes: str = "") -> dict[str, Json]:
        fields: dict[str, Json] = {"id": name, "epoch": 1, "undoes": undoes, "lever": "weights", "target": "t"}
        return {"type": "write_intended", **fields, "before": 0, "after": 1, "detail": {"request": {}, "expects": {}}}

    records: list[dict[str, Json]] = [
        intended("done"), {"type": "write_done", "id": "done"},
        intended("unknown"), {"type": "write_failed", "id": "unknown", "unknown": True},
        intended("failed"), {"type": "write_failed", "id": "failed", "unknown": False},
        intended("taken back"), intended("back", "taken back"), {"type": "write_done", "id": "back"},
        intended("lost"),
    ]  # fmt: skip
    assert [intent.id for intent in left_open(records)] == ["unknown", "lost"]
