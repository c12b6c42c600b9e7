"""A finding as an abort trigger: `{finding: exec_format}`."""

from __future__ import annotations

from cockpit.model.arch import Arch
from cockpit.model.finding import Finding
from cockpit.model.playbook import FindingCheck, Playbook
from cockpit.model.snapshot import Snapshot
from cockpit.model.verdict import Outcome, Verdict
from cockpit.rules.freshness import blind
from cockpit.rules.matrix.look import State, look
from cockpit.rules.matrix.registry import BY_KIND


def judge_finding(check: FindingCheck, snapshot: Snapshot, playbook: Playbook) -> Verdict:
    """FAIL (the trigger fires) when it is found on the side that is moved to: only that one is left by going back.

    What is found elsewhere, and what a detector cannot see, never fires and never passes.
    """
    name, seen = f"finding {check.kind}", look(snapshot, playbook)
    found = [f for f in seen.findings if f.kind is check.kind]
    there = [f for f in found if f.side is playbook.target.to_arch]
    if there:
        reason = f"{_told(there[0])}; {there[0].rollback}"
        return Verdict(name, Outcome.FAIL, reason, {"count": float(sum(f.count for f in there))})
    if found:
        return Verdict(name, Outcome.NO_DATA, f"{_told(found[0])}; {_elsewhere(found[0].side)}, so this is no trigger")
    row = seen.row(check.kind)
    if row.state is State.CLEAR:
        return Verdict(name, Outcome.PASS, "not found")
    detector = BY_KIND[check.kind]
    unknown = None if row.state is State.ABSENT else blind(snapshot, (*detector.needs, *detector.helps), name)
    return unknown or Verdict(name, Outcome.NO_DATA, row.why)


def _told(of: Finding) -> str:
    others = f" and {len(of.objects) - 1} more" if len(of.objects) > 1 else ""
    return f"{of.title}: {of.objects[0]}{others}: {of.message}"


def _elsewhere(side: Arch | None) -> str:
    return f"it is on {side}, where a rollback would go" if side else "it is on no one side, and a rollback would not leave it"
