"""A verdict as the fields of an event: its numbers and what they rest on, so that a journal alone shows why."""

from __future__ import annotations

from math import isfinite

from cockpit.model.json import Json
from cockpit.model.verdict import Evidence, Side, Verdict

DIGITS = 6


def verdict_fields(of: Verdict) -> dict[str, Json]:
    """`gate`, `verdict`, `numbers`, and `evidence` where something was measured. Numbers that JSON cannot say are null."""
    numbers: dict[str, Json] = {name: _number(value) for name, value in of.numbers.items()}
    fields: dict[str, Json] = {"gate": of.gate, "verdict": str(of.outcome), "numbers": numbers}
    return {**fields, "evidence": _evidence(of.evidence)} if of.evidence else fields


def _evidence(of: Evidence) -> dict[str, Json]:
    sides: dict[str, Json] = {name: _side(side) for name, side in of.sides.items()}
    test: dict[str, Json] = {}
    if of.statistic is not None:
        test = {
            "u": _number(of.statistic),
            "p": _number(of.p),
            "exact": of.exact,
            "effect": _number(of.effect),
            "overlap": _number(of.overlap),
        }
    if of.interval is not None:
        ends: list[Json] = [_number(end) for end in of.interval]
        test |= {"estimate": _number(of.estimate), "interval": ends, "level": _number(of.level)}
    return {**test, "sides": sides}


def _side(of: Side) -> dict[str, Json]:
    values: list[Json] = [float(f"{value:.{DIGITS}g}") if isfinite(value) else None for value in of.values]
    return {"query": of.query, "n": of.n, "age": _number(of.age), "values": values}


def _number(value: float | None) -> float | None:
    return round(value, DIGITS) if value is not None and isfinite(value) else None
