"""Durations, shares and limits as a playbook writes them. Each reader takes any value and raises Wrong with the right form."""

from __future__ import annotations

import re
from decimal import Decimal

from cockpit.model.signal import Unit
from cockpit.playbook.issue import Wrong, quoted

DURATION = r"^(?=[0-9])([0-9]{1,4}h)?([0-9]{1,5}m)?([0-9]{1,6}s)?$"
SHARE = r"^((0|[1-9][0-9]?)(\.[0-9]{1,9})?|100(\.0{1,9})?)%$"
PERCENT = r"^(0|[1-9][0-9]{0,5})(\.[0-9]{1,9})?%$"
SECONDS = r"^(0|[1-9][0-9]{0,6})(\.[0-9]{1,9})?(ms|s)$"

LONGEST = 31 * 24 * 3600.0
"""Seconds: no duration of a playbook may be longer than 31 days."""

DEAREST = 10_000
"""A price an hour above this is a mistake."""

_DURATION, _PERCENT, _SECONDS = (re.compile(p) for p in (DURATION, PERCENT, SECONDS))
_NUMBER = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,12})?")
_OTHER_UNITS = re.compile(r"([0-9]{1,4})(d|w)")
_HOURS = {"d": 24, "w": 168}
_FACTOR = {"h": 3600, "m": 60, "s": 1}
_BY_NUMBER = (Unit.COUNT, Unit.REQUESTS_PER_SECOND)


def duration(value: object) -> float:
    """Seconds of `15m`, `1h30m`, `24h`, `90s` or `0s`."""
    if (number := _number(value)) is not None:
        right = (
            "0s" if not number else f"{_plain(number)}m for minutes, {_plain(number)}s for seconds or {_plain(number)}h for hours"
        )
        raise Wrong(f"{_plain(number)} has no unit", f"write {right}")
    if not isinstance(value, str):
        raise Wrong("a duration is due here", "write it like 15m, 1h30m or 90s")
    if other := _OTHER_UNITS.fullmatch(value):
        raise Wrong(f"{quoted(value)} is no duration", f"write {int(other[1]) * _HOURS[other[2]]}h: the units are h, m and s")
    if not _DURATION.fullmatch(value):
        raise Wrong(f"{quoted(value)} is no duration", "write whole hours, minutes and seconds, like 15m, 1h30m or 90s")
    seconds = float(sum(int(n) * _FACTOR[unit] for n, unit in re.findall(r"([0-9]+)([hms])", value)))
    if seconds > LONGEST:
        raise Wrong(f"{quoted(value)} is longer than 31 days", "write at most 744h")
    return seconds


def share(value: object) -> float:
    """0.04 of `4%`; from 0% to 100%."""
    ratio = percent(value)
    if ratio > 1:
        raise Wrong(f"{quoted(value)} is more than everything", "write at most 100%")
    return ratio


def percent(value: object) -> float:
    """0.04 of `4%`, 1.5 of `150%`."""
    if (number := _number(value)) is not None:
        raise Wrong(f"{_plain(number)} has no unit", _percent_of(number))
    if not isinstance(value, str) or not _PERCENT.fullmatch(value):
        raise Wrong(f"{_named(value)} is no share in percent", "write it like 4% or 0.1%")
    return float(Decimal(value[:-1]) / 100)


def limit(value: object, unit: Unit) -> float:
    """A signal's limit in the signal's own unit: `0.1%` for ratio and percent, `120ms` or `0.25s` for seconds, else a number."""
    if unit is Unit.SECONDS:
        return _seconds(value)
    if unit in _BY_NUMBER:
        return _bare(value, unit)
    try:
        ratio = percent(value)
    except Wrong as wrong:
        if unit is Unit.PERCENT and (number := _number(value)) is not None:
            raise Wrong(wrong.what, f"write {_plain(abs(number))}%") from None
        raise Wrong(wrong.what, f"{wrong.right}: the signal is a {unit}") from None
    return ratio if unit is Unit.RATIO else float(Decimal(str(value)[:-1]))


def any_limit(value: object) -> None:
    """Raises Wrong when `value` is no limit in any unit."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return
    if not isinstance(value, str) or not (_PERCENT.fullmatch(value) or _SECONDS.fullmatch(value)):
        raise Wrong(f"{_named(value)} is no limit", "write 0.1% for a ratio, 120ms or 0.25s for seconds, else a plain number")


def price(value: object) -> float:
    """What an instance costs an hour: a plain number above 0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= DEAREST:
        raise Wrong(f"{_named(value)} is no price an hour", f"write a number above 0 and up to {DEAREST:,}, like 0.1632")
    return float(value)


def _seconds(value: object) -> float:
    if (number := _number(value)) is not None:
        right = f"write {_plain(number)}s or {_plain(number * 1000)}ms: the signal is in seconds"
        raise Wrong(f"{_plain(number)} has no unit", right)
    if not isinstance(value, str) or not (match := _SECONDS.fullmatch(value)):
        raise Wrong(f"{_named(value)} is no time", "write it like 120ms or 0.25s: the signal is in seconds")
    amount = Decimal(value.removesuffix(match[3]))
    return float(amount / 1000 if match[3] == "ms" else amount)


def _bare(value: object, unit: Unit) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Wrong(f"{_named(value)} is no number", f"write a plain number: the signal's unit is {unit}")
    return float(value)


def _number(value: object) -> Decimal | None:
    """`value` as a number when it is one without a unit, quoted or not."""
    if isinstance(value, bool):
        return None
    text = str(value) if isinstance(value, int | float) else value
    return Decimal(text) if isinstance(text, str) and _NUMBER.fullmatch(text) else None


def _percent_of(number: Decimal) -> str:
    if 0 < number < 1:
        return f"write {_plain(number * 100)}%, or {_plain(number)}% if that is meant"
    return f"write {_plain(abs(number))}%"


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _named(value: object) -> str:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return quoted(value)
    return {"bool": "true or false", "list": "a list", "dict": "a mapping"}.get(type(value).__name__, "nothing")
