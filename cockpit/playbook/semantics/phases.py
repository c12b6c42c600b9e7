"""Phases: their names, what each sets, and that the share of the traffic only rises from a small beginning."""

from __future__ import annotations

from collections.abc import Iterator

from cockpit.playbook import units
from cockpit.playbook.issue import quoted, show
from cockpit.playbook.semantics.target import repeated
from cockpit.playbook.view import Finding, View

FIRST_SHARE = 0.10
"""The most that the first shift of traffic may give to the new architecture."""


def phases(root: View) -> Iterator[Finding]:
    """Checks of `phases`."""
    items = root.get("phases").items
    yield from repeated([phase.get("name") for phase in items], "give each phase a name of its own")
    for phase in items:
        levers = phase.get("set")
        if isinstance(levers.value, dict) and all(value is None for value in levers.value.values()):
            yield levers.wrong("the phase sets nothing", "set weights, affinity or both")
        yield from _soak(root, phase)
        yield from _affinity(root, levers.get("affinity"))
    yield from _weights(root, [phase.get("set", "weights") for phase in items])


def _soak(root: View, phase: View) -> Iterator[Finding]:
    context = root.get("target", "context").text or ""
    if "prod" in context.lower() and phase.get("soak").read(units.duration) == 0:
        what = f"a soak of 0 on what looks like production (target.context is {quoted(context)})"
        yield phase.get("soak").wrong(what, "give the gates time to see something, like 15m")


def _affinity(root: View, affinity: View) -> Iterator[Finding]:
    workload = affinity.get("workload")
    workloads = root.get("target", "workloads")
    if workload.text == "canary" and isinstance(workloads.value, dict) and not workloads.get("canary").there:
        yield workload.wrong("target.workloads has no canary", "add it there, or write baseline")
    if affinity.get("weight").there and affinity.get("mode").text in ("required", "none"):
        what = f"a weight means nothing to the mode {affinity.get('mode').text}"
        yield affinity.get("weight").wrong(what, "remove it, or write mode: preferred")


def _weights(root: View, all_weights: list[View]) -> Iterator[Finding]:
    goal = _goal(root)
    before: tuple[float, View] | None = None
    for weights in all_weights:
        if not weights.there:
            continue
        if not root.get("traffic", "alb").there:
            yield weights.wrong("there is no load balancer to set weights on", "add traffic.alb, or set affinity instead")
        share = _share(weights, goal)
        if share == 0 and weights.get(goal).whole == _total(weights) == 0:
            yield weights.wrong("all weights are 0: the load balancer would serve nobody", "give at least one of them a weight")
            continue
        if share is None or goal == (root.get("target", "from").text or "amd64"):
            continue
        if before is None and share > FIRST_SHARE:
            what = f"the first shift gives {goal} {_percent(share)} of the traffic"
            yield weights.wrong(what, "begin with 10% or less, like {arm64: 5, amd64: 95}")
        if before is not None and share < before[0]:
            what = f"the share of {goal} goes down, from {_percent(before[0])} in {show(before[1].path[:2])} to {_percent(share)}"
            yield weights.wrong(what, "let it only rise: going back is what a rollback does")
        before = (share, weights)


def _goal(root: View) -> str:
    return "amd64" if root.get("target", "to").text == "amd64" else "arm64"


def _total(weights: View) -> int | None:
    values = [weights.get(arch).whole for arch in ("amd64", "arm64")]
    return sum(v for v in values if v is not None) if None not in values else None


def _share(weights: View, goal: str) -> float | None:
    """The share of `goal`, 0 when all weights are 0, None when one of them is no weight."""
    part, total = weights.get(goal).whole, _total(weights)
    if part is None or total is None or min(part, total - part) < 0:
        return None
    return part / total if total else 0.0


def _percent(share: float) -> str:
    return f"{share * 100:.4g}%"
