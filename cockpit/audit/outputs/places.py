"""Where in a file a component stands, for code review."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cockpit.audit.outputs.report import Report
from cockpit.model.audit import Layer, Row

_APART = re.compile(r"[\s\"'`,;()\[\]{}<>]+")
"""What stands between the words of a file; references and names hold none of it."""


@dataclass(frozen=True, slots=True)
class Place:
    """A line (from 1) of a file."""

    file: str
    line: int


class Places:
    """The files of a report, each read once for all rows."""

    def __init__(self, report: Report) -> None:
        self._source = report.source
        wanted = frozenset(text for row in report.rows for text in _sought(row))
        self._lines = {file: _index(text, wanted) for file, text in report.texts.items()}
        self._files = tuple((file, _naming(file)) for file in sorted(report.files, key=len, reverse=True))

    def of(self, row: Row) -> list[Place]:
        """Every place in a file that brings a row of the report, in the order of `used_by`; else its waiver's in the playbook.

        Empty for what no file brings and without a playbook.
        """
        found = list(dict.fromkeys(place for text in row.used_by for place in self._named(text, row)))
        return found or self.waiver(row)

    def waiver(self, row: Row) -> list[Place]:
        """Where the playbook waives it, or begins; empty without a playbook."""
        return [Place(self._source, self._line(row, self._source))] if self._source else []

    def _named(self, text: str, row: Row) -> Iterator[Place]:
        for file, naming in self._files:
            if file in text and (match := naming.search(text)):
                begins = max(1, int(match[1])) if match[1] else 1
                exact = match[1] and row.layer is Layer.DEPENDENCY
                yield Place(file, begins if exact else self._line(row, file, begins))
                return

    def _line(self, row: Row, file: str, begins: int = 1) -> int:
        """The first line from `begins` on, where the object does, that names the component or its waiver; else `begins`."""
        lines = self._lines.get(file, {})
        for text in _sought(row):
            numbers = lines.get(text, ())
            at = bisect_left(numbers, begins)
            if at < len(numbers):
                return numbers[at]
        return begins


def _naming(file: str) -> re.Pattern[str]:
    return re.compile(rf"(?:^|[\s(]){re.escape(file)}(?::(\d{{1,9}}))?(?=$|[\s),:])")


def _sought(row: Row) -> Iterator[str]:
    """The names under which a file may have it, the best first."""
    names = (row.waiver.component if row.waiver else "", row.component, row.component.partition("/")[2])
    return (name for name in names if name)


def _index(text: str, wanted: frozenset[str]) -> Mapping[str, list[int]]:
    """The lines, in order, on which each wanted name stands as a word: alone, before a colon, or as `option=name`."""
    found: dict[str, list[int]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        for word in _APART.split(line):
            for name in {word, word.rstrip(":"), word.partition("=")[2]} & wanted:
                found.setdefault(name, []).append(number)
    return found
