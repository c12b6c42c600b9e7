"""What a side of the cutover gives for its money."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cockpit.model.arch import Arch


@dataclass(frozen=True, slots=True)
class PricePerformance:
    """Sustained requests within the p99 limit, and what the pods that serve them cost.

    A figure that something is missing for is None, and `why` says what. `basis` says in words what the cost is made of.
    """

    arch: Arch
    rate: float | None = None
    """Requests/s: the median of the newest minutes, None unless the p99 was within its limit over all of them."""
    cost: float | None = None
    """The share of their nodes' prices that the workloads' pods take, an hour, in `currency`."""
    cores: float | None = None
    """What those pods request, in cores: two sides are alike only at a like rate per core."""
    p99: float | None = None
    limit: float | None = None
    """Seconds; None for a side that the phase sets no limit for."""
    currency: str = "USD"
    basis: str = ""
    why: str = ""
    phase: str = ""
    at: datetime | None = None
    """When it was taken: the snapshot's time."""
    signal: str = ""
    """The signal that `p99` and `limit` are of: another latency where the playbook has no p99."""

    @property
    def per_money(self) -> float | None:
        """Requests/s for one unit of currency an hour; None unless everything that it rests on is known."""
        return self.rate / self.cost if not self.why and self.rate is not None and self.cost else None

    @property
    def per_core(self) -> float | None:
        """Requests/s on a requested core."""
        return self.rate / self.cores if self.rate is not None and self.cores else None
