"""The gate before the first phase: whether the portability audit lets a run begin, and by which waivers. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from cockpit.model.audit import Audit, Mark, Progress, Row
from cockpit.model.auditing import Auditing
from cockpit.model.playbook import Portability, Waiver
from cockpit.model.snapshot import Freshness, SourceState
from cockpit.model.verdict import Outcome, Verdict
from cockpit.rules.freshness import outcome, words

GATE = "portability"
NAMED = 2
"""Components that a reason names; the others are counted."""
_SURE = (Mark.FIX, Mark.GATE)


class Colour(StrEnum):
    """An audit in a word."""

    GREEN = "green"
    WAIVED = "waived"
    """What did not pass is excepted in writing, and the playbook accepts that."""
    RED = "red"
    UNKNOWN = "unknown"
    """There is no audit to go by."""


@dataclass(frozen=True, slots=True)
class Used:
    """A waiver without which a component would keep the run from starting."""

    component: str
    waiver: Waiver


def colour(audit: Audit | None, today: date, require: str) -> Colour:
    """The audit in a word, as of `today`: a waiver may have expired since it was made. `green` accepts none."""
    if audit is None:
        return Colour.UNKNOWN
    if audit.green:
        return Colour.GREEN
    accepted = require != "green" and audit.clear and not any(_expired(audit, today))
    return Colour.WAIVED if accepted else Colour.RED


def used(audit: Audit) -> tuple[Used, ...]:
    """The waivers that the audit rests on, in the order of its rows."""
    return tuple(Used(row.component, row.waiver) for row in audit.rows if row.mark is Mark.WAIVED and row.waiver)


def red(audit: Audit, today: date) -> tuple[Row, ...]:
    """What stands in the way as of `today`."""
    return (*audit.red(), *_expired(audit, today))


def gate(portability: Portability, auditing: Auditing, source: SourceState, today: date) -> Verdict | None:
    """May the first phase be set? None where the playbook does not ask for an audit.

    PASS only on a finished audit that is fresh enough; whatever could not be looked at never passes.
    """
    if portability.require == "off":
        return None
    if blind := _blind(auditing, source):
        return blind
    audit = auditing.audit
    if audit is None:
        return Verdict(GATE, Outcome.NO_DATA, "it has not been audited here")
    again = " (being audited again)" if auditing.progress else ""
    return _judged(audit, portability, today, again)


def at(progress: Progress) -> str:
    """How far an audit is: `12 of 40: image registry.example.com/payments/api`."""
    count = f"{progress.done} of {progress.total}" if progress.total else "begun"
    return f"{count}: {progress.doing}" if progress.doing else count


def short(component: str) -> str:
    """A component without its registry's name, which is the same for most: `image/…/edr/sensor:7.16.2`."""
    layer, _, name = component.partition("/")
    host, slash, rest = name.partition("/")
    return f"{layer}/…/{rest}" if slash and ("." in host or ":" in host) else component


def _blind(auditing: Auditing, source: SourceState) -> Verdict | None:
    if auditing.progress and auditing.audit is None:
        return Verdict(GATE, Outcome.NO_DATA, f"auditing, {at(auditing.progress)}")
    if auditing.why:
        return Verdict(GATE, Outcome.NO_DATA, f"the audit failed: {auditing.why}")
    if source.freshness in (Freshness.STALE, Freshness.FAULT):
        return Verdict(GATE, outcome(source), words(source))
    return None


def _judged(audit: Audit, portability: Portability, today: date, again: str) -> Verdict:
    bad, waived = red(audit, today), used(audit)
    numbers = {"rows": float(len(audit.rows)), "red": float(len(bad)), "waived": float(len(waived))}
    if bad or audit.faults or not audit.rows:
        sure = any(row.mark in _SURE or row.mark is Mark.WAIVED for row in bad)
        found = Outcome.FAIL if sure else Outcome.NO_DATA
        return Verdict(GATE, found, _said(audit, bad) + again, numbers, tuple(_details(audit, bad, today)))
    if waived and portability.require == "green":
        reason = f"{_count(len(waived))} waived, and portability.require is green: {_named([short(w.component) for w in waived])}"
        return Verdict(GATE, Outcome.FAIL, reason + again, numbers)
    reason = f"{_count(len(audit.rows))} audited, {f'{len(waived)} of them waived' if waived else 'every one passes'}"
    details = tuple(f"{w.component}: waived by {w.waiver.owner} until {w.waiver.expires}: {w.waiver.reason}" for w in waived)
    return Verdict(GATE, Outcome.PASS, reason + again, numbers, details)


def _said(audit: Audit, bad: tuple[Row, ...]) -> str:
    if bad:
        return f"{_named([f'{_word(row)} {short(row.component)}' for row in bad])} ({len(bad)} of {len(audit.rows)} red)"
    return f"not looked at: {_named(list(audit.faults))}" if audit.faults else "the audit has found no component at all"


def _details(audit: Audit, bad: tuple[Row, ...], today: date) -> Iterator[str]:
    for row in bad:
        who = f" ({row.owner})" if row.owner else ""
        yield f"{_word(row)} {row.component}: {'; '.join(filter(None, (row.status, row.action)))}{who}"
        if row.waiver and row.waiver.expires < today:
            yield f"  its waiver by {row.waiver.owner} expired on {row.waiver.expires}"
    yield from (f"not looked at: {fault}" for fault in audit.faults)


def _word(row: Row) -> str:
    return "EXPIRED" if row.mark is Mark.WAIVED else str(row.mark)


def _expired(audit: Audit, today: date) -> Iterator[Row]:
    """Waived when the audit was made, and not any more."""
    return (row for row in audit.rows if row.mark is Mark.WAIVED and row.waiver and row.waiver.expires < today)


def _named(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _count(components: int) -> str:
    return f"{components} component{'' if components == 1 else 's'}"
