"""What `rate(...[2m])` would show: trailing averages over per-step measurements that are kept as running sums."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

WINDOW = 120
"""Steps (virtual seconds) that a rate looks back over."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One virtual second on one architecture: requests and errors per second, and the 99th percentile in seconds."""

    requests: float = 0.0
    errors: float = 0.0
    p99: float = 0.0


class Windows:
    """Running sums of one architecture, indexed by step; the first step may be negative (before the rehearsal)."""

    def __init__(self, first: int) -> None:
        self._first = first
        self._requests = array("d", [0.0])
        self._errors = array("d", [0.0])
        self._weighted = array("d", [0.0])

    def add(self, measured: Measured) -> None:
        """Append the next step."""
        self._requests.append(self._requests[-1] + measured.requests)
        self._errors.append(self._errors[-1] + measured.errors)
        self._weighted.append(self._weighted[-1] + measured.requests * measured.p99)

    def at(self, step: int) -> Measured | None:
        """The average over the window that ends with `step`; None when no request came in it or nothing is known of it."""
        return self.over(WINDOW, step)

    def over(self, steps: int, step: int) -> Measured | None:
        """The same over so many steps."""
        end = min(step - self._first + 1, len(self._requests) - 1)
        start = max(0, end - steps)
        if end <= 0:
            return None
        requests = self._requests[end] - self._requests[start]
        if requests < 1e-6 * steps:
            return None
        errors = self._errors[end] - self._errors[start]
        latency = (self._weighted[end] - self._weighted[start]) / requests
        return Measured(requests / (end - start), errors / (end - start), latency)

    def begun(self, step: int) -> bool:
        """The model had begun by `step`: without requests there were none, rather than nobody who counted."""
        return step >= self._first

    def served(self, step: int) -> bool:
        """Some request came until `step`: its counters are there, if they stand still since."""
        end = min(step - self._first + 1, len(self._requests) - 1)
        return end > 0 and self._requests[end] > 0
