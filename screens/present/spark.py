"""A trend in one row of block characters."""

from __future__ import annotations

from collections.abc import Sequence

from screens.present.words import Line, line

_BLOCKS = "▁▂▃▄▅▆▇█"
FLAT = 0.2
"""A span below this part of the middle value is drawn as if it were this wide, so that noise does not look like an alarm."""


def sparkline(values: Sequence[float], cells: int, scale: Sequence[float] | None = None) -> str:
    """The newest `cells` values as blocks, between the least and the greatest of `scale` (the values themselves when None)."""
    shown = list(values)[-cells:] if cells > 0 else []
    if not shown:
        return ""
    low, high = _bounds(scale if scale else shown)
    return "".join(_block((value - low) / (high - low)) for value in shown)


def _bounds(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    middle = (low + high) / 2
    least = abs(middle) * FLAT or 1.0
    if high - low >= least:
        return low, high
    return middle - least / 2, middle + least / 2


def _block(part: float) -> str:
    return _BLOCKS[max(0, min(len(_BLOCKS) - 1, int(part * len(_BLOCKS))))]


def still(of: Line) -> Line:
    """The line without its trend, which moves with every sample."""
    return line(*(("" if _is_trend(text) else text, tone) for text, tone in of))


def _is_trend(text: str) -> bool:
    """Bars are made of whole blocks only."""
    found = text.strip()
    return len(found) > 1 and set(found) <= set(_BLOCKS) and set(found) != {_BLOCKS[-1]}


def bar(part: float, cells: int) -> str:
    """`part` (0 to 1) of `cells` as full blocks; something that is there at all gets one."""
    return "█" * (max(1, round(part * cells)) if part > 0 else 0)
