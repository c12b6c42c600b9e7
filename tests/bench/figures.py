"""Figures beside their peers: samples, rows and the table. Everything measured is better when it is smaller."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

HEAD = ("what", "ours", "peer", "ratio", "wanted", "runs", "spread", "")


@dataclass(frozen=True, slots=True)
class Sample:
    """The runs of one measurement, in the row's unit."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return median(self.values)

    @property
    def p99(self) -> float:
        """The value that 99% do not exceed (nearest rank): of fewer than 100 runs the largest."""
        ordered = sorted(self.values)
        return ordered[math.ceil(0.99 * len(ordered)) - 1]

    @property
    def spread(self) -> float:
        """From the smallest to the largest, as a part of the median."""
        return (max(self.values) - min(self.values)) / self.median if self.median else 0.0


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `at_most` limits our own figure, `ratio_at_most` ours by the peer's.

    `missing` says why ours or the peer's could not be measured; `note` what was compared.
    """

    name: str
    unit: str
    ours: Sample | None = None
    peer: Sample | None = None
    peer_name: str = ""
    at_most: float | None = None
    ratio_at_most: float | None = None
    note: str = ""
    missing: str = ""

    @property
    def ratio(self) -> float | None:
        """Ours by the peer's."""
        if self.ours is None or self.peer is None or not self.peer.median:
            return None
        return self.ours.median / self.peer.median

    @property
    def verdict(self) -> str:
        """`met`, `MISSED`, empty without a target; what could not be measured says so."""
        if self.ours is None:
            return "NOT MEASURED"
        over = self.at_most is not None and self.ours.median > self.at_most
        over = over or (self.ratio_at_most is not None and self.ratio is not None and self.ratio > self.ratio_at_most)
        if self.ratio_at_most is not None and self.ratio is None:
            return "MISSED, no peer" if over else "no peer"
        return "MISSED" if over else "met" if self.at_most is not None or self.ratio_at_most is not None else ""

    def cells(self) -> tuple[str, ...]:
        """The row's text, in the order of HEAD."""
        samples = [s for s in (self.ours, self.peer) if s is not None]
        return (
            self.name,
            self._said(self.ours),
            f"{self._said(self.peer)} ({self.peer_name})" if self.peer_name else "none",
            as_ratio(self.ratio),
            self._wanted(),
            " / ".join(str(len(s.values)) for s in samples),
            " / ".join(f"{s.spread:.0%}" for s in samples),
            self.verdict,
        )

    def as_json(self) -> dict[str, object]:
        """Everything of the row, every run's value included."""
        return {
            "name": self.name,
            "unit": self.unit,
            "ours": list(self.ours.values) if self.ours else None,
            "peer": list(self.peer.values) if self.peer else None,
            "peer_name": self.peer_name,
            "ratio": self.ratio,
            "at_most": self.at_most,
            "ratio_at_most": self.ratio_at_most,
            "verdict": self.verdict,
            "note": self.note,
            "missing": self.missing,
        }

    def _said(self, sample: Sample | None) -> str:
        return f"{number(sample.median)} {self.unit}" if sample else "not measured"

    def _wanted(self) -> str:
        wanted = [f"<= {as_ratio(self.ratio_at_most)}"] if self.ratio_at_most is not None else []
        wanted += [f"<= {number(self.at_most)} {self.unit}"] if self.at_most is not None else []
        return ", ".join(wanted)


def measured(runs: int, once: Callable[[], float]) -> Sample:
    """The sample of so many runs."""
    return Sample(tuple(once() for _ in range(runs)))


def number(value: float) -> str:
    """Three digits that count: `0.123`, `12.3`, `123`, `28,000`."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def as_ratio(value: float | None) -> str:
    """`1/53` when ours is smaller, else `1.4`; `-` without a peer."""
    if value is None:
        return "-"
    return f"1/{number(1 / value)}" if 0 < value < 0.95 else f"{value:.2f}"


def table(rows: Sequence[Row]) -> str:
    """The rows as aligned text, and below it what is to be said of each."""
    cells = [HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[n]) for line in cells) for n in range(len(HEAD))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    return "\n".join([*lines, "", *remarks(rows)])


def markdown(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table, and below it what is to be said of each."""
    cells = [HEAD, ("---",) * len(HEAD), *(row.cells() for row in rows)]
    said = [f"- {line}" for line in remarks(rows)]
    return "\n".join([*("| " + " | ".join(line) + " |" for line in cells), "", *said])


def remarks(rows: Sequence[Row]) -> list[str]:
    """Notes, and what is missing, by row."""
    said = []
    for row in rows:
        words = [row.note, f"NOT MEASURED: {row.missing}" if row.missing else ""]
        if any(words):
            said.append(f"{row.name}: {'. '.join(filter(None, words))}")
    return said
