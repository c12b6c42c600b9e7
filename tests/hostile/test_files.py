"""Files and folders are the owner's alone, whatever the umask; names stay inside of their folder."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit import crash, private
from cockpit.journal import Journal
from cockpit.settings import LONGEST_NAME, operator, run_folder, safe_name
from tests.hostile.test_text import acts


@pytest.fixture
def lax(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state folder that does not exist yet, under a umask that forbids nothing."""
    monkeypatch.setenv("COCKPIT_HOME", str(tmp_path / "deep" / "home"))
    before = os.umask(0)
    try:
        yield tmp_path / "deep"
    finally:
        os.umask(before)


def open_to_others(folder: Path) -> list[Path]:
    return [path for path in (folder, *folder.rglob("*")) if stat.S_IMODE(path.stat().st_mode) & 0o077]


def test_journal_and_crash_dump_are_closed_to_others(lax: Path) -> None:
    with Journal(run_folder("r1") / "journal.jsonl") as journal:
        journal.write({"type": "key"})
    said = crash.report(ValueError("x"))
    assert str(lax) in said
    assert len(list(lax.rglob("*.txt"))) == 1
    assert not open_to_others(lax)


def test_a_file_is_replaced_whole_and_never_through_a_link(lax: Path) -> None:
    path = lax / "kept.json"
    private.write(path, "one")
    private.write(path, "two\ud800")
    assert path.read_text() == "two\\ud800"
    assert [p.name for p in lax.iterdir()] == ["kept.json"]
    assert not open_to_others(lax)


def test_dumps_do_not_pile_up(lax: Path) -> None:
    for _ in range(crash.KEPT + 3):
        crash.report(ValueError("x"))
    assert len(list(lax.rglob("*.txt"))) == crash.KEPT


def test_a_crash_that_cannot_be_kept_is_still_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("COCKPIT_HOME", str(tmp_path / "file" / "home"))
    assert "no dump could be kept" in crash.report(ValueError("\x1b]52;c;x\x07"))


@given(st.text(st.characters(exclude_categories=()), max_size=300))
def test_a_name_stays_one_plain_name(text: str) -> None:
    name = safe_name(text)
    assert 0 < len(name) <= LONGEST_NAME
    assert name.isascii()
    assert "/" not in name
    assert name not in (".", "..")
    assert not name.startswith((".", "-"))
    assert not name.endswith(".")


def test_names_that_were_safe_stay_and_long_ones_stay_apart() -> None:
    assert safe_name("payments-api-20261122T020000Z-1f3a") == "payments-api-20261122T020000Z-1f3a"
    assert safe_name("a" * 200) != safe_name("a" * 201)


def test_who_flies_is_said_without_what_the_environment_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ana\x1b]0;x\x07\u202e")
    assert not acts(operator())
