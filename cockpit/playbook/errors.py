"""From the schema library's errors to issues with a place and plain words."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from cockpit.playbook import schema
from cockpit.playbook.issue import Issue, Path
from cockpit.playbook.lookup import TAGS
from cockpit.playbook.text import Document
from cockpit.playbook.wording import Fault, explain

F = TypeVar("F", bound=BaseModel)
_KEY = "[key]"  # ends the location of an error in a mapping's key


def validate(document: Document) -> tuple[schema.Playbook | None, list[Issue]]:
    """The document as a typed playbook, or None and every fault of its form."""
    return validate_as(schema.Playbook, document)


def validate_as(form: type[F], document: Document) -> tuple[F | None, list[Issue]]:
    """The document in another form; its words come from the schema that `lookup.describing` names."""
    try:
        return form.model_validate(document.root), []
    except ValidationError as invalid:
        details = invalid.errors(include_url=False)
    return None, [_issue(detail, document) for detail in details]


def _issue(detail: ErrorDetails, document: Document) -> Issue:
    steps, kind = detail["loc"], detail["type"]
    on_key = kind == "extra_forbidden"
    if steps and steps[-1] == _KEY:
        steps, on_key = steps[:-1], True
    path = tuple(step for index, step in enumerate(steps) if not _is_tag(steps, index))
    written = document.values[path].text if path in document.values else ""
    what, right = explain(Fault(kind, steps, detail["input"], written, detail.get("ctx", {})))
    return document.issue(path, what, right, on_key=on_key)


def _is_tag(steps: Path, index: int) -> bool:
    before = steps[max(0, index - 2) : index]
    return len(before) == 2 and before[0] in ("gates", "abort") and isinstance(before[1], int) and steps[index] in TAGS
