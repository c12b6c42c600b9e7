"""The native gate: nothing emulated, nothing crashing with a wrong binary."""

from __future__ import annotations

from cockpit.model.playbook import Playbook
from cockpit.model.snapshot import Snapshot, SourceName
from cockpit.model.verdict import Outcome, Verdict
from cockpit.rules.freshness import blind
from cockpit.rules.nodes import pods_of

WRONG_BINARY = "exec format error"


def judge_native(snapshot: Snapshot, playbook: Playbook) -> Verdict:
    """A wrong binary's crash is proof against; proof for needs the images' own architecture, which nothing here reads yet."""
    ref = playbook.target.canary or playbook.target.baseline
    if unknown := blind(snapshot, [SourceName.PODS, SourceName.DEPLOYMENTS], "native"):
        return unknown
    wrong = [p.name for p in pods_of(snapshot, ref) if any(WRONG_BINARY in c.message for c in p.containers)]
    if wrong:
        return Verdict("native", Outcome.FAIL, f"{WRONG_BINARY}: {wrong[0]}")
    return Verdict("native", Outcome.NO_DATA, "the images' architecture has not been read from their registry")
