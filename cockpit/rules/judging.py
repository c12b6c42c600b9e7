"""Gates and abort triggers of a phase -> verdicts. Only PASS promotes, only FAIL aborts, everything else holds and says why."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from cockpit.model.playbook import AgentsCheck, Check, FindingCheck, NativeCheck, Phase, Playbook, ShareCheck, SignalCheck
from cockpit.model.snapshot import Snapshot
from cockpit.model.verdict import Outcome, Verdict
from cockpit.rules.agents import judge_agents
from cockpit.rules.matrix import judge_finding
from cockpit.rules.native import judge_native
from cockpit.rules.readiness import readiness
from cockpit.rules.share import intended_share, judge_share
from cockpit.rules.signals import judge_abort, judge_gate, label


def gates(phase: Phase, snapshot: Snapshot, playbook: Playbook, since: datetime) -> tuple[Verdict, ...]:
    """One verdict for each gate, on what was seen from `since` (the phase was proven) on."""
    return tuple(_judge(judge_gate, check, phase, snapshot, playbook, since) for check in phase.gates)


def aborts(phase: Phase, snapshot: Snapshot, playbook: Playbook, since: datetime) -> tuple[Verdict, ...]:
    """One verdict for each abort trigger; FAIL means that it fires."""
    return tuple(_judge(judge_abort, check, phase, snapshot, playbook, since) for check in phase.abort)


_SignalJudge = Callable[[SignalCheck, Snapshot, Playbook, datetime], Verdict]


def _judge(
    of_signals: _SignalJudge, check: Check, phase: Phase, snapshot: Snapshot, playbook: Playbook, since: datetime
) -> Verdict:
    try:
        if isinstance(check, SignalCheck):
            return of_signals(check, snapshot, playbook, since)
        return _state_check(check, phase, snapshot, playbook, since)
    except (ArithmeticError, ValueError) as error:
        # Figures that no sum was made for must not keep the other triggers from being judged.
        return Verdict(_name(check), Outcome.ERROR, f"cannot be judged ({type(error).__name__}: {error})")


def _name(check: Check) -> str:
    return label(check) if isinstance(check, SignalCheck) else type(check).__name__.removesuffix("Check").lower()


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
