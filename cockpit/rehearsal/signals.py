"""What a playbook's queries mean: which number of the model each of their texts stands for."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from cockpit.model.arch import Arch
from cockpit.model.signal import Signal, Unit
from cockpit.rehearsal.windows import Measured

_QUANTILE = re.compile(r"(?:p|quantile\(\s*0?\.)(\d{1,3})")
_OR_ZERO = re.compile(r"\bor\s+(vector\(\s*0\s*\)|0 \* sum\(.*\))$")
BODY = {50: 0.31, 75: 0.48, 90: 0.68, 95: 0.81, 99: 1.0, 999: 1.55}
"""Other percentiles as multiples of the 99th."""
_PLAUSIBLE = {Unit.SECONDS: 0.05, Unit.RATIO: 0.4, Unit.PERCENT: 40.0, Unit.COUNT: 12.0, Unit.REQUESTS_PER_SECOND: 1240.0}


@dataclass(frozen=True, slots=True)
class Meaning:
    """A query text's signal and architecture; without `{{arch}}` in it the text stands for both together."""

    signal: Signal
    arch: Arch | None

    @property
    def or_zero(self) -> bool:
        """The query as a whole ends with `or vector(0)`, or 0 times a sum: where nothing was measured it gives 0.

        `or` binds weakest in PromQL.
        """
        return bool(_OR_ZERO.search(squeeze(self.signal.query)))

    def value(self, measured: Measured) -> float:
        """The number, in the signal's unit."""
        signal = self.signal
        failing = measured.errors / measured.requests
        match signal.unit:
            case Unit.SECONDS:
                return measured.p99 * _percentile(signal)
            case Unit.REQUESTS_PER_SECOND:
                return measured.requests
            case Unit.RATIO if _about_errors(signal):
                return failing
            case Unit.PERCENT if _about_errors(signal):
                return 100.0 * failing
            case unit:
                return _PLAUSIBLE[unit]

    def idle(self, counted: bool) -> float | None:
        """What there is without requests. Counters that stand still (`counted`) give no rate, and 0/0 for what is a share or a
        quantile of it; counters that never were give nothing, or what the query says then."""
        if not counted:
            return 0.0 if self.or_zero else None
        match self.signal.unit:
            case Unit.REQUESTS_PER_SECOND:
                return 0.0
            case Unit.SECONDS | Unit.RATIO | Unit.PERCENT:
                return math.nan
            case _:
                return None


def _about_errors(signal: Signal) -> bool:
    return bool(re.search(r"err|5xx|5\.\.|fail", signal.name + signal.query, re.IGNORECASE))


def _percentile(signal: Signal) -> float:
    found = _QUANTILE.search(signal.name) or _QUANTILE.search(signal.query)
    return BODY.get(int(found.group(1)), 1.0) if found else 1.0


def squeeze(query: str) -> str:
    """A query with its white space made single, so that folded and plain YAML text compare equal."""
    return " ".join(query.split())


def meanings(signals: Iterable[Signal]) -> dict[str, Meaning]:
    """Every text that the playbook's PromQL can become, and what it stands for."""
    known: dict[str, Meaning] = {}
    for signal in signals:
        if signal.measure:
            continue
        if signal.queries:
            known |= {squeeze(text): Meaning(signal, arch) for arch, text in signal.queries.items()}
            continue
        by_arch = re.search(r"\{\{\s*arch\s*\}\}", signal.query)
        for arch in Arch if by_arch else (None,):
            text = re.sub(r"\{\{\s*arch\s*\}\}", arch.value if arch else "", signal.query)
            known[squeeze(text)] = Meaning(signal, arch)
    return known
