"""What cleaning lets through can neither act, nor hide, nor climb."""

from __future__ import annotations

import json
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.text import clean, clean_end
from tests.hostile.payloads import COUNT, payloads
from tests.thorough import SEED

ANY = st.text(st.characters(exclude_categories=()), max_size=80)


def acts(text: str) -> list[str]:
    """Characters that act on a terminal or that nobody can see."""
    return [hex(ord(c)) for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") or 0xFE00 <= ord(c) <= 0xFE0F]


@given(ANY)
def test_nothing_that_acts_or_hides_is_left(text: str) -> None:
    assert not acts(clean(text))
    assert not acts(clean_end(text))


def test_there_is_no_character_at_all_that_acts_or_hides() -> None:
    assert not [hex(code) for code in range(sys.maxunicode + 1) if acts(chr(code)) and acts(clean(chr(code)))]


@given(ANY)
def test_cleaning_is_done_once_and_for_all(text: str) -> None:
    once = clean(text)
    assert clean(once) == once


@given(st.text(max_size=400), st.integers(2, 100))
def test_a_limit_holds(text: str, limit: int) -> None:
    assert len(clean(text, limit)) <= limit
    assert len(clean_end(text, limit)) <= limit


def test_every_payload_is_harmless_and_can_be_written() -> None:
    for payload in payloads(COUNT, SEED):
        cleaned = clean(payload)
        assert not acts(cleaned)
        assert cleaned.startswith(payload[: payload.index("Q") + 2])
        cleaned.encode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31m", "␛[31m"),
        ("a\tb\nc", "a b c"),
        ("\x7f", "␡"),
        ("\x9b", "\\u009b"),
        ("\u202e", "\\u202e"),
        ("\U000e0041", "\\U000e0041"),
        ("pay\xadments", "pay\\u00adments"),
        ("\ud800", "\\ud800"),
        ("⚠\ufe0f 🚀\ufe0f é 漢", "⚠ 🚀 é 漢"),
        ("e\u0301" + "\u0301" * 40, "e\u0301\u0301\u0301"),
    ],
)
def test_what_is_unseen_is_made_visible_and_letters_stay(text: str, shown: str) -> None:
    assert clean(text) == shown


@given(ANY)
def test_json_lines_hold_no_byte_beyond_printable_ascii(text: str) -> None:
    assert all(0x20 <= byte < 0x7F for byte in json.dumps({"message": text}).encode())
