"""This machine's journals of a playbook's runs, and what one of them has left without an outcome."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cockpit.journal import NAME, Journal, read
from cockpit.model.event import EventType
from cockpit.model.json import Json
from cockpit.run.shared.intent import Intent, Unreadable, left_open
from cockpit.settings import home, run_folder, safe_name

CROWDS = f'"type":"{EventType.VERDICT}"'.encode()
"""Most lines of a journal, which tell nothing of what was written."""


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """A run's intents without outcome, and the numbers of the journal's damaged lines, in which there may be more."""

    run: str
    intents: tuple[Intent, ...] = ()
    damaged: tuple[int, ...] = ()


def journals(playbook: str) -> Iterator[Path]:
    """The journals on this machine of runs of the playbook with this name, newest first."""
    name = re.compile(rf"{re.escape(safe_name(playbook[:40]))}-\d{{8}}T\d{{6}}Z-[0-9a-f]{{4}}")
    folder = home() / "runs"
    found = [f for f in folder.iterdir() if name.fullmatch(f.name)] if folder.is_dir() else []
    return (f / NAME for f in sorted(found, key=lambda f: f.name, reverse=True))


def left_behind(playbook: str, context: str, but: str = "") -> LeftBehind | None:
    """What the newest of those runs that wrote anything in this context has left; None without one. `but` is the present run."""
    for path in journals(playbook):
        if path.parent.name == safe_name(but):
            continue
        try:
            lines = list(read(path, CROWDS))
            records = [line.record for line in lines if line.record]
            if not any(r.get("type") == EventType.WRITE_INTENDED for r in records) or not _flew_in(context, records):
                continue
            return LeftBehind(path.parent.name, left_open(records), tuple(line.number for line in lines if line.damaged))
        except (OSError, Unreadable):
            continue
    return None


def go_on_with(run: str) -> Journal | None:
    """The journal of a run on this machine, to be written on; None when another cockpit writes it, or it cannot be."""
    try:
        return Journal(run_folder(run) / NAME)
    except OSError:
        return None


def _flew_in(context: str, records: Sequence[Mapping[str, Json]]) -> bool:
    said = {str(r["context"]) for r in records if r.get("context")}
    return not said or not context or context in said
