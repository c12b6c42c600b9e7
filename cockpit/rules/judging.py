"""Gates and abort triggers of a phase -> verdicts. Only PASS promotes, only FAIL aborts, everything else holds and says why."""

from __future__ import annotations

from datetime import datetime

from cockpit.model.playbook import AgentsCheck, Check, FindingCheck, NativeCheck, Phase, Playbook, ShareCheck, SignalCheck
from cockpit.model.snapshot import Snapshot
from cockpit.model.verdict import Verdict
from cockpit.rules.agents import judge_agents
from cockpit.rules.matrix import judge_finding
from cockpit.rules.native import judge_native
from cockpit.rules.readiness import readiness
from cockpit.rules.share import intended_share, judge_share
from cockpit.rules.signals import judge_abort, judge_gate


def gates(phase: Phase, snapshot: Snapshot, playbook: Playbook, since: datetime) -> tuple[Verdict, ...]:
    """One verdict for each gate, on what was seen from `since` (the phase was proven) on."""
    return tuple(_gate(check, phase, snapshot, playbook, since) for check in phase.gates)


def aborts(phase: Phase, snapshot: Snapshot, playbook: Playbook, since: datetime) -> tuple[Verdict, ...]:
    """One verdict for each abort trigger; FAIL means that it fires."""
    return tuple(_abort(check, phase, snapshot, playbook, since) for check in phase.abort)


def _gate(check: Check, phase: Phase, snapshot: Snapshot, playbook: Playbook, since: datetime) -> Verdict:
    if isinstance(check, SignalCheck):
        return judge_gate(check, snapshot, playbook, since)
    return _state_check(check, phase, snapshot, playbook, since)


def _abort(check: Check, phase: Phase, snapshot: Snapshot, playbook: Playbook, since: datetime) -> Verdict:
    if isinstance(check, SignalCheck):
        return judge_abort(check, snapshot, playbook, since)
    return _state_check(check, phase, snapshot, playbook, since)


def _state_check(check: Check, phase: Phase, snapshot: Snapshot, playbook: Playbook, since: datetime) -> Verdict:
    if isinstance(check, AgentsCheck):
        return judge_agents(check, snapshot, playbook)
    if isinstance(check, ShareCheck):
        return judge_share(check, intended_share(playbook, phase), snapshot, playbook, since)
    if isinstance(check, NativeCheck):
        return judge_native(check, snapshot, playbook, since)
    if isinstance(check, FindingCheck):
        return judge_finding(check, snapshot, playbook)
    return readiness(snapshot, playbook).verdict
