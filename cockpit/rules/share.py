"""The share gate: the traffic goes where the weights say, as far as the requests that were counted can tell."""

from __future__ import annotations

from datetime import datetime, timedelta

from cockpit.model.arch import Arch
from cockpit.model.playbook import Phase, Playbook, ShareCheck
from cockpit.model.snapshot import Snapshot
from cockpit.model.verdict import Evidence, Outcome, Verdict
from cockpit.rules.limits import with_sides
from cockpit.rules.signals import side, side_unknown
from cockpit.rules.traffic import REQUESTS, rate_window, traffic, wilson

NAME = "share"


def intended_share(playbook: Playbook, phase: Phase) -> float | None:
    """The target's share that holds in a phase: its own weights, or those of the last phase before it that set any."""
    share = None
    for step in playbook.phases:
        share = step.weights.share if step.weights else share
        if step.name == phase.name:
            return share
    return share


def judge_share(
    check: ShareCheck, intended: float | None, snapshot: Snapshot, playbook: Playbook, since: datetime | None = None
) -> Verdict:
    """PASS when the observed share is within `check.within` of the intended one (0 to 1, None: no phase sets weights).

    It is judged on the Wilson interval of the requests seen: while that reaches both in and out, nothing can be told. A rate that
    still reaches back before `since`, when the weights were set, cannot fail.
    """
    archs = (playbook.target.to_arch, playbook.target.from_arch)
    for arch in archs:
        if unknown := side_unknown(snapshot, playbook, REQUESTS, arch, NAME):
            return unknown
    seen = traffic(snapshot, playbook, intended)
    if intended is None:
        return Verdict(NAME, Outcome.ERROR, "no phase so far sets weights")
    if seen.observed is None:
        return Verdict(NAME, Outcome.NO_DATA, "no requests")
    span = rate_window(playbook)
    settled = since is None or min(snapshot.signals[REQUESTS, arch].samples[-1].time for arch in archs) >= since + _wait(span)
    observed, requests = seen.observed, (seen.rate or 0.0) * span
    outcome, words = _outcome(observed, requests, intended, check.within)
    if settled and since and outcome is Outcome.LOW_SAMPLES:
        observed, requests = _whole(snapshot, archs, since + _wait(span), span) or (observed, requests)
        outcome, words = _outcome(observed, requests, intended, check.within)
    elif outcome is Outcome.FAIL and not settled:
        outcome, words = Outcome.LOW_SAMPLES, f": settling, the rates still hold requests from before ({span:.0f} s)"
    centre, half = wilson(observed, requests)
    numbers = {"intended": intended, "observed": observed, "within": check.within, "margin": half, "requests": round(requests)}
    reason = f"observed {observed:.1%}, intended {intended:.0%} (within {check.within:.0%}){words}"
    sides = {str(arch): side(REQUESTS, arch, snapshot, playbook, since or snapshot.time) for arch in archs}
    evidence = Evidence(estimate=observed, interval=(centre - half, centre + half), level=0.95)
    return with_sides(Verdict(NAME, outcome, reason, numbers, evidence=evidence), sides)


def _wait(span: float) -> timedelta:
    return timedelta(seconds=span)


def _outcome(observed: float, requests: float, intended: float, within: float) -> tuple[Outcome, str]:
    """What the share's interval says, with what to add to the reason."""
    centre, half = wilson(observed, requests)
    low, high = centre - half - intended, centre + half - intended
    if low > within or high < -within:
        return Outcome.FAIL, ""
    if abs(observed - intended) <= within and max(high, -low) < 2 * within:
        return Outcome.PASS, ""
    return Outcome.LOW_SAMPLES, f": cannot tell yet, {centre - half:.1%}..{centre + half:.1%} on {requests:,.0f} requests"


def _whole(snapshot: Snapshot, archs: tuple[Arch, Arch], start: datetime, span: float) -> tuple[float, float] | None:
    """The share over all samples from `start` on, and how many requests they stand for; None without any."""
    series = [snapshot.signals[REQUESTS, arch].since(start) for arch in archs]
    if not all(series):
        return None
    here, there = (sum(s.value for s in samples) / len(samples) for samples in series)
    seconds = min((samples[-1].time - samples[0].time).total_seconds() for samples in series) + span
    return (here / (here + there), (here + there) * seconds) if here + there > 0 else None
