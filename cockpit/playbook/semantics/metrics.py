"""Where signals come from, and how often."""

from __future__ import annotations

from collections.abc import Iterator

from cockpit.playbook import units
from cockpit.playbook.view import Finding, View

EVERY = 15.0
"""Seconds between samples where the playbook does not say it."""
_SOONEST = 1.0


def metrics(root: View) -> Iterator[Finding]:
    """Checks of `metrics`: a source for the signals, and samples that can be fresh."""
    part = root.get("metrics")
    prometheus, signals = part.get("prometheus"), part.get("signals")
    if signals.entries and not prometheus.there:
        yield signals.wrong("there is nobody to ask for these signals", "add metrics.prometheus with its url")
    every = prometheus.get("every").read(units.duration)
    if every is not None and every < _SOONEST:
        yield prometheus.get("every").wrong("this asks without a pause", "write 1s or more, like 15s")
    stale = prometheus.get("stale_after").read(units.duration)
    pause = EVERY if every is None else every
    if prometheus.there and (60.0 if stale is None else stale) <= pause:
        key = "stale_after" if stale is not None else "every"
        what = "samples would be stale before the next ones come"
        yield prometheus.get(key).wrong(what, f"stale_after is longer than every, like {4 * pause:.0f}s")
