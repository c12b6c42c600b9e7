"""The colour of a playbook's last audit, by what this machine has kept of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from cockpit.audit.recorded import recorded, remember
from cockpit.cli import run
from cockpit.clock import ManualClock
from cockpit.commands import audit as command
from cockpit.commands.history import last_colour
from cockpit.journal import Journal
from cockpit.model.audit import Audit, Layer, Mark, Row
from cockpit.model.event import EventType
from cockpit.model.playbook import Waiver
from cockpit.playbook import loads
from cockpit.run.logbook import Logbook
from cockpit.settings import run_folder
from tests.unit.playbook.base import BASE

NOW = ManualClock().now()
API = loads(BASE.replace("name: payments", "name: api", 1), "api.yaml")
WAIVER = Waiver("image/a", "why", "ana", NOW.date())


def audit(mark: Mark) -> Audit:
    row = Row("image/a", Layer.IMAGE, mark, "status", waiver=WAIVER if mark is Mark.WAIVED else None)
    return Audit((row,), date(2026, 11, 22))


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COCKPIT_HOME", str(tmp_path))
    return tmp_path


def flown(colour: str, context: str = "prod", run: str = "api-20261122T020000Z-1f3a") -> None:
    with Journal(run_folder(run) / "journal.jsonl") as journal:
        book = Logbook(ManualClock(), run, "ana@bastion", journal)
        book.say(EventType.RUN_STARTED, "api by ana", context=context)
        book.say(EventType.GATE, "portability", gate="portability", colour=colour)
        book.say(EventType.GATE, "agents", gate="agents")


def test_nothing_is_known_where_nobody_audited(state: Path) -> None:
    assert last_colour("api", "prod") == ""
    flown("red", "staging")
    assert last_colour("api", "prod") == ""


@pytest.mark.parametrize(
    ("mark", "colour"), [(Mark.PASS, "green"), (Mark.WAIVED, "waived"), (Mark.FIX, "red"), (Mark.UNKNOWN, "red")]
)
def test_an_audit_by_hand_is_remembered(mark: Mark, colour: str) -> None:
    remember(API, "prod", audit(mark), NOW)
    assert last_colour("api", "prod") == colour
    assert last_colour("api", "staging") == last_colour("other", "prod") == ""


def test_a_waiver_that_the_gate_does_not_accept_is_red() -> None:
    strict = loads(BASE.replace("name: payments", "name: strict", 1) + "portability: {require: green}\n", "strict.yaml")
    remember(strict, "prod", audit(Mark.WAIVED), NOW)
    assert last_colour("strict", "prod") == "red"


@pytest.mark.parametrize(
    ("more", "colour"),
    [
        ("", "green"),
        ("--deep --context staging", "green"),
        ("--no-aws", ""),
        ("--no-cluster", ""),
        ("--image a", ""),
        ("--manifest job.yaml", ""),
        ("--lockfile requirements.txt", ""),
        ("--namespace other", ""),
        ("--all-namespaces", ""),
    ],
)
def test_only_an_audit_of_the_whole_playbook_and_nothing_else_is_its_colour(
    more: str, colour: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def made(*_: object) -> tuple[Audit, str]:
        return audit(Mark.PASS), "staging"

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "_audited", made)
    (tmp_path / "pay.yaml").write_text(BASE)
    (tmp_path / "job.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
    (tmp_path / "requirements.txt").write_text("a==1\n")
    assert run(["audit", "pay.yaml", *more.split()]) == 0
    assert last_colour("payments", "staging") == colour


def test_the_newer_of_a_runs_audit_and_one_by_hand_counts() -> None:
    flown("red")
    remember(API, "prod", audit(Mark.PASS), NOW - timedelta(hours=1))
    assert last_colour("api", "prod") == "red"
    remember(API, "prod", audit(Mark.PASS), NOW + timedelta(hours=1))
    assert last_colour("api", "prod") == "green"


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"colour": "blue", "at": "2026-11-22T02:00:00+00:00"}', '{"colour": "red", "at": "x"}']
)
def test_what_is_damaged_is_none(state: Path, text: str) -> None:
    remember(API, "prod", audit(Mark.PASS), datetime.now(UTC))
    (kept,) = (state / "audits").iterdir()
    kept.write_text(text)
    assert recorded("api", "prod") is None
    assert last_colour("api", "prod") == ""


def test_a_disk_that_refuses_is_no_fault(state: Path) -> None:
    (state / "audits").write_text("")
    remember(API, "prod", audit(Mark.PASS), NOW)
    assert recorded("api", "prod") is None
