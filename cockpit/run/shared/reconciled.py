"""What became of a write that somebody's crash has left without an outcome, for the eyes of whoever goes on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Reconciled:
    """One write: `found` is `done`, `not done` or `contradicted`; `words` say it in a sentence."""

    at: datetime
    lever: str
    target: str
    found: str
    words: str
