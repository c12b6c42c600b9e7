"""Hostile YAML is refused before anything is built, and after few events."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest
import yaml

from cockpit.errors import PlaybookInvalid
from cockpit.playbook import events, loads, text
from tests.unit.playbook.base import errors


@pytest.fixture(autouse=True)
def no_building(monkeypatch: pytest.MonkeyPatch) -> None:
    """Building, composing or constructing anything fails the test."""

    def refuse(*_: object) -> None:
        raise AssertionError("something was built")

    monkeypatch.setattr(text._Builder, "node", refuse)
    for loader in (yaml.CSafeLoader, yaml.SafeLoader):
        for method in ("get_single_node", "get_node", "get_single_data", "get_data", "construct_document"):
            monkeypatch.setattr(loader, method, refuse)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[events.Event]:
    """The events that were read."""
    consumed: list[events.Event] = []
    parse = events.parse

    def counting(source: str) -> Iterator[events.Event]:
        for event in parse(source):
            consumed.append(event)
            yield event

    monkeypatch.setattr(events, "parse", counting)
    return consumed


LAUGHS = "a0: &a0 [lol, lol]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60))


def test_billion_laughs(seen: list[events.Event]) -> None:
    lines = errors(LAUGHS)
    assert len(lines) == 60 + 2 * 59
    assert lines[0] == "1:5: the anchor &a0 is not allowed; remove it and write values out"
    assert lines[2] == "2:10: the alias *a0 is not allowed; write the value out"
    assert len(seen) < 10 * 60


def test_an_alias_to_itself(seen: list[events.Event]) -> None:
    assert errors("&a [*a]\n") == [
        "1:1: the anchor &a is not allowed; remove it and write values out",
        "1:5: the alias *a is not allowed; write the value out",
    ]


@pytest.mark.parametrize("opening", ["[", "- ", "{a: ", "[{a: "])
def test_ten_thousand_levels(opening: str, seen: list[events.Event]) -> None:
    (line,) = errors(opening * 10_000)
    assert line.endswith(": values are nested deeper than 50; a playbook needs no more than 10 levels")
    assert len(seen) < 120


def test_fifty_levels_may_be_read_and_fifty_one_may_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(events.checked("[" * 50 + "]" * 50)) == 100
    assert errors("[" * 51 + "]" * 51) == ["1:51: values are nested deeper than 50; a playbook needs no more than 10 levels"]


def test_a_megabyte_is_not_even_parsed(seen: list[events.Event]) -> None:
    assert errors("a: " + "x" * 1_000_000) == [
        "1:1: it is larger than 256 KB; a playbook is far smaller: is this the right file?"
    ]
    assert errors(b"#" * (256 * 1024 + 1)) == [
        "1:1: it is larger than 256 KB; a playbook is far smaller: is this the right file?"
    ]
    assert errors("ä" * (200 * 1024)) == ["1:1: it is larger than 256 KB; a playbook is far smaller: is this the right file?"]
    assert seen == []


def test_256_kb_are_still_read(seen: list[events.Event]) -> None:
    assert errors(b"#" * (256 * 1024)) == ["1:1: there is nothing in it; a playbook begins with `apiVersion: cockpit/v1`"]
    assert seen


@pytest.mark.parametrize("head", ["a: ", "", "a: '", "a: |\n  "])
def test_a_huge_scalar(head: str) -> None:
    (line,) = errors(head + "x" * 200_000 + ("'" if head.endswith("'") else ""))
    assert line.endswith(": one text has 200,000 characters; at most 16,384 are read")


def test_very_many_values(seen: list[events.Event]) -> None:
    (line,) = errors("- x\n" * 60_000)
    assert line == "10000:3: there are more than 10,000 values; a playbook is far smaller: split it by tier"
    assert len(seen) < 10_010


def test_memory_stays_small() -> None:
    tracemalloc.start()
    try:
        for hostile in (LAUGHS, "[" * 200_000, "&a " * 80_000, "a: " + "9" * 200_000, "- " * 100_000):
            with pytest.raises(PlaybookInvalid):
                loads(hostile, "p.yaml")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 * 1024 * 1024
