"""What every cockpit of a playbook shares, as `cockpit status` tells it: the run in the cluster's record, and the controls."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cockpit.model.controls import Controls
from cockpit.model.json import Json

if TYPE_CHECKING:
    from cockpit.run.shared.keeper import Keeper

_BEGUN = re.compile(r"-(\d{8}T\d{6}Z)-[0-9a-f]{4}")


def run_facts(keeper: Keeper | None) -> dict[str, Json]:
    """`id` (None without a run), `since` (RFC 3339), `stage`, `epoch` and `holder` as recorded last; `why` when not known."""
    record = keeper.record if keeper else None
    if record is None:
        return {"id": None, "why": _unread(keeper)}
    return {
        "id": record.run,
        "since": begun(record.run),
        "stage": str(record.state.stage),
        "epoch": record.epoch,
        "holder": record.holder,
    }


def controls_facts(seen: Controls) -> dict[str, Json]:
    """`holder` (None: nobody), `since` (RFC 3339), `epoch`, and who is `watching`; `why` when it is not known."""
    if seen.holder is None:
        return {"holder": None, "epoch": seen.epoch, "watching": _watching(seen), "why": seen.why}
    since = seen.since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if seen.since else ""
    return {"holder": seen.holder.operator, "since": since, "epoch": seen.epoch, "watching": _watching(seen), "why": seen.why}


def words(facts: dict[str, Json]) -> str:
    """The facts as one row for people: the first is the name, or what is known in its place."""
    (_, name), *rest = facts.items()
    head = str(name or (f"not known: {facts['why']}" if facts.get("why") else "nobody" if "watching" in facts else "none"))
    told = [f"{key} {', '.join(map(str, value)) if isinstance(value, list) else value}" for key, value in rest if value]
    return ", ".join([head, *(text for text in told if not text.startswith("why "))])


def begun(run: str) -> str:
    """When a run began (RFC 3339), by its name; empty when that does not tell."""
    found = _BEGUN.search(run)
    try:
        return datetime.strptime(found.group(1), "%Y%m%dT%H%M%SZ").strftime("%Y-%m-%dT%H:%M:%SZ") if found else ""
    except ValueError:
        return ""


def _watching(seen: Controls) -> list[Json]:
    holder = seen.holder.id if seen.holder else ""
    return [*sorted(w.operator for w in seen.watchers if w.id != holder)]


def _unread(keeper: Keeper | None) -> str:
    if keeper is None:
        return "no cluster is asked"
    return keeper.fault or ("" if keeper.known else "the record was not read in time")
