"""The journal after crashes and damage: what is whole is read, what is not is known, and nothing spoils the next record."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.journal import Journal, Line, read, seal, unseal
from cockpit.model.json import Json


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


def messages(path: Path) -> list[Json]:
    return [line.record["message"] for line in read(path) if line.record]


def write(path: Path, *words: str) -> None:
    with Journal(path) as journal:
        for word in words:
            journal.write({"message": word})


def test_records_are_numbered_on_across_openings(path: Path) -> None:
    write(path, "one", "two")
    write(path, "three")
    found = list(read(path))
    assert [line.record and line.record["n"] for line in found] == [1, 2, 3]
    assert path.stat().st_mode & 0o777 == 0o600


def test_at_every_byte_of_a_cut_the_rest_is_read_and_the_next_record_is_whole(path: Path) -> None:
    write(path, "one", "two", "thrée")
    whole = path.read_bytes()
    first_two = len(b"".join(whole.splitlines(keepends=True)[:2]))
    for cut in range(first_two + 1, len(whole)):
        path.write_bytes(whole[:cut])
        complete = cut == len(whole) - 1
        assert [line.torn for line in read(path)] == [False, False, not complete]
        with Journal(path) as journal:
            assert journal.torn
            journal.write({"message": "after"})
        assert messages(path) == ["one", "two", *(["thrée"] if complete else []), "after"]
        assert not any(line.torn for line in read(path))


def test_a_damaged_line_in_the_middle_is_told_by_its_number_and_hides_no_other(path: Path) -> None:
    write(path, "one", "two", "three")
    lines = path.read_bytes().split(b"\n")
    lines[1] = lines[1].replace(b"two", b"too")
    path.write_bytes(b"\n".join(lines))
    assert [line for line in read(path) if line.damaged] == [Line(2, damaged=True)]
    assert messages(path) == ["one", "three"]


def test_a_write_that_a_full_disk_cut_short_does_not_spoil_the_next(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = os.write

    def half(file: int, data: bytes) -> int:
        if len(data) < 20:
            raise OSError(28, "No space left on device")
        return whole(file, data[: len(data) // 2])

    with Journal(path) as journal:
        journal.write({"message": "one"})
        with monkeypatch.context() as full:
            full.setattr("os.write", half)
            with pytest.raises(OSError, match="No space"):
                journal.write({"message": "lost"})
        journal.write({"message": "two"})
    assert messages(path) == ["one", "two"]
    assert [line.number for line in read(path) if line.damaged] == [2]


def test_two_processes_do_not_write_one_journal(path: Path) -> None:
    with Journal(path), pytest.raises(BlockingIOError):
        Journal(path)
    write(path, "free again")


def test_what_is_skipped_is_not_looked_into(path: Path) -> None:
    write(path, "a crowd", "one")
    assert [line.record is None for line in read(path, skip=b"crowd")] == [True, False]


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(st.dictionaries(texts, texts | st.integers() | st.none(), max_size=4), st.integers(1, 10**9))
def test_a_record_survives_sealing(record: dict[str, Json], number: int) -> None:
    assert unseal(seal(record, number)) == {**record, "n": number}


@given(st.dictionaries(texts, texts, max_size=3), st.data())
def test_one_changed_byte_is_always_noticed(record: dict[str, Json], data: st.DataObject) -> None:
    line = bytearray(seal(record, 7))
    place = data.draw(st.integers(0, len(line) - 1))
    line[place] ^= data.draw(st.integers(1, 255))
    assert unseal(bytes(line)) is None


def test_a_line_is_plain_ascii_so_that_no_terminal_acts_on_what_was_on_a_target() -> None:
    text = "\x9b31m\x1b]52;c;\u202eevil\x7f\ud800"
    line = seal({"detail": {"after": text}}, 1)
    assert line.decode("ascii").isprintable()
    record = unseal(line)
    assert record
    assert record["detail"] == {"after": text}
