"""Who wrote a field of a Kubernetes object last, as its metadata.managedFields tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cockpit.model.json import Json

OURS = "cutover-cockpit"
"""The field manager that every write of a cockpit names."""
UNKNOWN = "not known: managedFields name nobody, as who removes a field owns nothing; the API server's audit log knows"
"""For people, where there is no writer to be found."""


@dataclass(frozen=True, slots=True)
class Manager:
    """One entry of managedFields. `fields` is its fieldsV1; `subresource` is `status` or `scale` for what controllers report."""

    name: str
    at: datetime | None = None
    subresource: str = ""
    fields: Json = None


@dataclass(frozen=True, slots=True)
class Writer:
    """Who wrote, and when (None: not told)."""

    name: str
    at: datetime | None = None

    def __str__(self) -> str:
        return f"{self.name} at {self.at:%H:%M:%S}" if self.at else self.name


def writer(managers: Sequence[Manager], path: Sequence[str]) -> Writer | None:
    """Whoever else wrote the field at `path` (`f:spec`, ...) last, or what lies below it; None when nobody is known.

    Whoever removes a field owns nothing of it afterwards: then it is who wrote to the object last, if that was after us. The
    server tells whole seconds: whoever wrote in the very second in which we did is accused only when the field is no longer ours.
    """
    ours = max((m.at for m in managers if m.name == OURS and m.at), default=None)
    others = [m for m in managers if m.name != OURS and not m.subresource and not (ours and m.at and m.at < ours)]
    kept = any(m.name == OURS and owns(m.fields, path) for m in managers)
    owning = [m for m in others if owns(m.fields, path) and not (kept and ours and m.at == ours)]
    later = [m for m in others if ours and m.at and m.at > ours]
    newest = max(owning or later, key=_time, default=None)
    return Writer(newest.name, newest.at) if newest else None


def owns(fields: Json, path: Sequence[str]) -> bool:
    """Whether a fieldsV1 names the field at `path`, or something below it."""
    for step in path:
        if not isinstance(fields, dict) or step not in fields:
            return False
        fields = fields[step]
    return True


def _time(manager: Manager) -> float:
    return manager.at.timestamp() if manager.at else 0.0
