"""What this machine's journals tell of the last run that changed a playbook's target; other machines may know of later ones."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cockpit.model.event import EventType
from cockpit.settings import home, safe_name

_TOLD = {"rolled_back": "rolled back", "completed": "completed", "held": "left as held", "failed": "FAILED to roll back"}
_CROWDS = f'"type":"{EventType.VERDICT}"'
"""Most lines of a journal, none of which is needed here."""


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

    def words(self) -> str:
        """`rolled back 2026-11-22 02:02:14Z by the playbook: latency_p99 drift ... (run payments-api-..., ana@bastion)`."""
        at = f"{self.at[:19].replace('T', ' ')}Z"
        who = f"run {self.run}, {self.operator}"
        if not self.outcome:
            return f"not ended: {self.phase or 'before the first phase'}, last word {at} ({who})"
        by = {"": "", "playbook": " by the playbook"}.get(self.sent_back_by, f" by {self.sent_back_by}")
        why = f": {self.abort}" if self.abort and self.outcome != "completed" else ""
        return f"{_TOLD.get(self.outcome, self.outcome)} {at}{by}{why} ({who})"


def last_run(playbook: str, context: str) -> Past | None:
    """The newest run of the playbook with this name in this kubeconfig context that wrote anything; None without one.

    A journal that cannot be read is none.
    """
    name = re.compile(rf"{re.escape(safe_name(playbook[:40]))}-\d{{8}}T\d{{6}}Z-[0-9a-f]{{4}}")
    folder = home() / "runs"
    folders = [f for f in folder.iterdir() if name.fullmatch(f.name)] if folder.is_dir() else []
    for found in sorted(folders, key=lambda f: f.name, reverse=True):
        past = _told(found / "journal.jsonl")
        if past and past.wrote and (not past.context or not context or past.context == context):
            return past
    return None


def _told(journal: Path) -> Past | None:
    past = Past(journal.parent.name)
    try:
        with journal.open(encoding="utf-8", errors="replace") as lines:
            for record in _records(lines):
                _take(past, record)
    except OSError:
        return None
    return past


def _records(lines: Iterator[str]) -> Iterator[dict[str, object]]:
    for text in lines:
        if _CROWDS in text:
            continue
        try:
            record = json.loads(text)
        except (ValueError, RecursionError):  # the last line of a run that was killed
            continue
        if isinstance(record, dict):
            yield record


def _take(past: Past, record: dict[str, object]) -> None:
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
