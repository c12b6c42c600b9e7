from __future__ import annotations

import pytest

from cockpit.model.json import Json
from cockpit.playbook.issue import Wrong
from cockpit.playbook.scalars import resolve


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("true", True),
        ("false", False),
        ("0", 0),
        ("-7", -7),
        ("999", 999),
        ("111122223333", 111122223333),
        ("0.25", 0.25),
        ("-1.50", -1.5),
        ("15m", "15m"),
        ("4%", "4%"),
        ("0.1%", "0.1%"),
        ("2026-11-01", "2026-11-01"),
        ("2026-11-01T10:00:00Z", "2026-11-01T10:00:00Z"),
        ("7.16.2", "7.16.2"),
        ("cockpit/v1", "cockpit/v1"),
        ("sensor:7.16", "sensor:7.16"),
        ("12h:30", "12h:30"),
        ("-", "-"),
        ("1-2", "1-2"),
        ("e3", "e3"),
        ("0xyz", "0xyz"),
        ("²", "²"),
        ("Norway", "Norway"),
    ],
)
def test_scalars_on_which_all_readers_agree(text: str, value: Json) -> None:
    result = resolve(text)
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("text", "what", "right"),
    [
        ("NO", "unquoted NO is false to YAML 1.1", 'write "NO" in quotes if text is meant, else false'),
        ("yes", "unquoted yes is true to YAML 1.1", 'write "yes" in quotes if text is meant, else true'),
        ("on", "unquoted on is true to YAML 1.1", 'write "on" in quotes if text is meant, else true'),
        ("y", "unquoted y is true to YAML 1.1", 'write "y" in quotes if text is meant, else true'),
        ("Off", "unquoted Off is false to YAML 1.1", 'write "Off" in quotes if text is meant, else false'),
        ("True", "unquoted True is true to YAML 1.1", 'write "True" in quotes if text is meant, else true'),
        ("NULL", "unquoted NULL is null to YAML 1.1", 'write "NULL" in quotes if text is meant, else null'),
        (
            "1:30",
            "unquoted 1:30 is 90 to YAML 1.1 (base 60)",
            'write "1:30" in quotes if text is meant; durations are like 1h30m',
        ),
        (
            "-1:30:00",
            "unquoted -1:30:00 is -5400 to YAML 1.1 (base 60)",
            'write "-1:30:00" in quotes if text is meant; durations are like 1h30m',
        ),
        (
            "1:30.5",
            "unquoted 1:30.5 is 90.5 to YAML 1.1 (base 60)",
            'write "1:30.5" in quotes if text is meant; durations are like 1h30m',
        ),
        ("010", "unquoted 010 is the octal number 8 to YAML 1.1", 'write "010" in quotes if text is meant, else 10'),
        ("00", "unquoted 00 is the octal number 0 to YAML 1.1", 'write "00" in quotes if text is meant, else 0'),
        ("0x1F", "unquoted 0x1F is the hexadecimal number 31 to YAML 1.1", 'write "0x1F" in quotes if text is meant, else 31'),
        (
            "0o7",
            "unquoted 0o7 is text to YAML 1.1 and the octal number 7 to YAML 1.2",
            'write "0o7" in quotes if text is meant, else 7',
        ),
        ("0b101", "unquoted 0b101 is the binary number 5 to YAML 1.1", 'write "0b101" in quotes if text is meant, else 5'),
        ("1_000", "unquoted 1_000 is the number 1000 to YAML 1.1", 'write "1_000" in quotes if text is meant, else 1000'),
        (
            "1e3",
            "unquoted 1e3 is the number 1000 to YAML 1.2 and text to YAML 1.1",
            'write "1e3" in quotes if text is meant, else 1000',
        ),
        ("1.5e-3", "unquoted 1.5e-3 is the number 0.0015 to YAML 1.2", 'write "1.5e-3" in quotes if text is meant, else 0.0015'),
        (
            "08",
            "unquoted 08 is the number 8 to some readers of YAML and text to others",
            'write "08" in quotes if text is meant, else 8',
        ),
        ("+5", "unquoted +5 is the number 5 to YAML 1.1", 'write "+5" in quotes if text is meant, else 5'),
        (".5", "unquoted .5 is the number 0.5 to YAML 1.1", 'write ".5" in quotes if text is meant, else 0.5'),
        ("5.", "unquoted 5. is the number 5 to YAML 1.1", 'write "5." in quotes if text is meant, else 5'),
        (
            ".inf",
            "unquoted .inf is infinity to YAML 1.1",
            'write ".inf" in quotes if text is meant; no value here may be infinity',
        ),
        (
            "-.Inf",
            "unquoted -.Inf is infinity to YAML 1.1",
            'write "-.Inf" in quotes if text is meant; no value here may be infinity',
        ),
        (
            ".NaN",
            "unquoted .NaN is not a number to YAML 1.1",
            'write ".NaN" in quotes if text is meant; no value here may be not a number',
        ),
        (
            "1234567890123456",
            "the number 1234567890123456 has more than 15 digits",
            'write "1234567890123456" in quotes if text is meant',
        ),
    ],
)
def test_scalars_on_which_readers_differ_are_refused_with_both_readings(text: str, what: str, right: str) -> None:
    with pytest.raises(Wrong) as caught:
        resolve(text)
    assert (caught.value.what, caught.value.right) == (what, right)


@pytest.mark.parametrize(
    "text", ["9" * 5000, "0" * 5000, "1:" * 5000 + "1", "1e99999", "0x" + "f" * 9000, "1." + "0" * 9000, "1_" * 5000, "0x_", "0_"]
)
def test_endless_numbers_are_refused_at_once(text: str) -> None:
    with pytest.raises(Wrong) as caught:
        resolve(text)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("text", ["0o", "0x", "0b", "1:75", "_1", "+", ".", "-.", "1:2:", "++1"])
def test_near_misses_are_text(text: str) -> None:
    assert resolve(text) == text
