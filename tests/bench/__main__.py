"""Figures beside their peers: `python -m tests.bench`. Prints one table; exits 1 only when something could not be measured."""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench import audit, decode, drawing, report, rollback, start
from tests.bench.figures import Row, table


@dataclass(frozen=True, slots=True)
class Pace:
    """How often things are measured, and for how long: runs, and windows of so many seconds."""

    decodings: int
    starts: int
    rollbacks: int
    windows: int
    seconds: float
    audits: int


FULL = Pace(decodings=5, starts=9, rollbacks=9, windows=3, seconds=30.0, audits=5)
QUICK = Pace(decodings=1, starts=3, rollbacks=3, windows=1, seconds=15.0, audits=1)
MEASUREMENTS: dict[str, Callable[[Pace], Iterator[Row]]] = {
    "decode": lambda pace: decode.measure(pace.decodings),
    "start": lambda pace: start.measure(pace.starts),
    "rollback": lambda pace: rollback.measure(pace.rollbacks),
    "audit": lambda pace: audit.measure(pace.audits),
    "drawing": lambda pace: drawing.measure(pace.windows, pace.seconds),
}


def main(arguments: Sequence[str]) -> int:
    """Measure, print, and write what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer runs: a look, not a result")
    parser.add_argument("--only", metavar="NAME", choices=MEASUREMENTS, help=f"one of {', '.join(MEASUREMENTS)}")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write every run's figures")
    parser.add_argument("--markdown", metavar="FILE", type=Path, help="write the table with what it was measured on")
    options = parser.parse_args(arguments)
    load_before = report.load()
    rows = [
        row for name in MEASUREMENTS if options.only in (None, name) for row in _measured(name, QUICK if options.quick else FULL)
    ]
    # Before the table is printed: whoever reads only its head (`| head`) must not lose the files.
    if options.json:
        report.write_json(options.json, rows, load_before)
    if options.markdown:
        report.write_markdown(options.markdown, rows, load_before)
    print(table(rows))
    return int(any(row.ours is None for row in rows))


def _measured(name: str, pace: Pace) -> list[Row]:
    """The rows of one measurement; its failure becomes a row, so that the others are still measured."""
    print(f"measuring {name} ...", file=sys.stderr, flush=True)
    rows: list[Row] = []
    try:
        rows.extend(MEASUREMENTS[name](pace))
    except Exception as error:  # (whatever it is, it is shown, and the exit code says so)
        traceback.print_exc()
        rows.append(Row(name, "", missing=f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"))
    return rows


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
