"""The words that the outputs share: what each mark means, and how long a waiver still counts."""

from __future__ import annotations

from datetime import date

from cockpit.model.arch import Arch
from cockpit.model.audit import Layer, Mark, Row
from cockpit.model.playbook import Waiver

GLYPHS = {Mark.FIX: "✗", Mark.GATE: "!", Mark.UNKNOWN: "?", Mark.WAIVED: "◇", Mark.PASS: "✓"}
LAYERS = {
    Layer.IMAGE: "image",
    Layer.AGENT: "agent",
    Layer.SIDECAR: "sidecar",
    Layer.LIBRARY: "native library inside of an image",
    Layer.DEPENDENCY: "locked dependency",
    Layer.SCHEDULING: "placement",
    Layer.TOPOLOGY: "cluster topology",
    Layer.AWS: "AWS surface",
}
"""What a component of each layer is called."""
_NAMED = 4
"""Objects that are named; the others are counted."""


def meaning(mark: Mark, arch: Arch) -> str:
    """What a mark says of a component."""
    return {
        Mark.FIX: f"does not run on {arch}, or would not be scheduled there",
        Mark.GATE: f"may well run on {arch}, but somebody has to say so first",
        Mark.UNKNOWN: "nobody could be asked, and what is not known is never green",
        Mark.WAIVED: "excepted in writing for now",
        Mark.PASS: f"ready for {arch}",
    }[mark]


def days_left(waiver: Waiver, day: date) -> int:
    """Days after `day` on which it still counts; below 0 it has expired."""
    return (waiver.expires - day).days


def term(waiver: Waiver, day: date) -> str:
    """`until 2026-12-15 UTC (23 days left)`, or `expired 2026-11-01 UTC (21 days ago)`: its last day ends there, not here."""
    left = days_left(waiver, day)
    if left < 0:
        return f"expired {waiver.expires} UTC ({_days(-left)} ago)"
    return f"until {waiver.expires} UTC ({f'{_days(left)} left' if left else 'its last day'})"


def excepted(row: Row, day: date) -> str:
    """Who waived a row, for how long and why; empty for a row without a waiver."""
    if not (waiver := row.waiver):
        return ""
    verb = "waived by" if row.mark is Mark.WAIVED else "waiver by"
    return f"{verb} {waiver.owner}, {term(waiver, day)}: {waiver.reason}"


def users(row: Row) -> str:
    """`deployment/a, cronjob/b and 3 more`."""
    more = len(row.used_by) - _NAMED
    return ", ".join(row.used_by[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _days(count: int) -> str:
    return f"{count} day{'' if count == 1 else 's'}"
