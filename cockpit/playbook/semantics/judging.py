"""Gates and abort triggers: what they look at exists, limits are in its unit, and no trigger fires where its gate passes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from cockpit.model.finding import FindingKind
from cockpit.model.json import Json
from cockpit.model.series import LONGEST_WINDOW
from cockpit.model.signal import Unit
from cockpit.playbook import units
from cockpit.playbook.issue import Wrong, listed, quoted, show
from cockpit.playbook.semantics.metrics import spacing
from cockpit.playbook.semantics.signals import unit_of
from cockpit.playbook.view import Finding, View

REQUESTS = "requests"
"""The signal that gives the observed share of traffic."""
LONGEST_SECONDS = LONGEST_WINDOW.total_seconds()
_LIMITS = ("max", "min")
_NO_AGENTS = (("agents",), "the playbook lists no agents", "list the DaemonSets in agents, or remove this")
_LOOKS_AT: Mapping[str, tuple[tuple[str, ...], str, str]] = {
    FindingKind.AGENT_MISSING: _NO_AGENTS,
    FindingKind.AGENT_CRASH_LOOP: _NO_AGENTS,
    FindingKind.NO_HEALTHY_TARGETS: (("traffic", "alb"), "there is no traffic.alb", "add traffic.alb, or remove this"),
}
"""Symptoms of something that the playbook must name first: where, what is missing, what to do."""


def judging(root: View) -> Iterator[Finding]:
    """Checks of all gates and abort triggers."""
    owners = [root.get("defaults"), *root.get("phases").items]
    for owner in owners:
        for check in (*owner.get("gates").items, *owner.get("abort").items):
            yield from _check(root, check)
    for phase in root.get("phases").items:
        gates, aborts = (_effective(root, phase, key) for key in ("gates", "abort"))
        for gate in gates:
            yield from _too_many(root, phase, gate)
        for abort in aborts:
            yield from _never(phase, abort)
            for gate in gates:
                yield from _inside(root, gate, abort)


def _effective(root: View, phase: View, key: str) -> tuple[View, ...]:
    own = phase.get(key)
    return own.items if own.there else root.get("defaults", key).items


def _check(root: View, check: View) -> Iterator[Finding]:
    if check.has("signal"):
        yield from _signal(root, check)
    elif check.has("agents"):
        if not root.get("agents").there or root.get("agents").value == []:
            yield check.get("agents").wrong("the playbook lists no agents", "list the DaemonSets in agents, or remove this")
    elif check.has("finding"):
        yield from _finding(root, check.get("finding"))
    elif check.has("share") and "gates" in check.path:
        yield from _share(root, check.get("share"))


def _signal(root: View, check: View) -> Iterator[Finding]:
    name = check.get("signal")
    known = [key for key, _ in root.get("metrics", "signals").entries]
    if name.text is not None and name.text not in known:
        right = f"the signals are {listed(known, 'and')}" if known else "define it in metrics.signals"
        yield name.wrong(f"the signal {quoted(name.text)} is not defined", right)
    if not any(check.get(key).there for key in (*_LIMITS, "max_drift")):
        yield check.wrong("the signal has no limit here", "add max, min or max_drift, like max_drift: 4%")
    unit = _unit(root, name)
    for limit in (check.get(key) for key in _LIMITS):
        if limit.there and unit is not None:
            try:
                units.limit(limit.value, unit)
            except Wrong as wrong:
                yield limit.wrong(wrong.what, wrong.right)
    most, least = (_limit(check, key, unit) for key in _LIMITS)
    if most is not None and least is not None and least > most:
        yield check.get("min").wrong("min is above max: no value could be right", "exchange them")


def _finding(root: View, finding: View) -> Iterator[Finding]:
    part, what, right = _LOOKS_AT.get(finding.text or "", ((), "", ""))
    if part and not root.get(*part).value:
        yield finding.wrong(f"this can never be found: {what}", right)


def _share(root: View, share: View) -> Iterator[Finding]:
    requests = root.get("metrics", "signals", REQUESTS)
    if not requests.there:
        what = f"the observed share is taken from the signal {REQUESTS}, which is not defined"
        yield share.wrong(what, f"define metrics.signals.{REQUESTS} with unit: requests_per_second")
    elif unit_of(root, REQUESTS) not in (None, Unit.REQUESTS_PER_SECOND):
        what = f"the observed share is taken from the signal {REQUESTS}, which is not in {Unit.REQUESTS_PER_SECOND}"
        yield share.wrong(what, f"write unit: requests_per_second in metrics.signals.{REQUESTS}")
    if not root.get("traffic", "alb").there:
        yield share.wrong("without traffic.alb no share is intended", "remove this gate, or add traffic.alb")


def _too_many(root: View, phase: View, gate: View) -> Iterator[Finding]:
    """More samples are wanted than the soak (or what is kept of a longer one) gives. A single one may come after it."""
    wanted, soak = gate.get("min_samples").whole, phase.get("soak").read(units.duration)
    if wanted is None or wanted <= 1 or soak is None:
        return
    every = spacing(root, gate.get("signal").text or "")
    given = max(1, int(min(soak, LONGEST_SECONDS) // every))
    if wanted <= given:
        return
    bound, right = f"the soak of {show(phase.path)} ({phase.get('soak').text})", f"write {given} or less, or soak longer"
    if soak >= LONGEST_SECONDS:
        bound, right = "samples are kept (24h)", f"write {given} or less"
    what = f"{wanted} samples, one every {every:.0f}s, take longer than {bound}"
    yield gate.get("min_samples").wrong(what, right)


def _never(phase: View, abort: View) -> Iterator[Finding]:
    lasting, soak = abort.get("for").read(units.duration), phase.get("soak").read(units.duration)
    if lasting is not None and lasting > LONGEST_SECONDS:
        what = f"{quoted(abort.get('for').text)[1:-1]} is longer than samples are kept"
        yield abort.get("for").wrong(what, "the trigger could never fire: write at most 24h")
    elif lasting is not None and soak is not None and lasting > soak:
        what = f"{quoted(abort.get('for').text)[1:-1]} is longer than the soak of {show(phase.path)} ({phase.get('soak').text})"
        yield abort.get("for").wrong(what, "the trigger could not fire in time: shorten it, or soak longer")


def _inside(root: View, gate: View, abort: View) -> Iterator[Finding]:
    """The trigger's limit lies on the good side of the gate's: it would abort what the gate lets pass."""
    name = abort.get("signal")
    if name.text is None or gate.get("signal").text != name.text:
        return
    unit = _unit(root, name)
    for key, sign, words in (("max", 1, "up to"), ("min", -1, "down to"), ("max_drift", 1, "up to")):
        fires, passes = (_limit(check, key, unit) for check in (abort, gate))
        if fires is not None and passes is not None and sign * fires < sign * passes:
            shown = quoted(gate.get(key).value).strip('"')
            what = f"this aborts what the gate on {name.text} ({show(gate.path)}) lets pass {words} {shown}"
            yield abort.get(key).wrong(what, f"write {shown} or a looser limit, or make the gate stricter")


def _limit(check: View, key: str, unit: Unit | None) -> float | None:
    reader: Callable[[Json], float] = units.percent
    if key in _LIMITS:
        if unit is None:
            return None
        reader = _in(unit)
    return check.get(key).read(reader)


def _in(unit: Unit) -> Callable[[Json], float]:
    return lambda value: units.limit(value, unit)


def _unit(root: View, name: View) -> Unit | None:
    return unit_of(root, name.text or "")
