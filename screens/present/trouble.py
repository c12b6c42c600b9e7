"""What stands against the run, in the words that the status line, the rail and the panels share."""

from __future__ import annotations

from cockpit.model.playbook import OnAbort
from cockpit.model.snapshot import SourceName
from cockpit.model.verdict import Outcome, Verdict
from cockpit.rules.nodes import ArchFacts
from cockpit.rules.traffic import REQUESTS, rate_window
from cockpit.run.frame import Frame
from cockpit.run.state import Stage
from screens.present.sources import known
from screens.present.words import percent

DRAINED = 0.005
"""A share that is as good as none."""
LEFT = 0.02
"""A share that sticky sessions alone hardly keep once the rates have settled."""


def way_back(frame: Frame) -> str:
    """Why the way back is not ready, its nodes by what keeps pods off them; empty when it is ready or not known."""
    verdict, home = frame.readiness.verdict, frame.playbook.target.from_arch
    if verdict.outcome is not Outcome.FAIL:
        return ""
    if not all_cordoned(frame.nodes.archs.get(home)):
        return verdict.reason
    count = frame.nodes.archs[home].cordoned
    told = (f"no {home} node is ready", "room for 0 pods")
    others = [fault for fault in verdict.reason.split("; ") if not fault.startswith(told)]
    homeless = [f"no room for {frame.readiness.needed} pods"] if frame.readiness.needed else []
    return "; ".join([f"{count} of {count} {home} nodes cordoned", *homeless, *others])


def all_cordoned(facts: ArchFacts | None) -> bool:
    """There are nodes and none of them takes a new pod."""
    return facts is not None and 0 < facts.cordoned == facts.ready + facts.not_ready


def failing(frame: Frame) -> list[Verdict]:
    """The gates that FAIL, in the playbook's order. Waiting does not help them."""
    return [v for v in frame.gates if v.outcome is Outcome.FAIL]


def breaching(frame: Frame) -> Verdict | None:
    """The abort trigger under way that is nearest to firing: its limit is broken, but not yet for as long as it takes."""
    found = [v for v in frame.aborts if breach(v)]
    return max(found, key=lambda v: v.numbers["lasted"] / v.numbers["for_seconds"], default=None)


def breach(of: Verdict) -> str:
    """`BREACHING 75/120 s` of an abort trigger under way, else empty."""
    if of.outcome is not Outcome.LOW_SAMPLES or not of.numbers.get("for_seconds") or "lasted" not in of.numbers:
        return ""
    return f"BREACHING {of.numbers['lasted']:.0f}/{of.numbers['for_seconds']:.0f} s"


def once(of: Verdict) -> str:
    """The reason without the time, which the words beside it say already."""
    return of.reason.rpartition(", for ")[0] or of.reason


def then(frame: Frame) -> str:
    """What an abort trigger does once it fires."""
    phase = frame.state.current(frame.playbook)
    back = phase is not None and phase.on_abort is OnAbort.ROLLBACK and not way_back(frame)
    return "then rolls back" if back and not frame.identity.read_only else "then holds"


def cause(frame: Frame) -> str:
    """`likely cause: Emulated (m)`: what had been found when the rollback began, or is found now; empty when nothing."""
    titles = frame.judged.found if frame.judged else tuple(f.title for f in frame.matrix.findings)
    return f"likely cause: {titles[0]} (m)" if titles else ""


def unreturned(frame: Frame) -> str:
    """What does not follow a rollback that is written and read back: traffic past its settling, pods; empty when all does."""
    if frame.state.stage is not Stage.ROLLED_BACK:
        return ""
    target = frame.playbook.target
    pods = [f"0 pods ready on {target.from_arch}"] if _no_pods(frame) else []
    seen = still_seen(frame)
    late = seen > LEFT and not settling(frame)
    traffic = [f"{percent(seen, 0)} still on {target.to_arch}"] if late or (seen and pods) else []
    head = "WEIGHTS BACK" if frame.playbook.alb else "PLACEMENT BACK"
    return f"{head}, {'TRAFFIC' if traffic else 'PODS'} NOT: {', '.join([*traffic, *pods])}" if traffic or pods else ""


def still_seen(frame: Frame) -> float:
    """The share of the traffic that is seen on the new architecture beyond what is configured now; 0 when none or not known."""
    seen = frame.traffic.observed
    if seen is None:
        return 0.0
    expected = frame.traffic.configured_share or 0.0
    return seen if seen - expected > max(DRAINED, frame.traffic.margin or 0.0) else 0.0


def settling(frame: Frame) -> bool:
    """The rates may still hold requests from before the run ended."""
    since, cadence = frame.state.stage_at, frame.playbook.freshness_of(REQUESTS)
    if since is None or cadence is None:
        return False
    return (frame.snapshot.time - since).total_seconds() < rate_window(frame.playbook) + 2 * cadence.every


def _no_pods(frame: Frame) -> bool:
    """None of the workloads' pods is ready where the traffic is meant to go, though some are wanted."""
    if not known(frame.snapshot, SourceName.PODS, SourceName.NODES, SourceName.DEPLOYMENTS):
        return False
    ref = frame.playbook.target.baseline
    wanted = frame.snapshot.deployments.get(f"{ref.namespace}/{ref.name}")
    facts = frame.nodes.archs.get(frame.playbook.target.from_arch)
    return wanted is not None and wanted.replicas > 0 and (facts is None or not facts.pods_ready)
