"""The audit as one JSON object: stable, versioned, in a fixed order; `document_schema` describes every key."""

from __future__ import annotations

from datetime import date

from cockpit.audit.outputs.document_schema import VERSION
from cockpit.audit.outputs.report import Report
from cockpit.audit.outputs.words import days_left
from cockpit.model.audit import Row
from cockpit.model.json import Json


def document(report: Report) -> dict[str, Json]:
    """What `cockpit audit --json` prints. Keys are only ever added; anything else is another schemaVersion."""
    return {
        "schemaVersion": VERSION,
        "tool": {"name": "cockpit", "version": report.version},
        "time": report.stamp,
        "day": report.audit.day.isoformat(),
        "arch": str(report.arch),
        "playbook": {"name": report.playbook, "file": report.source} if report.source else None,
        "cluster": report.cluster or None,
        "files": list(report.files),
        "require": report.require,
        "result": str(report.colour),
        "why": report.why,
        "counts": {str(mark): count for mark, count in report.counts.items()},
        "faults": list(report.audit.faults),
        "notes": list(report.audit.notes),
        "rows": [_row(row, report.audit.day) for row in report.rows],
    }


def _row(row: Row, day: date) -> dict[str, Json]:
    return {
        "component": row.component,
        "layer": str(row.layer),
        "mark": str(row.mark),
        "status": row.status,
        "action": row.action,
        "owner": row.owner,
        "usedBy": list(row.used_by),
        "notes": list(row.notes),
        "waiver": _waiver(row, day),
    }


def _waiver(row: Row, day: date) -> dict[str, Json] | None:
    if not (waiver := row.waiver):
        return None
    left = days_left(waiver, day)
    return {
        "component": waiver.component,
        "reason": waiver.reason,
        "owner": waiver.owner,
        "expires": waiver.expires.isoformat(),
        "expired": left < 0,
        "daysLeft": left,
    }
