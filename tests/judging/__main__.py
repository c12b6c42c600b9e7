"""`python -m tests.judging > tests/judging/RESULTS.md`: the measured curve beside Kayenta's. Some 15 minutes on two cores."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import Pool

from tests.judging.draws import Setting
from tests.judging.flown import Flown, fly
from tests.judging.report import Point, name, report

DRIFTS = (0.0, 0.02, 0.04, 0.06, 0.10, 0.25)
SETTINGS = tuple(Setting(noise, overlapping) for overlapping in (False, True) for noise in (0.02, 0.05))
CLOSE = Setting(0.05, True)
"""The setting whose false alarms are near their limit."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Runs of a point: without a drift, at +6 and +10%; at the others; where it is close; where the query does not tell."""

    runs: int
    others: int
    close: int
    untold: int

    def of(self, drift: float) -> int:
        """Runs of a point with this drift."""
        return self.runs if drift in (0.0, 0.06, 0.10) else self.others


def main() -> None:
    """Measure and print the report; progress goes to standard error."""
    parser = ArgumentParser(prog="python -m tests.judging")
    for field, runs in (("runs", 1000), ("others", 300), ("close", 2000), ("untold", 100)):
        parser.add_argument(f"--{field}", type=int, default=runs)
    parser.add_argument("--processes", type=int, default=None)
    found = vars(parser.parse_args())
    processes, start = found.pop("processes"), time.monotonic()
    with Pool(processes) as pool:
        points, untold, more = measure(partial(pool.map, chunksize=4), Plan(**found))
    print(report(points, untold, more, time.monotonic() - start))


def measure(run: Callable[..., list[Flown]], plan: Plan) -> tuple[list[Point], list[Point], Point]:
    """The curve, the points whose query does not tell its range, and the close one with more runs."""

    def point(setting: Setting, seeds: Sequence[int], *, beside: bool = True) -> Point:
        found = Point(setting, run(partial(fly, setting, beside=beside), seeds))
        print(
            *name(setting),
            len(seeds),
            f"{found.ours[0]:.1%} {found.ours[1]:.1%} {found.ours[2]:.1%}",
            file=sys.stderr,
            flush=True,
        )
        return found

    points = [point(replace(s, drift=d), range(plan.of(d))) for s in SETTINGS for d in DRIFTS]
    calm = next(p for p in points if p.setting == CLOSE)
    rest = point(CLOSE, range(plan.runs, max(plan.runs + 1, plan.close)), beside=False)
    drifts = (0.0, 0.06, 0.10)
    untold = [point(replace(s, drift=d, told=False), range(plan.untold), beside=False) for s in SETTINGS for d in drifts]
    return points, untold, Point(CLOSE, [*calm.flown, *rest.flown])


if __name__ == "__main__":
    main()
