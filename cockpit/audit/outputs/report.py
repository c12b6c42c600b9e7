"""A finished audit with what it was of: what every form of output is made from. Texts are redacted and cleaned here, once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from cockpit.model.arch import Arch
from cockpit.model.audit import WORST_FIRST, Audit, Mark, Row
from cockpit.model.playbook import Portability, Waiver
from cockpit.redact import told
from cockpit.rules.portability.gate import Colour, colour

LONGEST = 4096
"""Characters of one text."""


@dataclass(frozen=True, slots=True)
class Report:
    """An audit made at `time` (UTC), for moving to `arch`.

    `playbook` is its name and `source` its file, both empty without one; `require` is what its gate asks for. `cluster` is the
    context that was asked, empty when none was. `files` are the other files that were looked at; `texts` the content of each
    file that could be read, by its name, to point at lines of it.
    """

    audit: Audit
    time: datetime
    arch: Arch
    version: str
    require: str = Portability().require
    playbook: str = ""
    source: str = ""
    cluster: str = ""
    files: tuple[str, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> tuple[Row, ...]:
        """Grouped by mark, the worst first; within a mark as the audit has them."""
        return tuple(sorted(self.audit.rows, key=lambda row: WORST_FIRST.index(row.mark)))

    @property
    def counts(self) -> dict[Mark, int]:
        """How many rows have each mark, the worst first."""
        found = Counter(row.mark for row in self.audit.rows)
        return {mark: found[mark] for mark in WORST_FIRST}

    @property
    def stamp(self) -> str:
        """The time as RFC 3339 in UTC."""
        return self.time.isoformat(timespec="seconds").replace("+00:00", "Z")

    @property
    def colour(self) -> Colour:
        """Whether the first phase may start: what is waived counts as red where the gate asks for green."""
        return colour(self.audit, self.audit.day, self.require)

    @property
    def why(self) -> str:
        """The colour's reason, in a few words."""
        if not self.audit.rows:
            return "nothing was found to look at" if not self.audit.faults else "nothing could be looked at"
        said = [f"{count} {mark}" for mark, count in self.counts.items() if count]
        if self.audit.faults:
            said.insert(0, f"{len(self.audit.faults)} not looked at")
        if self.audit.clear and not self.audit.green and self.require == "green":
            said.append("portability.require is green, which accepts no waiver")
        return ", ".join(said)


def safe(audit: Audit) -> Audit:
    """The audit with every text redacted, without a character that acts on a terminal, and of a bounded length."""
    return replace(audit, rows=tuple(map(_safe, audit.rows)), faults=_each(audit.faults), notes=_each(audit.notes))


def _safe(row: Row) -> Row:
    return replace(
        row,
        component=_told(row.component),
        status=_told(row.status),
        action=_told(row.action),
        owner=_told(row.owner),
        used_by=_each(row.used_by),
        notes=_each(row.notes),
        waiver=_waiver(row.waiver) if row.waiver else None,
    )


def _waiver(waiver: Waiver) -> Waiver:
    return Waiver(_told(waiver.component), _told(waiver.reason), _told(waiver.owner), waiver.expires)


def _each(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(_told, texts))


def _told(text: str) -> str:
    return told(text, LONGEST)
