"""The playbook's JSON Schema, for editors and other tools."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from cockpit.playbook.schema import Playbook

ID = "urn:cockpit:playbook:v1"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Plain(GenerateJsonSchema):
    """Without titles made up from field names: editors show the descriptions."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        """Never."""
        return False


@cache
def schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a playbook: its form, with a description for every key. Meaning is checked by the loader."""
    return described(Playbook, ID, "Cutover Cockpit playbook")


def described(form: type[BaseModel], identity: str, title: str) -> dict[str, Any]:
    """JSON Schema of a form, under an identity and a title of its own."""
    body = _without_null_defaults(form.model_json_schema(by_alias=True, schema_generator=_Plain))
    return {"$schema": DIALECT, "$id": identity, **body, "title": title}


def _without_null_defaults(node: Any) -> Any:
    if isinstance(node, list):
        return [_without_null_defaults(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {k: _without_null_defaults(v) for k, v in node.items() if not (k == "default" and v is None)}
