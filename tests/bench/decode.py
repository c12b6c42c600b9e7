"""Decoding a cluster's objects: the cockpit's typed partial structs beside the official client's models, on the same bytes."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.figures import Row, Sample
from tests.bench.listing import PAGE, pages

COUNTS = {"pods": 10_000, "nodes": 5_000}
PEER = "official client's models"
FASTER, SMALLER = 1 / 40, 1 / 8


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process took."""

    seconds: float
    peak: int
    count: int


def measure(runs: int) -> Iterator[Row]:
    """Time and memory for pods, then for nodes."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        for kind, count in COUNTS.items():
            size = _write(Path(folder), kind, count)
            # In turn, so that whatever else the machine does weighs on both alike.
            rounds = [{way: _cost(way, kind, folder) for way in WAYS} for _ in range(runs)]
            costs = {way: [one[way] for one in rounds] for way in WAYS}
            if any(cost.count != count for way in ("cockpit", "official") for cost in costs[way]):
                raise RuntimeError(f"not every one of the {count} {kind} was decoded: {costs}")
            yield from _rows(kind, count, size, costs)


WAYS = ("cockpit", "cockpit-held", "official", "official-held")


def _rows(kind: str, count: int, size: int, costs: dict[str, list[Cost]]) -> Iterator[Row]:
    what = f"decode {count:,} {kind}"
    note = f"{size / count / 1000:.1f} KB each, in pages of {PAGE}, both ways"
    yield Row(f"{what}, time", "s", _seconds(costs["cockpit"]), _seconds(costs["official"]), PEER, None, FASTER, note)
    ours, peer = _memory(costs["cockpit"], costs["cockpit-held"]), _memory(costs["official"], costs["official-held"])
    note = "peak of a fresh process that keeps every object, less that of one that imported and read the same without decoding"
    yield Row(f"{what}, memory", "MB", ours, peer, PEER, None, SMALLER, note)


def _write(folder: Path, kind: str, count: int) -> int:
    size = 0
    for number, page in enumerate(pages(kind, count)):
        size += (folder / f"{kind}-{number:03}.json").write_bytes(page)
    return size


def _cost(way: str, kind: str, folder: str) -> Cost:
    command = [sys.executable, "-m", "tests.bench.decode_child", way, kind, folder]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return Cost(**json.loads(done.stdout))


def _seconds(costs: Sequence[Cost]) -> Sample:
    return Sample(tuple(cost.seconds for cost in costs))


def _memory(costs: Sequence[Cost], held: Sequence[Cost]) -> Sample:
    bare = Sample(tuple(cost.peak for cost in held)).median
    return Sample(tuple((cost.peak - bare) / 1e6 for cost in costs))
