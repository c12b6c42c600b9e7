"""The form of the SARIF that the cockpit writes, as JSON Schema: after the specification's sections, closed to unknown keys.

Source: SARIF 2.1.0 (OASIS), 3.13 sarifLog, 3.14 run, 3.18 tool, 3.20 invocation, 3.27 result, 3.28 location, 3.35 suppression,
3.49 reportingDescriptor. It allows less than the published schema: what passes here passes there.
"""

from __future__ import annotations

from typing import Any


def _object(required: str = "", **properties: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "required": required.split(), "properties": properties}


def _list(items: Any, least: int = 0) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": least}


STRING = {"type": "string"}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
MESSAGE = _object("text", text={"type": "string", "minLength": 1})
TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"}
URI = {"type": "string", "pattern": r"^([A-Za-z0-9._~/!$&'()*+,;=@-]|%[0-9A-F]{2}|file:)+$"}
ARTIFACT = _object("uri", uri=URI, uriBaseId={"const": "%SRCROOT%"})
PHYSICAL = _object("artifactLocation", artifactLocation=ARTIFACT, region=_object(startLine={"type": "integer", "minimum": 1}))
LOGICAL = _object("", fullyQualifiedName=STRING, kind=STRING)
LOCATION = _object("", physicalLocation=PHYSICAL, logicalLocations=_list(LOGICAL, 1))
SUPPRESSION = _object("kind", kind={"enum": ["inSource", "external"]}, justification=STRING, location=LOCATION)
RULE = _object(
    "id",
    id={"type": "string", "pattern": "^[a-z]+/[a-z]+$"},
    shortDescription=MESSAGE,
    fullDescription=MESSAGE,
    defaultConfiguration=_object("level", level=LEVEL),
)
RESULT = _object(
    "message ruleId ruleIndex level locations partialFingerprints suppressions",
    ruleId=STRING,
    ruleIndex={"type": "integer", "minimum": 0},
    level=LEVEL,
    message=MESSAGE,
    locations=_list(LOCATION),
    partialFingerprints={"type": "object", "additionalProperties": {"type": "string", "pattern": "^[0-9a-f]{64}$"}},
    suppressions=_list(SUPPRESSION),
)
INVOCATION = _object(
    "executionSuccessful",
    executionSuccessful={"type": "boolean"},
    endTimeUtc=TIME,
    toolExecutionNotifications=_list(_object("message", level=LEVEL, message=MESSAGE)),
)
RUN = _object(
    "tool results",
    tool=_object("driver", driver=_object("name", name=STRING, version=STRING, rules=_list(RULE))),
    invocations=_list(INVOCATION),
    originalUriBaseIds={"type": "object", "additionalProperties": _object(description=MESSAGE)},
    columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
    results=_list(RESULT),
)
FORM = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    **_object("version runs", **{"$schema": STRING}, version={"const": "2.1.0"}, runs={**_list(RUN, 1), "maxItems": 1}),
}
