"""Price-performance in the details of the traffic and p99 panels."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cockpit.model.arch import Arch
from cockpit.model.price import PricePerformance
from cockpit.run.frame import Frame
from screens.present.detail import detail_rows
from screens.present.words import plain, width
from tests.screens import factories as make

ARM = PricePerformance(
    Arch.ARM64, 1281.0, 0.2498, 6.0, 0.117, 0.2, basis="12 pods request 6 cores of 6 m7g.xlarge at 0.1632 USD an hour (x)",
    phase="canary-100",
)  # fmt: skip
AMD = PricePerformance(Arch.AMD64, 1230.0, 0.2939, 6.0, 0.116, basis="12 pods on 8 m6i.xlarge", phase="canary-5")
GONE = PricePerformance(Arch.AMD64, why="no requests")


def seen(now: tuple[PricePerformance, ...], best: tuple[PricePerformance, ...]) -> Frame:
    return replace(make.soaking(), price={p.arch: p for p in now}, best_price={p.arch: p for p in best})


def shown(frame: Frame, number: int, cells: int = 116) -> str:
    return "\n".join(plain(row) for row in detail_rows(number, frame, cells))


@pytest.mark.parametrize("number", [2, 3])
def test_both_sides_are_shown_with_their_basis_and_the_best_of_the_run(number: int) -> None:
    text = shown(seen((ARM, GONE), (ARM, AMD)), number)
    assert "sustained req/s for 1 USD an hour, p99 within its limit" in text
    assert "5,128" in text
    assert "1,281 req/s   0.250 USD/h   214 req/s a core" in text
    assert "p99 117 ms (limit 200 ms); 12 pods request 6 cores of 6 m7g.xlarge at 0.1632 USD an hour" in text
    assert "…           no requests" in text
    assert "best    arm64 5,128 (canary-100), amd64 4,185 (canary-5), 1.23 times" in text


def test_unlike_loads_are_not_compared() -> None:
    text = shown(seen((ARM,), (replace(ARM, rate=100.0), AMD)), 3)
    assert "not compared: unlike load" in text
    assert "times" not in text


def test_a_side_that_is_not_known_has_no_figure() -> None:
    text = shown(seen((replace(ARM, why="no price of m9z.large: add it to prices.per_hour"),), ()), 2)
    assert "…           no price of m9z.large" in text
    assert "5,128" not in text
    assert "best" not in text


@pytest.mark.parametrize("cells", [76, 116])
def test_rows_fit_the_screen(cells: int) -> None:
    rows = detail_rows(3, seen((ARM, AMD), (ARM, AMD)), cells)
    start = next(n for n, row in enumerate(rows) if "Price-performance" in plain(row))
    assert max(width(row) for row in rows[start:]) <= cells
