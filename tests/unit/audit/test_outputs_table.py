from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from cockpit.audit.outputs import words
from cockpit.audit.outputs.cells import width, wrap
from cockpit.audit.outputs.markdown import markdown
from cockpit.audit.outputs.painting import coloured, encodable, painted
from cockpit.audit.outputs.table import NARROWEST, table
from cockpit.model.arch import Arch
from cockpit.model.audit import Audit, Layer, Mark, Row
from cockpit.model.playbook import Waiver
from cockpit.rules.portability.gate import Colour
from tests.unit.audit.reports import DAY, EVERYTHING, WAIVER, audits, of, report

ACTS = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""What acts on a terminal or turns text round."""


def drawn(audit: Audit, cells: int = 80, *, colour: bool = False) -> list[str]:
    return [painted(row, colour=colour) for row in table(report(audit), cells)]


@given(audits, st.integers(min_value=1, max_value=260))
def test_no_row_is_wider_than_the_terminal_or_acts_on_it(audit: Audit, cells: int) -> None:
    for row in drawn(audit, cells):
        assert width(row) <= max(NARROWEST, cells)
        assert not ACTS.search(row)


@given(audits)
def test_colour_changes_no_character(audit: Audit) -> None:
    plain = [re.sub(r"\x1b\[[0-9;]*m", "", row) for row in drawn(audit, colour=True)]
    assert plain == drawn(audit)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=0x3FF) | st.sampled_from("漢字かなカナ한글Ａ"), max_size=80))
def test_cells_are_those_of_another_reading_of_the_standard(text: str) -> None:
    kept = "".join(c for c in text if c.isprintable())
    assert width(kept) == cell_len(kept)


@given(st.text(st.sampled_from("ab/@:漢 "), max_size=200), st.integers(2, 30))
def test_wrapping_loses_nothing_but_spaces(text: str, cells: int) -> None:
    rows = wrap(text, cells)
    assert "".join(rows).replace(" ", "") == text.replace(" ", "")
    assert all(width(row) <= cells for row in rows)


def test_the_worst_comes_first_in_glyph_word_and_colour() -> None:
    rows = drawn(EVERYTHING, colour=True)
    marks = [row.partition("m")[2].partition("\x1b")[0].strip() for row in rows if re.match(r"\x1b\[[0-9;]*m[✗!?◇✓] [A-Z]", row)]
    assert marks[1:-1] == ["✗ FIX", "✗ FIX", "! GATE", "? UNKNOWN", "◇ WAIVED", "✓ PASS"]
    assert marks[0].startswith("✗ RED: 1 not looked at, 2 FIX, 1 GATE, 1 UNKNOWN, 1 WAIVED, 1 PASS")
    assert len({row[:7] for row in rows if re.match(r"\x1b\[[0-9;]*m[✗!?◇✓] (FIX|GATE|UNK|WAI|PASS)", row)}) == 5


def test_everything_that_is_known_is_told_at_80_cells() -> None:
    said = " ".join(" ".join(drawn(EVERYTHING)).split())
    for words_ in (
        "→ build it for arm64 as well",
        "team-payments",
        "used by deployment/pay/report (deploy/report.yaml:3), cronjob/pay/report (deploy/cron.yaml:1)",
        "waived by team-hsm, until 2026-12-15 UTC (23 days left): rebuilt, waiting for 4.2",
        "note: 2 arm64 nodes",
        "Jobs of namespace pay could not be listed: forbidden",
        "note: a waiver is not needed",
        "pay on prod-eks, 2026-11-22T02:14:07Z",
    ):
        assert words_ in said


def test_a_digest_takes_twelve_characters_of_the_table_and_all_of_what_is_copied() -> None:
    name = f"image/registry.example.com/payments/api@sha256:{'0123456789abcdef' * 4}"
    pinned = Audit((Row(name, Layer.IMAGE, Mark.FIX, "amd64 only"),), DAY)
    rows = drawn(pinned)
    assert sum("sha256:0123456789ab…" in row for row in rows) == 1
    assert not any("456789abcdef" in row for row in rows)
    first = next(number for number, row in enumerate(rows) if row.startswith("✗ FIX"))
    assert any("amd64 only" in row for row in rows[first + 1 : first + 3]), "the name takes two rows at most"
    assert any(name in row for row in markdown(report(pinned)))


@pytest.mark.parametrize(("encoding", "glyph"), [("utf-8", "◇"), ("ascii", "~"), ("latin-1", "~"), (None, "~"), ("none", "~")])
def test_what_is_waived_has_the_screens_glyph_where_the_encoding_has_it(encoding: str | None, glyph: str) -> None:
    row = next(row for row in drawn(EVERYTHING) if "WAIVED" in row and "hsm" in row)
    assert encodable(row, encoding).startswith(f"{glyph} WAIVED")


def test_a_wide_terminal_has_columns_for_status_and_action() -> None:
    assert not any("ACTION" in row for row in drawn(EVERYTHING, 80))
    wide = drawn(EVERYTHING, 160)
    assert next(row for row in wide if "COMPONENT" in row).split() == ["MARK", "COMPONENT", "STATUS", "ACTION", "OWNER"]
    assert any(row.startswith("✗ FIX") and row.endswith("team-payments") and "build it for arm64" in row for row in wide)


@pytest.mark.parametrize(
    ("environ", "terminal", "expected"),
    [
        ({"TERM": "xterm"}, True, True),
        ({"TERM": "xterm", "NO_COLOR": ""}, True, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, True, False),
        ({"TERM": "dumb"}, True, False),
        ({}, True, False),
        ({"TERM": "xterm"}, False, False),
    ],
)
def test_colour_is_for_terminals_of_people_who_want_it(environ: dict[str, str], terminal: bool, expected: bool) -> None:
    assert coloured(environ, terminal=terminal) is expected


@pytest.mark.parametrize(
    ("audit", "require", "expected"),
    [
        (of(Mark.PASS), "green", Colour.GREEN),
        (of(Mark.PASS, Mark.WAIVED), "waived_ok", Colour.WAIVED),
        (of(Mark.PASS, Mark.WAIVED), "off", Colour.WAIVED),
        (of(Mark.PASS, Mark.WAIVED), "green", Colour.RED),
        (of(Mark.PASS, Mark.UNKNOWN), "off", Colour.RED),
        (of(Mark.GATE), "waived_ok", Colour.RED),
        (of(Mark.PASS, faults=("AWS",)), "waived_ok", Colour.RED),
        (Audit(day=DAY), "waived_ok", Colour.RED),
    ],
)
def test_what_is_not_known_or_not_accepted_is_red(audit: Audit, require: str, expected: Colour) -> None:
    assert report(audit, require).colour is expected


def test_green_says_that_it_accepts_no_waiver() -> None:
    assert "which accepts no waiver" in report(of(Mark.PASS, Mark.WAIVED), "green").why


@given(st.dates())
def test_a_waiver_counts_through_its_last_day(day: object) -> None:
    from datetime import date

    assert isinstance(day, date)
    term = words.term(replace(WAIVER, expires=day), DAY)
    assert term.startswith("expired") is (day < DAY)


def test_days_are_counted_in_words() -> None:
    def term(month: int, day: int) -> str:
        return words.term(Waiver("a", "b", "c", DAY.replace(month=month, day=day)), DAY)

    assert term(11, 22) == "until 2026-11-22 UTC (its last day)"
    assert term(11, 23) == "until 2026-11-23 UTC (1 day left)"
    assert term(11, 21) == "expired 2026-11-21 UTC (1 day ago)"


def test_every_mark_and_layer_has_its_words() -> None:
    assert set(words.GLYPHS) == set(Mark)
    assert len({words.meaning(mark, Arch.ARM64) for mark in Mark}) == len(Mark)
