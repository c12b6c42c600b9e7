"""Instance classes of managed services: on Graviton already, or with an equivalent that can be ordered."""

from __future__ import annotations

from dataclasses import dataclass

from cockpit.model.audit import Mark
from cockpit.model.surfaces import Surface
from cockpit.rules.portability.aws.graviton import equivalents, is_graviton, parse
from cockpit.rules.portability.aws.verdict import Verdict

_HOW = {
    Surface.RDS: "modify the class (a failover), after a rehearsal on a clone or a blue/green deployment",
    Surface.ELASTICACHE: "change the node type, after a trial with real key and value sizes",
    Surface.OPENSEARCH: "change the instance type (a blue/green update: watch the shards)",
    Surface.MSK: "change the broker type (brokers restart one by one)",
}


@dataclass(frozen=True, slots=True)
class Orderable:
    """What the service says of the candidates: the `found` one, newest first; `why` none was, and what to do (`remedy`)."""

    found: str = ""
    why: str = ""
    remedy: str = ""
    can_be_asked: bool = True
    """False where the service has no API that says what can be ordered."""


def needs_asking(surface: Surface, class_: str) -> tuple[str, ...]:
    """The classes to ask the service about: none for one that is on Graviton already or has no equivalent."""
    parts = parse(class_)
    return () if parts is None or is_graviton(parts.family) else equivalents(surface, class_)


def judge_class(surface: Surface, class_: str, engine: str, order: Orderable | None) -> Verdict:
    """The verdict on a class. `engine` is its software with its version, in words; `order` what was asked, None for nothing."""
    parts = parse(class_)
    if class_.endswith("serverless"):
        return Verdict(Mark.PASS, f"{class_}: AWS chooses the processor; {engine}")
    if parts is None:
        return Verdict(Mark.UNKNOWN, f"{class_ or 'no class'}: not a class that is known; {engine}", "look it up in its console")
    if is_graviton(parts.family):
        return Verdict(Mark.PASS, f"{class_}: Graviton; {engine}", serves=None)
    if order is None or not equivalents(surface, class_):
        status = f"{class_}: x86, and no Graviton class of this kind is offered by the service; {engine}"
        return Verdict(Mark.FIX, status, "choose another profile (m or r), or keep it on x86 and waive it")
    return _from_order(surface, class_, engine, order)


def _from_order(surface: Surface, class_: str, engine: str, order: Orderable) -> Verdict:
    how = _HOW[surface]
    if order.found and order.can_be_asked:
        return Verdict(Mark.PASS, f"{class_}: x86; {order.found} is orderable; {engine}", f"to {order.found}: {how}")
    if order.found:
        status = f"{class_}: x86; {order.found} is its equivalent; {order.why}; {engine}"
        return Verdict(Mark.GATE, status, order.remedy or f"to {order.found}: {how}")
    tried = ", ".join(equivalents(surface, class_))
    return Verdict(Mark.FIX, f"{class_}: x86; not orderable: {tried}{_because(order.why)}; {engine}", order.remedy or how)


def _because(why: str) -> str:
    return f" ({why})" if why else ""
