"""The audit as SARIF 2.1.0 (OASIS), for code review: a result for each row that does not pass, at the file that brings it."""

from __future__ import annotations

from hashlib import sha256
from pathlib import PurePath
from urllib.parse import quote

from cockpit.audit.outputs import words
from cockpit.audit.outputs.places import Place, Places
from cockpit.audit.outputs.report import Report
from cockpit.model.arch import Arch
from cockpit.model.audit import WORST_FIRST, Layer, Mark, Row
from cockpit.model.json import Json

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
ROOT = "%SRCROOT%"
MARKS = WORST_FIRST[:-1]
"""What is told: whatever does not pass."""
LEVELS = {Mark.FIX: "error", Mark.GATE: "warning", Mark.UNKNOWN: "warning", Mark.WAIVED: "note"}
AREA = "audit/unknown"
"""The rule of a whole area that could not be looked at."""
FINGERPRINT = "component/v1"
_MOST_PLACES = 10
"""Viewers show few; the message names the users."""


def sarif(report: Report) -> dict[str, Json]:
    """The log: one run, whose rules are the same whatever was found."""
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": _driver(report)},
                "invocations": [_invocation(report)],
                "originalUriBaseIds": {ROOT: {"description": {"text": "The folder that the audit was started in."}}},
                "columnKind": "unicodeCodePoints",
                "results": _results(report),
            }
        ],
    }


def _results(report: Report) -> list[Json]:
    places = Places(report)
    told: list[Json] = [_result(row, report, places) for row in report.rows if row.mark in MARKS]
    return [*told, *(_area(fault, report) for fault in report.audit.faults)]


def _invocation(report: Report) -> dict[str, Json]:
    unseen: list[Json] = [{"level": "error", "message": {"text": _unseen(fault)}} for fault in report.audit.faults]
    return {"executionSuccessful": not unseen, "endTimeUtc": report.stamp, "toolExecutionNotifications": unseen}


def _driver(report: Report) -> dict[str, Json]:
    rules: list[Json] = [_rule(layer, mark, report.arch) for layer in Layer for mark in MARKS]
    area = "An area of the audit could not be looked at"
    rules.append({"id": AREA, "shortDescription": {"text": area}, "defaultConfiguration": {"level": "error"}})
    return {"name": "Cutover Cockpit portability audit", "version": report.version, "rules": rules}


def _rule(layer: Layer, mark: Mark, arch: Arch) -> dict[str, Json]:
    return {
        "id": rule_id(layer, mark),
        "shortDescription": {"text": f"{mark}: {words.LAYERS[layer]}"},
        "fullDescription": {"text": f"{words.LAYERS[layer].capitalize()}: {words.meaning(mark, arch)}."},
        "defaultConfiguration": {"level": LEVELS[mark]},
    }


def rule_id(layer: Layer, mark: Mark) -> str:
    """`image/fix`."""
    return f"{layer}/{mark.lower()}"


def _result(row: Row, report: Report, places: Places) -> dict[str, Json]:
    result: dict[str, Json] = {
        "ruleId": rule_id(row.layer, row.mark),
        "ruleIndex": list(Layer).index(row.layer) * len(MARKS) + MARKS.index(row.mark),
        "level": LEVELS[row.mark],
        "message": {"text": _text(_said(row, report))},
        "locations": _locations(row, places),
        "partialFingerprints": {FINGERPRINT: _fingerprint(f"{row.layer} {row.component}")},
    }
    if row.mark is Mark.WAIVED and row.waiver:
        suppression: dict[str, Json] = {"kind": "external", "justification": _text(words.excepted(row, report.audit.day))}
        if report.source:
            suppression["location"] = {"physicalLocation": _physical(places.waiver(row)[0])}
        result["suppressions"] = [suppression]
    else:
        # Every other result says that nothing suppresses it: SARIF takes a missing list as "not known".
        result["suppressions"] = []
    return result


def _area(fault: str, report: Report) -> dict[str, Json]:
    return {
        "ruleId": AREA,
        "ruleIndex": len(Layer) * len(MARKS),
        "level": "error",
        "message": {"text": _unseen(fault)},
        "locations": [{"physicalLocation": _physical(Place(report.source, 1))}] if report.source else [],
        "partialFingerprints": {FINGERPRINT: _fingerprint(f"audit {fault}")},
        "suppressions": [],
    }


def _unseen(fault: str) -> str:
    return _text(f"Not looked at: {fault}")


def _said(row: Row, report: Report) -> str:
    todo = f" To do: {row.action}{f' ({row.owner})' if row.owner else ''}." if row.action else ""
    users = f" Used by {words.users(row)}." if row.used_by else ""
    return f"{row.component}: {row.status or words.meaning(row.mark, report.arch)}.{todo}{users}"


def _locations(row: Row, places: Places) -> list[Json]:
    logical: list[Json] = [{"fullyQualifiedName": row.component, "kind": "resource"}]
    found = places.of(row)[:_MOST_PLACES]
    if not found:
        return [{"logicalLocations": logical}]
    return [{"physicalLocation": _physical(place), "logicalLocations": logical} for place in found]


def _physical(place: Place) -> dict[str, Json]:
    return {"artifactLocation": _artifact(place.file), "region": {"startLine": place.line}}


def _artifact(file: str) -> dict[str, Json]:
    """A file below the folder that the audit was started in by its relative path, which code review knows; others as URI."""
    path = PurePath(file)
    if path.is_absolute():
        return {"uri": path.as_uri()}
    return {"uri": quote(path.as_posix(), safe="/", errors="surrogateescape"), "uriBaseId": ROOT}


def _fingerprint(text: str) -> str:
    return sha256(text.encode(errors="surrogatepass")).hexdigest()


def _text(text: str) -> str:
    """A plain text message (SARIF 3.11): no placeholder and no link that somebody else wrote."""
    return text.replace("{", "{{").replace("}", "}}").replace("](", "] (")
