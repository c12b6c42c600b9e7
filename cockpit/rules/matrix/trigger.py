"""A finding as an abort trigger: `{finding: exec_format}`."""

from __future__ import annotations

from cockpit.model.playbook import FindingCheck, Playbook
from cockpit.model.snapshot import Snapshot
from cockpit.model.verdict import Outcome, Verdict
from cockpit.rules.freshness import blind
from cockpit.rules.matrix.look import look
from cockpit.rules.matrix.registry import BY_KIND


def judge_finding(check: FindingCheck, snapshot: Snapshot, playbook: Playbook) -> Verdict:
    """FAIL (the trigger fires) when it is found; what a detector cannot see never fires and never passes."""
    name = f"finding {check.kind}"
    found = [f for f in look(snapshot, playbook).findings if f.kind is check.kind]
    if found:
        first = found[0]
        others = f" and {len(first.objects) - 1} more" if len(first.objects) > 1 else ""
        reason = f"{first.title}: {first.objects[0]}{others}: {first.message}; {first.rollback}"
        return Verdict(name, Outcome.FAIL, reason, {"count": float(sum(f.count for f in found))})
    detector = BY_KIND[check.kind]
    if why := detector.absent(playbook):
        return Verdict(name, Outcome.NO_DATA, why)
    if unknown := blind(snapshot, (*detector.needs, *detector.helps), name):
        return unknown
    return Verdict(name, Outcome.PASS, "not found")
