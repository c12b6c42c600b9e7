"""The share gate: the traffic goes where the weights say."""

from __future__ import annotations

from cockpit.model.playbook import Phase, Playbook, ShareCheck
from cockpit.model.snapshot import Snapshot
from cockpit.model.verdict import Outcome, Verdict
from cockpit.rules.signals import side_unknown
from cockpit.rules.traffic import REQUESTS, traffic


def intended_share(playbook: Playbook, phase: Phase) -> float | None:
    """The target's share that holds in a phase: its own weights, or those of the last phase before it that set any."""
    share = None
    for step in playbook.phases:
        share = step.weights.share if step.weights else share
        if step.name == phase.name:
            return share
    return share


def judge_share(check: ShareCheck, intended: float | None, snapshot: Snapshot, playbook: Playbook) -> Verdict:
    """PASS when the observed share is within `check.within` of the intended one (0 to 1, None: no phase sets weights)."""
    name = "share"
    for arch in (playbook.target.to_arch, playbook.target.from_arch):
        if unknown := side_unknown(snapshot, playbook, REQUESTS, arch, name):
            return unknown
    seen = traffic(snapshot, playbook, intended)
    if intended is None:
        return Verdict(name, Outcome.ERROR, "no phase so far sets weights")
    if seen.observed is None:
        return Verdict(name, Outcome.NO_DATA, "no requests")
    numbers = {"intended": intended, "observed": seen.observed, "within": check.within, "margin": seen.margin or 0.0}
    off = abs(seen.observed - intended)
    words = f"observed {seen.observed:.1%}, intended {intended:.0%} (within {check.within:.0%})"
    return Verdict(name, Outcome.PASS if off <= check.within else Outcome.FAIL, words, numbers)
