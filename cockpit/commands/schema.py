"""`cockpit schema`: the JSON Schema of the playbook, of a program, or of an audit's JSON."""

from __future__ import annotations

import argparse
import json
from typing import Any

from cockpit.commands.out import line
from cockpit.errors import Exit


def run(options: argparse.Namespace) -> int:
    """Print it."""
    for text in json.dumps(_schema(options), indent=2).split("\n"):
        line(text)
    return Exit.OK


def _schema(options: argparse.Namespace) -> dict[str, Any]:
    if options.audit:
        from cockpit.audit.outputs import document_schema

        return document_schema.schema()
    from cockpit.playbook import jsonschema
    from cockpit.program import schema as program

    return program.schema() if options.program else jsonschema.schema()
