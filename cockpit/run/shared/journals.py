"""This machine's journals of a playbook's runs, and what one of them has left without an outcome."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cockpit.journal import NAME, Journal, read
from cockpit.model.event import EventType
from cockpit.model.json import Json
from cockpit.model.pin import ANYWHERE, Pin
from cockpit.run.shared.intent import Intent, Unreadable, left_open
from cockpit.settings import home, run_folder, safe_name

CROWDS = f'"type":"{EventType.VERDICT}"'.encode()
"""Most lines of a journal, which tell nothing of what was written."""
_NAMED = 5
"""Damaged lines that are named."""
_MAY_BE = "a write without a known outcome may be in it; look at it and at what is configured, then resume or roll back"


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """A run's intents without outcome; `fault` says what of its journal cannot be read, where there may be more of them."""

    run: str
    intents: tuple[Intent, ...] = ()
    fault: str = ""


def journals(playbook: str) -> Iterator[Path]:
    """The journals on this machine of runs of the playbook with this name, newest first."""
    name = re.compile(rf"{re.escape(safe_name(playbook[:40]))}-\d{{8}}T\d{{6}}Z-[0-9a-f]{{4}}")
    folder = home() / "runs"
    found = [f for f in folder.iterdir() if name.fullmatch(f.name)] if folder.is_dir() else []
    return (f / NAME for f in sorted(found, key=lambda f: f.name, reverse=True))


def left_behind(playbook: str, context: str, but: str = "", pin: Pin = ANYWHERE) -> LeftBehind | None:
    """What the newest of those runs that wrote anything here has left; None without one. `but` is the present run.

    Here is the cluster of `pin`, and the kubeconfig context with this name where a journal or `pin` does not know the cluster.
    Of a journal that cannot be read nobody knows what it wrote: it counts as one that has left something.
    """
    for path in journals(playbook):
        if path.parent.name == safe_name(but):
            continue
        if (found := _left(path, context, pin)) is not None:
            return found
    return None


def _left(path: Path, context: str, pin: Pin) -> LeftBehind | None:
    """What this journal has left; None when it is of another cluster or context, or wrote nothing."""
    run = path.parent.name
    try:
        lines = list(read(path, CROWDS))
    except FileNotFoundError:
        return None
    except OSError as error:
        return LeftBehind(run, fault=f"{path} cannot be read ({error.strerror or error}): {_MAY_BE}")
    records = [line.record for line in lines if line.record]
    wrote, damaged = any(r.get("type") == EventType.WRITE_INTENDED for r in records), [n.number for n in lines if n.damaged]
    if not _flew_in(context, pin, records) or not (wrote or damaged):
        return None
    last = [r for r in records if r.get("type") in (EventType.RUN_FINISHED, EventType.WRITE_INTENDED)][-1:]
    if any(r.get("outcome") == "rolled_back" for r in last):
        return LeftBehind(run)  # everything was read back
    numbers = ", ".join(map(str, damaged[:_NAMED]))
    fault = f"{path} is damaged in line {numbers}: {_MAY_BE}" if damaged else ""
    try:
        return LeftBehind(run, left_open(records), fault)
    except Unreadable as error:
        return LeftBehind(run, fault=f"{path} is damaged ({error}): {_MAY_BE}")


def go_on_with(run: str) -> Journal | None:
    """The journal of a run on this machine, to be written on; None when another cockpit writes it, or it cannot be."""
    try:
        return Journal(run_folder(run) / NAME)
    except OSError:
        return None


def _flew_in(context: str, pin: Pin, records: Sequence[Mapping[str, Json]]) -> bool:
    # One name of a context may mean another cluster today; a cluster's UID is its own.
    clusters = {Pin.from_json(kept).cluster_uid for r in records if isinstance(kept := r.get("pin"), dict)} - {""}
    if clusters and pin.cluster_uid:
        return pin.cluster_uid in clusters
    said = {str(r["context"]) for r in records if r.get("context")}
    return not said or not context or context in said
