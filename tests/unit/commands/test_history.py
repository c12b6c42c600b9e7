from __future__ import annotations

from pathlib import Path

import pytest

from cockpit.clock import ManualClock
from cockpit.commands.history import last_run
from cockpit.journal import Journal
from cockpit.model.event import EventType
from cockpit.model.plan import Write
from cockpit.run.logbook import Logbook
from cockpit.settings import run_folder

WEIGHTS = Write("weights", "rule x", {"arm64": 0}, {"arm64": 5})
OLD, NEW = "payments-api-20261121T020000Z-1f3a", "payments-api-20261122T020000Z-0a00"


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COCKPIT_HOME", str(tmp_path))
    return tmp_path


def flown(run: str, context: str = "prod", *, writes: bool = True, dry: bool = False) -> Logbook:
    book = Logbook(ManualClock(), run, "ana@bastion", Journal(run_folder(run) / "journal.jsonl"))
    book.dry_run = dry
    book.say(EventType.RUN_STARTED, "by ana@bastion", context=context)
    book.phase = "canary-5"
    if writes:
        book.done(WEIGHTS)
    return book


def ended(book: Logbook, outcome: str) -> None:
    book.say(EventType.RUN_FINISHED, outcome, outcome=outcome)
    book.close()


def said(context: str = "prod") -> str:
    past = last_run("payments-api", context)
    return past.words() if past else ""


def test_nothing_is_told_where_nobody_flew(state: Path) -> None:
    assert said() == ""
    (state / "runs" / OLD).mkdir(parents=True)
    assert said() == ""


def test_the_newest_run_is_told_with_who_and_why() -> None:
    ended(flown(OLD), "completed")
    assert "completed" in said()
    book = flown(NEW)
    book.say(EventType.ABORT_TRIGGERED, "error_rate: 2% (max 1%)")
    book.say(EventType.ROLLBACK_STARTED, "rolling back", who="playbook")
    ended(book, "rolled_back")
    assert "rolled back" in said()
    assert f"by the playbook: error_rate: 2% (max 1%) (run {NEW}, ana@bastion)" in said()


def test_a_rollback_on_somebodys_word_names_them() -> None:
    book = flown(NEW)
    book.say(EventType.ROLLBACK_STARTED, "rolling back")
    ended(book, "failed")
    assert said().startswith("FAILED to roll back")
    assert "by ana@bastion" in said()


def test_a_run_that_was_left_says_where_it_stood() -> None:
    flown(NEW).close()
    assert said().startswith("not ended: canary-5, last word ")


def test_runs_that_changed_nothing_or_flew_elsewhere_are_not_told() -> None:
    ended(flown(OLD), "completed")
    ended(flown("payments-api-20261122T030000Z-0001", writes=False), "completed")
    flown("payments-api-20261122T040000Z-0002", dry=True).close()
    flown("payments-api-20261122T050000Z-0003", context="staging").close()
    flown("payments-api-eu-20261122T060000Z-0004").close()
    assert OLD in said()
    assert "0003" in said("staging")


def test_what_a_killed_run_left_half_written_hides_nothing() -> None:
    flown(NEW).close()
    with (run_folder(NEW) / "journal.jsonl").open("a") as journal:
        journal.write('{"time":"2026-')
    assert NEW in said()
