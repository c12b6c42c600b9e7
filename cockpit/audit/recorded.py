"""The last audit of a playbook that was made on this machine: its colour and its day, for the board of a program."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cockpit import private
from cockpit.model.audit import Audit
from cockpit.model.playbook import Playbook
from cockpit.rules.portability.gate import Colour, colour
from cockpit.settings import home, safe_name

MOST_BYTES = 64 << 10


@dataclass(frozen=True, slots=True)
class Recorded:
    """What an audit came to, and when it was made."""

    colour: Colour
    at: datetime


def remember(playbook: Playbook, context: str, audit: Audit, at: datetime) -> None:
    """Keep what an audit of the playbook, in this kubeconfig context, came to. A disk that refuses is no fault."""
    with suppress(OSError):
        body = {"colour": str(colour(audit, at.date(), playbook.portability.require)), "at": at.isoformat(), "context": context}
        private.write(_file(playbook.name, context), json.dumps(body))


def recorded(playbook: str, context: str) -> Recorded | None:
    """The last that was kept; None without one, or where it cannot be read."""
    try:
        with _file(playbook, context).open("rb") as file:
            body = json.loads(file.read(MOST_BYTES))
        found = Recorded(Colour(body["colour"]), datetime.fromisoformat(body["at"])) if isinstance(body, Mapping) else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return found if found and found.at.tzinfo else None


def _file(playbook: str, context: str) -> Path:
    return home() / "audits" / f"{safe_name(f'{playbook}@{context}')}.json"
