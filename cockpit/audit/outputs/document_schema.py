"""The JSON Schema of what `cockpit audit --json` prints, for those who read it by machine."""

from __future__ import annotations

from cockpit.model.arch import Arch
from cockpit.model.audit import Layer, Mark
from cockpit.model.json import Json

VERSION = 1
ID = "urn:cockpit:audit:v1"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Json]:
    """JSON Schema (draft 2020-12). Further keys may come with the same version: readers pass over what they do not know."""
    top: dict[str, Json] = {
        "schemaVersion": {"const": VERSION, "description": "Another number means that a key has gone or means something else."},
        "tool": _object("Who made it.", {"name": {"const": "cockpit"}, "version": _text("Version of the cockpit.")}),
        "time": {"type": "string", "format": "date-time", "description": "When it was finished: RFC 3339, in UTC."},
        "day": _day("The day by which waivers were judged, in UTC."),
        "arch": {"enum": [str(arch) for arch in Arch], "description": "The architecture that is moved to."},
        "playbook": _maybe(
            _object("Whose waivers and gate were taken.", {"name": _text("metadata.name"), "file": _text("The file.")})
        ),
        "cluster": {"type": ["string", "null"], "description": "The kubeconfig's context; null when no cluster was asked."},
        "files": _texts("Manifests and lockfiles that were looked at."),
        "require": {"enum": ["green", "waived_ok", "off"], "description": "The playbook's portability.require; off without one."},
        "result": {
            "enum": ["green", "waived", "red"],
            "description": "green: every row is PASS. waived: the others are WAIVED, and require accepts it. red: exit code 1.",
        },
        "why": _text("The result's reason, for people: its words may change."),
        "counts": _object("Rows by mark.", {str(mark): {"type": "integer", "minimum": 0} for mark in Mark}),
        "faults": _texts("Whole areas that could not be looked at; any makes the result red."),
        "notes": _texts("Worth knowing of the whole: waivers that nobody needs."),
        "rows": {"type": "array", "items": _row(), "description": "The worst first: FIX, GATE, UNKNOWN, WAIVED, PASS."},
    }
    return {"$schema": DIALECT, "$id": ID, "title": "Cutover Cockpit portability audit", **_object("An audit.", top)}


def _row() -> dict[str, Json]:
    return _object(
        "One component.",
        {
            "component": _text("Its key, layer/name, by which a waiver names it."),
            "layer": {"enum": [str(layer) for layer in Layer], "description": "What kind of component it is."},
            "mark": {"enum": [str(mark) for mark in Mark], "description": "How it stands; FIX, GATE and UNKNOWN are red."},
            "status": _text("What is known of the target architecture, for people."),
            "action": _text("What to do; may be empty."),
            "owner": _text("Who does it; may be empty."),
            "usedBy": _texts("Objects and files that bring it; `object (file:line)` for one in a manifest."),
            "notes": _texts("Worth knowing; they gate nothing."),
            "waiver": _maybe(_waiver()),
        },
    )


def _waiver() -> dict[str, Json]:
    return _object(
        "The playbook's waiver for it, an expired one too.",
        {
            "component": _text("What the waiver names."),
            "reason": _text("Why it may wait."),
            "owner": _text("Who answers for it."),
            "expires": _day("The last day on which it counts."),
            "expired": {"type": "boolean"},
            "daysLeft": {"type": "integer", "description": "0 on its last day, below 0 once it has expired."},
        },
    )


def _object(description: str, properties: dict[str, Json]) -> dict[str, Json]:
    return {"type": "object", "description": description, "required": list(properties), "properties": properties}


def _maybe(one: dict[str, Json]) -> dict[str, Json]:
    return {**one, "type": ["object", "null"]}


def _text(description: str) -> dict[str, Json]:
    return {"type": "string", "description": description}


def _texts(description: str) -> dict[str, Json]:
    return {"type": "array", "items": {"type": "string"}, "description": description}


def _day(description: str) -> dict[str, Json]:
    return {"type": "string", "format": "date", "description": description}
