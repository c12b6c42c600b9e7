"""Price-performance of both sides: sustained requests/s within the p99 limit for what their pods cost, or why there is none."""

from __future__ import annotations

from collections.abc import Iterator

from cockpit.model.price import PricePerformance
from cockpit.rules.price import ratio
from cockpit.run.frame import Frame
from screens.present.words import UNKNOWN, Line, Tone, dim, line, pad, strong, wrap

_SIDE = 10
_FIGURE = 12


def rows(frame: Frame, cells: int) -> list[Line]:
    """A title, both sides now with what their cost is made of, the best of this run, and how to read it."""
    if not frame.price:
        return []
    currency = frame.playbook.prices.currency
    title = line(strong("Price-performance"), dim(f"   sustained req/s for 1 {currency} an hour, p99 within its limit"))
    found = [title, *(row for side in frame.price.values() for row in _side(side, cells))]
    advice = "Sides compare at a like load only (req/s a core): an idle node earns nothing."
    return [*found, *_best(frame, cells), *_text(advice, cells)]


def _side(side: PricePerformance, cells: int) -> Iterator[Line]:
    head = pad(line(f"  {side.arch}"), _SIDE)
    value = UNKNOWN if side.per_money is None else f"{side.per_money:,.0f}"
    if side.why:
        first, *rest = wrap(side.why, max(20, cells - _SIDE - _FIGURE))
        yield line(*head, *pad(line(strong(value)), _FIGURE), (first, Tone.DIM))
        yield from (line(" " * (_SIDE + _FIGURE), dim(text)) for text in rest)
        return
    cost = f"{side.rate or 0:,.0f} req/s   {side.cost or 0:.3f} {side.currency}/h   {side.per_core or 0:,.0f} req/s a core"
    yield line(*head, *pad(line(strong(value)), _FIGURE), cost)
    limit = "" if side.limit is None else f" (limit {side.limit * 1000:.0f} ms)"
    yield from _text(f"{side.signal or 'p99'} {(side.p99 or 0) * 1000:.0f} ms{limit}; {side.basis}", cells)


def _best(frame: Frame, cells: int) -> Iterator[Line]:
    """The best figure of each side, with when it was: a cutover's two ends are hours apart."""
    target = frame.playbook.target
    sides = [side for arch in (target.to_arch, target.from_arch) if (side := frame.best_price.get(arch))]
    if not sides:
        return
    parts = [f"{side.arch} {side.per_money or 0:,.0f} ({side.phase})" for side in sides]
    times = ratio(frame.best_price, target.to_arch)
    parts += [f"{times:.2f} times"] if times else ["not compared: unlike load"] if len(sides) > 1 else []
    first, *rest = wrap(", ".join(parts), max(20, cells - _SIDE))
    yield line(*pad(line(dim("  best")), _SIDE), strong(first))
    yield from (line(" " * _SIDE, strong(more)) for more in rest)


def _text(text: str, cells: int) -> Iterator[Line]:
    return (line(" " * _SIDE, dim(part)) for part in wrap(text, max(20, cells - _SIDE)))
