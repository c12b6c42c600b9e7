"""`cockpit schema`: the JSON Schema of the playbook."""

from __future__ import annotations

import argparse
import json

from cockpit.commands.out import line
from cockpit.errors import Exit


def run(_: argparse.Namespace) -> int:
    """Print it."""
    from cockpit.playbook.jsonschema import schema

    for text in json.dumps(schema(), indent=2).split("\n"):
        line(text)
    return Exit.OK
