"""Text, quantities, JSON, diffs and clocks."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.clock import ManualClock, ScaledClock
from cockpit.model.diff import diff, outline
from cockpit.model.json import canonical, digest
from cockpit.model.quantity import millicores, size
from cockpit.text import clean, clean_end


@given(st.text())
def test_clean_text_holds_nothing_that_a_terminal_obeys(text: str) -> None:
    for character in clean(text):
        code = ord(character)
        assert code >= 0x20
        assert not 0x7F <= code < 0xA0
        assert character not in "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029"
    assert len(clean(text)) <= 1024


@given(st.text(max_size=60), st.integers(2, 40))
def test_of_what_is_too_long_the_end_can_be_kept_and_is_as_clean(text: str, limit: int) -> None:
    whole, end = clean(text, 1000), clean_end(text, limit)
    assert end == (whole if len(whole) <= limit else "…" + whole[-(limit - 1) :])


def test_what_was_dangerous_stays_visible() -> None:
    assert clean("a\x1b]52;c;aGk=\x07b") == "a␛]52;c;aGk=␇b"
    assert clean("x\u202ey\x9bz\x7f") == "x\\u202ey\\u009bz␡"
    assert clean("two\nlines") == "two lines"
    assert clean("é ✓ 漢") == "é ✓ 漢"
    assert clean("a" * 5000, 10) == "a" * 9 + "…"


@pytest.mark.parametrize(("text", "cores"), [("250m", 250), ("2", 2000), ("1.5", 1500), ("100n", 1), ("0", 0)])
def test_cpu_in_millicores(text: str, cores: int) -> None:
    assert millicores(text) == cores


@pytest.mark.parametrize(("text", "count"), [("2Gi", 2 << 30), ("1k", 1000), ("1500m", 2), ("110", 110), ("3E", 3 * 10**18)])
def test_sizes_in_bytes(text: str, count: int) -> None:
    assert size(text) == count


@pytest.mark.parametrize("text", ["", "Gi", "1 Gi", "1Qi", "abc", "1mm"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no quantity"):
        size(text)


def test_canonical_json_ignores_the_order_of_keys() -> None:
    assert canonical({"b": 1, "a": [None, True]}) == '{"a":[null,true],"b":1}'
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1}) != digest({"a": 1, "b": 3})


def test_a_diff_shows_what_goes_and_what_comes_in_its_place() -> None:
    assert diff({"weights": {"amd64": 100, "arm64": 0}}, {"weights": {"amd64": 95, "arm64": 5}}) == [
        "  weights:",
        "-   amd64: 100",
        "+   amd64: 95",
        "-   arm64: 0",
        "+   arm64: 5",
    ]
    assert diff(None, {"a": [1, {"b": "c"}]}) == ["- (none)", "+ a:", "+   - 1", "+   - b: c"]
    assert outline({"empty": {}, "list": []}) == ["empty: {}", "list: []"]


@pytest.mark.parametrize(
    "text", ["5", "true", "null", "", "(none)", " a", "{}", '"a"', '"a', "a\nb", "a\x1b]52;c;aGk=\x07", "\u202ea"]
)
def test_a_diff_quotes_text_that_could_be_taken_for_more(text: str) -> None:
    (shown,) = outline(text)
    assert json.loads(shown) == text
    assert shown.isascii()
    assert shown.isprintable()
    assert outline({text: 1}) == [f"{shown}: 1"]


@pytest.mark.parametrize(
    "text", ["arm64", "kubernetes.io/arch", "arn:aws:elasticloadbalancing:eu-west-1:1:rule/a", "two words", "é"]
)
def test_a_diff_leaves_other_text_bare(text: str) -> None:
    assert outline(text) == [text]


def test_a_scaled_clock_runs_faster_from_its_origin() -> None:
    import time

    clock = ScaledClock(datetime(2026, 1, 1, tzinfo=UTC), time.monotonic() - 10, speed=60)
    assert clock.monotonic() >= 600
    assert clock.now() >= datetime(2026, 1, 1, 0, 10, tzinfo=UTC)


async def test_a_manual_clock_wakes_sleepers_in_order() -> None:
    clock = ManualClock()
    woken: list[tuple[str, float]] = []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((name, clock.monotonic()))

    tasks = [asyncio.create_task(sleeper(n, s)) for n, s in (("late", 20), ("early", 5), ("never", 100))]
    await asyncio.sleep(0)
    await clock.advance(30)
    assert woken == [("early", 5), ("late", 20)]
    tasks[2].cancel()
