"""Label selectors as the API server reads them (LabelSelectorAsSelector): none matches nothing, an empty one all."""

from __future__ import annotations

from collections.abc import Mapping

from cockpit.model.json import Json


def matches(selector: Json, labels: Mapping[str, str]) -> bool:
    """Whether a label selector (as JSON) selects an object with these labels; a malformed one selects nothing."""
    if not isinstance(selector, dict):
        return False
    return required(selector).items() <= labels.items() and all(_holds(e, labels) for e in _expressions(selector))


def required(selector: Json) -> Mapping[str, str]:
    """The labels that everything which a selector selects has with these very values."""
    found = selector.get("matchLabels") if isinstance(selector, dict) else None
    return {key: str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def _expressions(selector: dict[str, Json]) -> list[Json]:
    found = selector.get("matchExpressions")
    return found if isinstance(found, list) else []


def _holds(expression: Json, labels: Mapping[str, str]) -> bool:
    if not isinstance(expression, dict):
        return False
    have = labels.get(str(expression.get("key")))
    listed = expression.get("values")
    values = [str(v) for v in listed] if isinstance(listed, list) else []
    match expression.get("operator"):
        case "In":
            return have in values
        case "NotIn":
            return have not in values
        case "Exists":
            return have is not None
        case "DoesNotExist":
            return have is None
        case _:
            return False
