"""`python -m tests.judging [runs]`: the measured curve, as a table. A thousand runs of a setting take minutes."""

from __future__ import annotations

import sys

from tests.judging.draws import Setting
from tests.judging.flown import SOON, Flown, fly

DRIFTS = (0.0, 0.02, 0.04, 0.06, 0.10, 0.25)
SETTINGS = ((0.02, False), (0.05, False), (0.10, False), (0.02, True), (0.05, True), (0.10, True))
HEAD = (
    "noise  windows      drift  caught 5 min       30 min      aborted      blocked     detected"
    "  | Kayenta 5 min      30 min       at end"
)


def main() -> None:
    """Print a line for every setting and drift."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print(HEAD)
    for noise, overlapping in SETTINGS:
        for drift in DRIFTS:
            _tell(noise, overlapping, drift, [fly(Setting(noise, overlapping, drift), seed) for seed in range(runs)])


def _tell(noise: float, overlapping: bool, drift: float, found: list[Flown]) -> None:
    def part(good: list[bool]) -> str:
        return f"{sum(good) / len(good):.1%}"

    ours = [
        part([f.caught is not None and f.caught <= SOON for f in found]),
        part([f.caught is not None for f in found]),
        part([f.aborted for f in found]),
        part([f.blocked for f in found]),
        part([f.detected for f in found]),
    ]
    first = [f.kayenta[0] for f in found]
    theirs = [part([k is not None and k <= SOON for k in first]), part([k is not None for k in first])]
    theirs.append(part([f.kayenta[1] for f in found]))
    head = f"{noise:>5.0%}  {'overlapping' if overlapping else 'independent'}  {drift:>+5.0%}"
    print(head, *(f"{x:>12}" for x in ours), " |", *(f"{x:>12}" for x in theirs), flush=True)


if __name__ == "__main__":
    main()
