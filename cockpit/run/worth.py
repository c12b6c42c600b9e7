"""What a run found out about price-performance: the best sustained figure of each side, kept for its summary."""

from __future__ import annotations

from collections.abc import Mapping

from cockpit.model.arch import Arch
from cockpit.model.json import Json
from cockpit.model.playbook import Playbook
from cockpit.model.price import PricePerformance
from cockpit.model.snapshot import Snapshot
from cockpit.rules.price import better, price_performance, ratio
from cockpit.run.state import RunState, Stage

Figures = Mapping[Arch, PricePerformance]

_UNDER_WAY = (Stage.ROLLING_BACK, Stage.ROLLED_BACK, Stage.FAILED)


class Worth:
    """The best figures so far. A phase counts from its proof on; before the run the first phase's limits hold."""

    def __init__(self) -> None:
        self.best: Figures = {}

    def notice(self, snapshot: Snapshot, playbook: Playbook, state: RunState) -> Figures:
        """Both sides now; the better ones are kept, but none while weights or placement are on their way."""
        phase = state.current(playbook) or state.following(playbook)
        now = price_performance(snapshot, playbook, phase, state.proven_at)
        if state.stage is Stage.READY or (state.proven_at is not None and state.stage not in _UNDER_WAY):
            self.best = better(self.best, now)
        return now

    def fields(self, playbook: Playbook) -> dict[str, Json]:
        """What `run_finished` says of it; null where there is no figure, and no ratio at unlike loads."""
        target = playbook.target
        times = ratio(self.best, target.to_arch)
        return {
            "price_performance": {
                "unit": f"requests per second for 1 {playbook.prices.currency} an hour, within the p99 limit",
                "sides": {str(arch): _side(self.best.get(arch)) for arch in (target.to_arch, target.from_arch)},
                "ratio": None if times is None else round(times, 4),
            }
        }

    def words(self, playbook: Playbook) -> str:
        """The same for people: `req/s per USD/h: arm64 8,912 (canary-100), amd64 6,310 (canary-5): 1.41 times`."""
        target = playbook.target
        sides = [self.best[arch] for arch in (target.to_arch, target.from_arch) if arch in self.best]
        if not sides:
            return ""
        said = ", ".join(f"{side.arch} {side.per_money or 0:,.0f} ({side.phase}, {_load(side)})" for side in sides)
        times = ratio(self.best, target.to_arch)
        compared = "" if len(sides) < 2 else ", not compared: the loads are unlike" if times is None else f": {times:.2f} times"
        return f"req/s per {playbook.prices.currency}/h within the p99 limit: {said}{compared}"


def _load(side: PricePerformance) -> str:
    return f"at {side.per_core or 0:,.0f} req/s a core"


def _side(side: PricePerformance | None) -> dict[str, Json] | None:
    if side is None or side.per_money is None:
        return None
    return {
        "value": round(side.per_money, 2),
        "requests_per_second": round(side.rate or 0.0, 2),
        "cost_per_hour": round(side.cost or 0.0, 6),
        "currency": side.currency,
        "requests_per_second_per_core": round(side.per_core or 0.0, 3),
        "signal": side.signal,
        "p99_seconds": side.p99,
        "p99_limit_seconds": side.limit,
        "phase": side.phase,
        "basis": side.basis,
    }
