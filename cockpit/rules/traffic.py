"""The layers of the traffic share, always apart: intended (playbook), configured (the rules now), observed (what traffic did)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

from cockpit.model.arch import Arch
from cockpit.model.playbook import Playbook
from cockpit.model.signal import Unit
from cockpit.model.snapshot import Snapshot
from cockpit.rules.freshness import outdated
from cockpit.rules.signals import measuring

REQUESTS = "requests"
RATE_WINDOW = 120.0
"""Seconds that a request rate is assumed to average over where its query does not show it."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """The share of the target architecture, 0 to 1, in each layer (None: not known).

    `configured` has one entry a rule; `margin` is the half width of the observed share's
    95% Wilson interval; `rate` is in requests/s.
    """

    intended: float | None = None
    configured: Mapping[str, float | None] | None = None
    observed: float | None = None
    margin: float | None = None
    rate: float | None = None

    @property
    def configured_share(self) -> float | None:
        """The share that all rules agree on, None when they do not or nothing is known."""
        shares = set(self.configured.values()) if self.configured else set()
        return shares.pop() if len(shares) == 1 else None


def traffic(snapshot: Snapshot, playbook: Playbook, intended: float | None) -> Traffic:
    """Read all three layers from a snapshot."""
    arch = playbook.target.to_arch
    rates = {a: _rate(snapshot, playbook, a) for a in Arch} if has_requests(playbook) else {}
    here, there = rates.get(arch), rates.get(arch.other)
    total = None if here is None or there is None else here + there
    share = here / total if total and here is not None else None
    return Traffic(
        intended=intended,
        configured=_configured(snapshot, playbook),
        observed=share,
        margin=wilson(share, total * rate_window(playbook))[1] if share is not None and total else None,
        rate=total,
    )


def has_requests(playbook: Playbook) -> bool:
    """The playbook defines the signal that gives the observed share."""
    signal = playbook.signals.get(REQUESTS)
    return signal is not None and signal.unit is Unit.REQUESTS_PER_SECOND


def rate_window(playbook: Playbook) -> float:
    """Seconds of requests that one sample of the rate stands for."""
    return measuring(playbook, REQUESTS).window or RATE_WINDOW


def _rate(snapshot: Snapshot, playbook: Playbook, arch: Arch) -> float | None:
    """The rate now. No series is not 0: it is as likely not scraped. A query says 0 itself, with `or vector(0)`."""
    series = snapshot.signals.get((REQUESTS, arch))
    if series is None or series.latest is None or series.error or outdated(snapshot, playbook, REQUESTS, arch):
        return None
    return series.latest.value


def _configured(snapshot: Snapshot, playbook: Playbook) -> Mapping[str, float | None] | None:
    if playbook.alb is None or not snapshot.rules:
        return None
    group = playbook.alb.target_groups[playbook.target.to_arch]
    shares = {arn: rule.share(group) for arn, rule in snapshot.rules.items()}
    return {arn: None if share is None else float(share) for arn, share in shares.items()}


def wilson(share: float, n: float, z: float = 1.96) -> tuple[float, float]:
    """Centre and half width of the Wilson score interval of a proportion (Wilson 1927) seen in `n` trials."""
    if n <= 0:
        return share, 1.0
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return centre, half
