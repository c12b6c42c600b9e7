"""How a run's portability audit stands: what is under way, what was found last, or why nothing was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cockpit.model.audit import Audit, Progress


@dataclass(frozen=True, slots=True)
class Auditing:
    """`audit` is the newest that was finished, at `at`; `progress` is of one under way (None: none is).

    `why` says why the newest attempt found nothing out; empty when it did, or none was made.
    """

    audit: Audit | None = None
    at: datetime | None = None
    progress: Progress | None = None
    why: str = ""


NOT_AUDITED = Auditing()
