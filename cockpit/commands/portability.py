"""What a playbook's portability gate asks for, and how long its waivers still count, in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from cockpit.audit.outputs.words import days_left, term
from cockpit.model.playbook import Portability

_GATES = {
    "green": "green: the first phase waits until every row of `cockpit audit` is PASS",
    "waived_ok": "waived_ok: the first phase waits until every row of `cockpit audit` is PASS or waived",
    "off": "off: nothing is asked of the audit before the first phase",
}


def portability(asked: Portability, day: date) -> Iterator[str]:
    """The gate, then a line a waiver. Nothing for a playbook that says nothing of it."""
    if asked.require == "off" and not asked.waivers:
        return
    yield f"portability {_GATES[asked.require]}"
    if asked.require == "green" and asked.waivers:
        yield "  ! green accepts no waiver: these only say in the audit who answers for what; waived_ok accepts them"
    for waiver in asked.waivers:
        warning = "! " if days_left(waiver, day) < 0 else ""
        red = ", so the audit counts it as red" if warning else ""
        yield f"  {warning}waiver {waiver.component}: {term(waiver, day)}{red}; {waiver.owner}: {waiver.reason}"
