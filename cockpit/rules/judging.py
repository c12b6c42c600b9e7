"""Gates and abort triggers of a phase -> verdicts. Only PASS promotes, only FAIL aborts, everything else holds and says why."""

from __future__ import annotations

from datetime import datetime

from cockpit.model.playbook import AgentsCheck, Check, NativeCheck, Phase, Playbook, ShareCheck, SignalCheck
from cockpit.model.snapshot import Snapshot, SourceName
from cockpit.model.verdict import Outcome, Verdict
from cockpit.rules.agents import AgentHealth, health
from cockpit.rules.freshness import blind
from cockpit.rules.nodes import pods_of
from cockpit.rules.readiness import readiness
from cockpit.rules.signals import judge_abort, judge_gate, side_unknown
from cockpit.rules.traffic import REQUESTS, traffic

AGENT_SOURCES = (SourceName.NODES, SourceName.PODS, SourceName.DAEMONSETS)
WRONG_BINARY = "exec format error"


def gates(phase: Phase, snapshot: Snapshot, playbook: Playbook, since: datetime) -> tuple[Verdict, ...]:
    """One verdict for each gate, on what was seen from `since` (the phase was proven) on."""
    return tuple(_gate(check, phase, snapshot, playbook, since) for check in phase.gates)


def aborts(phase: Phase, snapshot: Snapshot, playbook: Playbook, since: datetime) -> tuple[Verdict, ...]:
    """One verdict for each abort trigger; FAIL means that it fires."""
    return tuple(_abort(check, phase, snapshot, playbook, since) for check in phase.abort)


def _gate(check: Check, phase: Phase, snapshot: Snapshot, playbook: Playbook, since: datetime) -> Verdict:
    if isinstance(check, SignalCheck):
        return judge_gate(check, snapshot, playbook, since)
    return _state_check(check, phase, snapshot, playbook)


def _abort(check: Check, phase: Phase, snapshot: Snapshot, playbook: Playbook, since: datetime) -> Verdict:
    if isinstance(check, SignalCheck):
        return judge_abort(check, snapshot, playbook, since)
    return _state_check(check, phase, snapshot, playbook)


def _state_check(check: Check, phase: Phase, snapshot: Snapshot, playbook: Playbook) -> Verdict:
    if isinstance(check, AgentsCheck):
        return _agents(check, snapshot, playbook)
    if isinstance(check, ShareCheck):
        return _share(check, intended_share(playbook, phase), snapshot, playbook)
    if isinstance(check, NativeCheck):
        return _native(snapshot, playbook)
    return readiness(snapshot, playbook).verdict


def intended_share(playbook: Playbook, phase: Phase) -> float | None:
    """The target's share that holds in a phase: its own weights, or those of the last phase before it that set any."""
    share = None
    for step in playbook.phases:
        share = step.weights.share if step.weights else share
        if step.name == phase.name:
            return share
    return share


def _agents(check: AgentsCheck, snapshot: Snapshot, playbook: Playbook) -> Verdict:
    name = f"agents {'ready' if check.agents == 'ready' else 'crash loop'}"
    if unknown := blind(snapshot, AGENT_SOURCES, name):
        return unknown
    found = health(snapshot, playbook.agents, playbook.target.to_arch)
    sick = [h for h in found if (h.crash_looping if check.agents == "crash_loop" else not h.healthy)]
    if sick:
        return Verdict(name, Outcome.FAIL, "; ".join(_ailment(h) for h in sick))
    if not found or not found[0].nodes:
        return Verdict(name, Outcome.NO_DATA, f"no Ready {playbook.target.to_arch} node")
    return Verdict(name, Outcome.PASS, f"{len(found)} agents on {found[0].nodes} {playbook.target.to_arch} nodes")


def _ailment(agent: AgentHealth) -> str:
    name = agent.agent.name
    if not agent.exists:
        return f"{name}: no such DaemonSet"
    if agent.crash_looping:
        return f"{name}: crash loop ({agent.crash_looping[0]})"
    if agent.missing:
        return f"{name}: {len(agent.missing)} of {agent.nodes} nodes without it ({agent.missing[0][0]}: {agent.missing[0][1]})"
    return f"{name}: image is not the certified one"


def _share(check: ShareCheck, intended: float | None, snapshot: Snapshot, playbook: Playbook) -> Verdict:
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


def _native(snapshot: Snapshot, playbook: Playbook) -> Verdict:
    """A wrong binary's crash is proof against; proof for needs the images' own architecture, which nothing here reads yet."""
    ref = playbook.target.canary or playbook.target.baseline
    if unknown := blind(snapshot, [SourceName.PODS, SourceName.DEPLOYMENTS], "native"):
        return unknown
    wrong = [p.name for p in pods_of(snapshot, ref) if any(WRONG_BINARY in c.message for c in p.containers)]
    if wrong:
        return Verdict("native", Outcome.FAIL, f"{WRONG_BINARY}: {wrong[0]}")
    return Verdict("native", Outcome.NO_DATA, "the images' architecture has not been read from their registry")
