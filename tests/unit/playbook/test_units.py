from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.model.signal import Unit
from cockpit.playbook import units
from cockpit.playbook.issue import Wrong


def wrong(value: object, unit: Unit | None = None) -> str:
    with pytest.raises(Wrong) as caught:
        _ = units.duration(value) if unit is None else units.limit(value, unit)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("15m", 900), ("1h30m", 5400), ("24h", 86400), ("1h2m3s", 3723), ("0s", 0), ("744h", 2678400)],
)
def test_durations(text: str, seconds: float) -> None:
    assert units.duration(text) == seconds


@given(st.integers(0, 700), st.integers(0, 600), st.integers(0, 900))
def test_a_duration_is_the_sum_of_its_parts(hours: int, minutes: int, seconds: int) -> None:
    assert units.duration(f"{hours}h{minutes}m{seconds}s") == hours * 3600 + minutes * 60 + seconds


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (15, "15 has no unit; write 15m for minutes, 15s for seconds or 15h for hours"),
        ("15", "15 has no unit; write 15m for minutes, 15s for seconds or 15h for hours"),
        (0, "0 has no unit; write 0s"),
        ("1d", '"1d" is no duration; write 24h: the units are h, m and s'),
        ("2w", '"2w" is no duration; write 336h: the units are h, m and s'),
        ("1.5h", '"1.5h" is no duration; write whole hours, minutes and seconds, like 15m, 1h30m or 90s'),
        ("30m1h", '"30m1h" is no duration; write whole hours, minutes and seconds, like 15m, 1h30m or 90s'),
        ("15 m", '"15 m" is no duration; write whole hours, minutes and seconds, like 15m, 1h30m or 90s'),
        ("15m\n", '"15m " is no duration; write whole hours, minutes and seconds, like 15m, 1h30m or 90s'),
        ("", '"" is no duration; write whole hours, minutes and seconds, like 15m, 1h30m or 90s'),
        ("745h", '"745h" is longer than 31 days; write at most 744h'),
        (True, "a duration is due here; write it like 15m, 1h30m or 90s"),
        (["15m"], "a duration is due here; write it like 15m, 1h30m or 90s"),
    ],
)
def test_what_is_no_duration(value: object, message: str) -> None:
    assert wrong(value) == message


@pytest.mark.parametrize(
    ("value", "unit", "number"),
    [
        ("0.1%", Unit.RATIO, 0.001),
        ("0.1%", Unit.PERCENT, 0.1),
        ("150%", Unit.RATIO, 1.5),
        ("120ms", Unit.SECONDS, 0.12),
        ("0.25s", Unit.SECONDS, 0.25),
        (100, Unit.COUNT, 100.0),
        (0.5, Unit.REQUESTS_PER_SECOND, 0.5),
    ],
)
def test_limits_come_in_the_units_of_their_signals(value: object, unit: Unit, number: float) -> None:
    assert units.limit(value, unit) == number


@pytest.mark.parametrize(
    ("value", "unit", "message"),
    [
        (0.001, Unit.RATIO, "0.001 has no unit; write 0.1%, or 0.001% if that is meant: the signal is a ratio"),
        (5, Unit.RATIO, "5 has no unit; write 5%: the signal is a ratio"),
        (0.5, Unit.PERCENT, "0.5 has no unit; write 0.5%"),
        (0.25, Unit.SECONDS, "0.25 has no unit; write 0.25s or 250ms: the signal is in seconds"),
        ("1%", Unit.SECONDS, '"1%" is no time; write it like 120ms or 0.25s: the signal is in seconds'),
        ("1m", Unit.SECONDS, '"1m" is no time; write it like 120ms or 0.25s: the signal is in seconds'),
        ("120ms", Unit.RATIO, '"120ms" is no share in percent; write it like 4% or 0.1%: the signal is a ratio'),
        ("5%", Unit.COUNT, '"5%" is no number; write a plain number: the signal\'s unit is count'),
        (True, Unit.COUNT, "true or false is no number; write a plain number: the signal's unit is count"),
        ([1], Unit.SECONDS, "a list is no time; write it like 120ms or 0.25s: the signal is in seconds"),
    ],
)
def test_limits_in_the_wrong_unit(value: object, unit: Unit, message: str) -> None:
    assert wrong(value, unit) == message


@given(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.text()), st.just({})),
    st.sampled_from(Unit),
)
def test_readers_answer_or_say_what_is_wrong(value: object, unit: Unit) -> None:
    for reader in (units.duration, units.share, units.percent, units.any_limit, lambda v: units.limit(v, unit)):
        try:
            reader(value)
        except Wrong as error:
            assert error.what
            assert error.right
