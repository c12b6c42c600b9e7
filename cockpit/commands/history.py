"""What this machine's journals tell of the last run that changed a playbook's target; other machines may know of later ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from cockpit.journal import read
from cockpit.model.event import EventType
from cockpit.model.json import Json
from cockpit.rules.portability.gate import GATE as PORTABILITY
from cockpit.run.shared.journals import CROWDS, journals

_LOOKED_AT = 20
"""Journals, the newest first, in which the last audit is looked for."""
_NAMED = 5
"""Damaged lines that are named."""
_TOLD = {"rolled_back": "rolled back", "completed": "completed", "held": "left as held", "failed": "FAILED to roll back"}


@dataclass(slots=True)
class Past:
    """A run as its journal tells it; `outcome` is empty for one that did not end there, `at` is its last word (RFC 3339)."""

    run: str
    context: str = ""
    outcome: str = ""
    at: str = ""
    phase: str = ""
    operator: str = ""
    sent_back_by: str = ""
    abort: str = ""
    wrote: bool = False
    damaged: tuple[int, ...] = ()
    """The numbers of the journal's damaged lines, which tell nothing any more."""

    def words(self) -> str:
        """`rolled back 2026-11-22 02:02:14Z by the playbook: latency_p99 drift ... (run payments-api-..., ana@bastion)`."""
        at = f"{self.at[:19].replace('T', ' ')}Z"
        lines = ", ".join(map(str, self.damaged[:_NAMED]))
        who = f"run {self.run}, {self.operator}" + (f"; its journal is damaged in line {lines}" if lines else "")
        if not self.outcome:
            return f"not ended: {self.phase or 'before the first phase'}, last word {at} ({who})"
        by = {"": "", "playbook": " by the playbook"}.get(self.sent_back_by, f" by {self.sent_back_by}")
        why = f": {self.abort}" if self.abort and self.outcome != "completed" else ""
        return f"{_TOLD.get(self.outcome, self.outcome)} {at}{by}{why} ({who})"


def last_run(playbook: str, context: str) -> Past | None:
    """The newest run of the playbook with this name in this kubeconfig context that wrote anything; None without one.

    A journal that cannot be read is none.
    """
    for journal in journals(playbook):
        past = _told(journal)
        if past and past.wrote and (not past.context or not context or past.context == context):
            return past
    return None


def last_colour(playbook: str, context: str) -> str:
    """The colour of the newest audit of the playbook in this context that this machine knows of; empty without one."""
    from cockpit.audit.recorded import recorded

    by_hand = recorded(playbook, context)
    for journal in islice(journals(playbook), _LOOKED_AT):
        if (seen := _audited(journal, context)) is None:
            continue
        colour, at = seen
        return str(by_hand.colour) if by_hand and by_hand.at.isoformat() > at else colour
    return str(by_hand.colour) if by_hand else ""


def _audited(journal: Path, context: str) -> tuple[str, str] | None:
    """The last colour in a run's journal, and when (RFC 3339); None without one, or where the run was in another context."""
    found: tuple[str, str] | None = None
    try:
        for line in read(journal, CROWDS):
            record = line.record or {}
            if record.get("type") == EventType.RUN_STARTED and context and record.get("context") != context:
                return None
            if record.get("type") == EventType.GATE and record.get("gate") == PORTABILITY and record.get("colour"):
                found = str(record["colour"]), str(record.get("time") or "")
    except OSError:
        return None
    return found


def _told(journal: Path) -> Past | None:
    past = Past(journal.parent.name)
    damaged = []
    try:
        for line in read(journal, CROWDS):
            if line.record:
                _take(past, line.record)
            elif line.damaged:
                damaged.append(line.number)
    except OSError:
        return None
    past.damaged = tuple(damaged)
    return past


def _take(past: Past, record: Mapping[str, Json]) -> None:
    past.at, past.phase = str(record.get("time") or past.at), str(record.get("phase") or past.phase)
    who, words = str(record.get("who") or ""), str(record.get("message") or "")
    match record.get("type"):
        case EventType.RUN_STARTED:
            past.operator, past.context = who, str(record.get("context") or "")
        case EventType.ROLLBACK_STARTED:
            past.sent_back_by, past.operator = who, past.operator or who
            past.context = past.context or str(record.get("context") or "")
        case EventType.ABORT_TRIGGERED:
            past.abort = words
        case EventType.WRITE_DONE:
            past.wrote = past.wrote or not record.get("dry_run")
        case EventType.RUN_FINISHED:
            past.outcome = str(record.get("outcome") or "")
        case _:
            pass
