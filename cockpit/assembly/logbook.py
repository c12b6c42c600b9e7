"""A new run's name and its logbook."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from cockpit.assembly.options import Options
from cockpit.clock import Clock
from cockpit.model.playbook import Playbook
from cockpit.settings import operator, run_folder

if TYPE_CHECKING:
    from cockpit.run.logbook import Logbook


def run_name(playbook: Playbook, clock: Clock) -> str:
    """A name for a new run, safe as a label value: `payments-api-20261122T020000Z-1f3a`."""
    return f"{playbook.name[:40]}-{clock.now():%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


def open_logbook(run: str, options: Options) -> Logbook:
    """The run's logbook with its journal on disk. Refused when the disk takes no journal: no write goes unrecorded."""
    from cockpit.errors import Refused
    from cockpit.journal import Journal
    from cockpit.run.logbook import Logbook

    try:
        journal = Journal(run_folder(run) / "journal.jsonl")
    except OSError as error:
        raise Refused(f"no journal can be kept: {error}; set $COCKPIT_HOME to a folder that can be written") from None
    return Logbook(options.clock, run, operator(), journal)
