"""Figures beside their peers: `python -m tests.bench`. Prints one table; exits 1 only when something could not be measured.

In full it takes some twenty minutes on two idle cores, without what is built once (client-go's informers, k9s).
"""

from __future__ import annotations

import argparse
import compileall
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tests.bench import (
    audit,
    beginning,
    breach,
    decode,
    drawing,
    growth,
    k9s,
    peers,
    report,
    resync,
    rollback,
    sessions,
    start,
    thin_line,
)
from tests.bench.figures import Row, table
from tests.bench.session import Pace as SessionPace


@dataclass(frozen=True, slots=True)
class Pace:
    """How often things are measured, and for how long: runs, keys, and windows of so many seconds."""

    decodings: int
    starts: int
    rollbacks: int
    busy_rollbacks: int
    windows: int
    seconds: float
    audits: int
    session: SessionPace
    growths: int
    counting: float
    breaches: int
    resyncs: int
    resyncing: float
    thin_keys: int
    thin_window: float
    screens: Path | None = None
    """Where the thin line's are kept."""


FULL = Pace(
    decodings=1,
    starts=3,
    rollbacks=3,
    busy_rollbacks=7,
    windows=1,
    seconds=15.0,
    audits=5,
    session=SessionPace(settling=5.0, window=60.0, keys=100),
    growths=1,
    counting=60.0,
    breaches=2,
    resyncs=3,
    resyncing=5.0,
    thin_keys=6,
    thin_window=5.0,
)
"""Windows of a minute where the scan of all pods, once a minute, is to be in them."""
QUICK = Pace(
    decodings=1,
    starts=2,
    rollbacks=1,
    busy_rollbacks=2,
    windows=1,
    seconds=10.0,
    audits=1,
    session=SessionPace(settling=5.0, window=8.0, keys=30),
    growths=1,
    counting=15.0,
    breaches=1,
    resyncs=1,
    resyncing=4.0,
    thin_keys=4,
    thin_window=5.0,
)
MEASUREMENTS: dict[str, Callable[[Pace], Iterator[Row]]] = {
    "begin": lambda pace: beginning.measure(pace.starts),
    "rollback": lambda pace: rollback.idle(pace.rollbacks),
    "rollback-busy": lambda pace: rollback.busy(pace.busy_rollbacks),
    "memory": lambda pace: sessions.memory(pace.session),
    "processor": lambda pace: sessions.processor(pace.session),
    "keys": lambda pace: sessions.keys(pace.session),
    "bytes": lambda pace: sessions.terminal_bytes(pace.session),
    "growth": lambda pace: growth.measure(pace.growths, pace.counting),
    "breach": lambda pace: breach.measure(pace.breaches),
    "resync": lambda pace: resync.measure(pace.resyncs, pace.resyncing),
    "thin-line": lambda pace: thin_line.measure(pace.thin_keys, pace.thin_window, folder=pace.screens),
    "k9s": lambda pace: k9s.measure(pace.session),
    "start": lambda pace: start.measure(pace.starts),
    "decode": lambda pace: decode.measure(pace.decodings),
    "audit": lambda pace: audit.measure(pace.audits),
    "drawing": lambda pace: drawing.measure(pace.windows, pace.seconds),
}
"""What the published limit is about first."""


def main(arguments: Sequence[str]) -> int:
    """Measure, print, and write what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer runs: a look, not a result")
    names = ", ".join(MEASUREMENTS)
    parser.add_argument(
        "--only", metavar="NAME", choices=MEASUREMENTS, action="append", help=f"one of {names}; may be given several times"
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="write every run's figures")
    parser.add_argument("--markdown", metavar="FILE", type=Path, help="write the table with what it was measured on")
    parser.add_argument("--screens", metavar="FOLDER", type=Path, help="keep the screens of the thin line as text")
    options = parser.parse_args(arguments)
    # The cockpits and worlds that are started are of this tree, wherever they run; a SIGTERM ends them like a Ctrl-C.
    os.environ["PYTHONPATH"] = str(peers.ROOT)
    # As an installed one they have their bytecode, also where the environment keeps Python from writing it.
    for package in ("cockpit", "screens", "tests"):
        compileall.compile_dir(peers.ROOT / package, quiet=2)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    load_before, rows = report.load(), list[Row]()
    for name in MEASUREMENTS:
        if options.only is None or name in options.only:
            rows += _measured(name, replace(QUICK if options.quick else FULL, screens=options.screens))
            # After each: whatever becomes of the rest, or of whoever reads only the table's head, these are kept.
            if options.json:
                report.write_json(options.json, rows, load_before)
            if options.markdown:
                report.write_markdown(options.markdown, rows, load_before)
    print(table(rows))
    return int(any(row.ours is None for row in rows))


def _measured(name: str, pace: Pace) -> list[Row]:
    """The rows of one measurement; its failure becomes a row, so that the others are still measured."""
    began = time.monotonic()
    print(f"measuring {name} ...", file=sys.stderr, flush=True)
    rows: list[Row] = []
    try:
        for row in MEASUREMENTS[name](pace):
            rows.append(row)
            print("  " + "  ".join(filter(None, row.cells()[:5])) + f"  {row.verdict}", file=sys.stderr, flush=True)
    except Exception as error:  # (whatever it is, it is shown, and the exit code says so)
        traceback.print_exc()
        rows.append(Row(name, "", missing=f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"))
    print(f"  {name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return rows


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
