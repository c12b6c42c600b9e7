"""Where signals come from, and how often."""

from __future__ import annotations

from collections.abc import Iterator

from cockpit.playbook import units
from cockpit.playbook.semantics.signals import is_cloudwatch, signals
from cockpit.playbook.view import Finding, View

EVERY = 15.0
"""Seconds between samples where the playbook does not say it."""
MINUTE = 60.0
"""Seconds between CloudWatch's data points of a load balancer."""
_SOONEST = 1.0
_LATE = 180.0
"""Seconds: a data point's minute began so long ago before it can be read at all."""


def metrics(root: View) -> Iterator[Finding]:
    """Checks of `metrics`: a source for the signals, and samples that can be fresh."""
    yield from _prometheus(root.get("metrics", "prometheus"))
    yield from _cloudwatch(root, root.get("metrics", "cloudwatch"))
    yield from signals(root)


def spacing(root: View, signal: str) -> float:
    """Seconds between the samples of a signal."""
    if is_cloudwatch(root.get("metrics", "signals", signal)):
        return root.get("metrics", "cloudwatch", "every").read(units.duration) or MINUTE
    return root.get("metrics", "prometheus", "every").read(units.duration) or EVERY


def _prometheus(part: View) -> Iterator[Finding]:
    every = part.get("every").read(units.duration)
    if every is not None and every < _SOONEST:
        yield part.get("every").wrong("this asks without a pause", "write 1s or more, like 15s")
    stale = part.get("stale_after").read(units.duration)
    pause = EVERY if every is None else every
    if part.there and (60.0 if stale is None else stale) <= pause:
        key = "stale_after" if stale is not None else "every"
        what = "samples would be stale before the next ones come"
        yield part.get(key).wrong(what, f"stale_after is longer than every, like {4 * pause:.0f}s")


def _cloudwatch(root: View, part: View) -> Iterator[Finding]:
    if not isinstance(part.value, dict):
        return
    alb = root.get("traffic", "alb")
    if not alb.there:
        yield part.wrong("CloudWatch is asked about the load balancer, and there is none", "add traffic.alb")
    region = part.get("region")
    if region.text and alb.get("region").text and region.text != alb.get("region").text:
        what = f"the load balancer is in {alb.get('region').text}, and its metrics are there too"
        yield region.wrong(what, f"write {alb.get('region').text}, or leave region out")
    yield from _pace(part)
    yield from _balancer(alb, part.get("load_balancer"))


def _pace(part: View) -> Iterator[Finding]:
    every, stale = part.get("every").read(units.duration), part.get("stale_after").read(units.duration)
    if every is not None and every < MINUTE:
        yield part.get("every").wrong("CloudWatch has one data point a minute", "write 60s or more")
    least = max(_LATE, (every or MINUTE) + 2 * MINUTE)
    if (300.0 if stale is None else stale) < least:
        key = "stale_after" if stale is not None else "every"
        what = "data points would be stale before they can be read: they come a minute or two after their minute's end"
        yield part.get(key).wrong(what, f"stale_after is {least:.0f}s or more here, like 5m")


def balancers(alb: View) -> list[str]:
    """The load balancers that the ARNs of listeners and rules name, as CloudWatch does: `app/payments/50dc6c495c0c9188`."""
    arns = [item.text for key in ("listeners", "rules") for item in alb.get(key).items if item.text]
    found = ["/".join(arn.split("/")[1:4]) for arn in arns if arn.count("/") >= 4]
    return list(dict.fromkeys(found))


def _balancer(alb: View, given: View) -> Iterator[Finding]:
    known = balancers(alb)
    if given.text and known and given.text not in known:
        yield given.wrong(f"the ARNs of traffic.alb are of {known[0]}", f"write {known[0]}, or leave load_balancer out")
    elif not given.there and not known and alb.get("ingress").there:
        what = "traffic.alb names no rule that would tell which load balancer it is"
        yield given.wrong(what, "write load_balancer: with the end of its ARN, like app/payments/50dc6c495c0c9188")
    elif not given.there and len(known) > 1:
        what = f"traffic.alb moves several load balancers ({', '.join(known)})"
        yield given.wrong(what, f"write load_balancer: with the one that serves the traffic, like {known[0]}")
