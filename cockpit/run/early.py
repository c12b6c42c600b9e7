"""What a run records of the program it belongs to: by whose waivers it started before what it depends on was complete."""

from __future__ import annotations

from collections.abc import Sequence

from cockpit.model.event import EventType
from cockpit.model.json import Json
from cockpit.model.program import EarlyStart
from cockpit.model.verdict import Outcome
from cockpit.run.logbook import Logbook

GATE = "program"


def record_early_start(logbook: Logbook, waivers: Sequence[EarlyStart]) -> None:
    """Record each waiver that was used; nothing when there was no need of one."""
    if not waivers:
        return
    used: list[Json] = [
        {"tier": w.tier, "before": w.before, "reason": w.reason, "owner": w.owner, "expires": w.expires.isoformat()}
        for w in waivers
    ]
    words = f"{GATE}: started early on {len(waivers)} waiver{'' if len(waivers) == 1 else 's'}"
    told = "; ".join(waiver.words() for waiver in waivers)
    logbook.say(EventType.GATE, f"{words}: {told}", gate=GATE, verdict=str(Outcome.PASS), open=True, waiting=[], waivers=used)
