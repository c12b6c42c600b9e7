"""What a run records of its portability audit: each change of its verdict, and the waivers on which its beginning rests."""

from __future__ import annotations

from cockpit.model.audit import Audit
from cockpit.model.event import EventType
from cockpit.model.json import Json
from cockpit.model.playbook import Playbook
from cockpit.model.snapshot import Snapshot, SourceName
from cockpit.model.verdict import Outcome, Verdict
from cockpit.rules.portability.gate import GATE, Colour, colour, gate, red, used
from cockpit.run.logbook import Logbook


class PortabilityWatch:
    """Says once what each finished audit found, before the first phase and, where that is worse than before, later."""

    def __init__(self, logbook: Logbook, playbook: Playbook) -> None:
        self._logbook = logbook
        self._playbook = playbook
        self._said: tuple[Outcome, tuple[str, ...]] | None = None

    def look(self, snapshot: Snapshot) -> None:
        """Compare this picture's audit with the one before; one that is under way, or was never asked for, says nothing."""
        seen = snapshot.source(SourceName.PORTABILITY)
        today = snapshot.time.date()
        verdict = gate(self._playbook.portability, snapshot.auditing, seen, today)
        audit = snapshot.auditing.audit
        if verdict is None or audit is None or snapshot.auditing.progress:
            return
        names = tuple(row.component for row in red(audit, today))
        if self._said != (verdict.outcome, names):
            self._said = verdict.outcome, names
            self._say(verdict, audit, colour(audit, today, self._playbook.portability.require), names)

    def _say(self, verdict: Verdict, audit: Audit, word: Colour, names: tuple[str, ...]) -> None:
        waiting: list[Json] = [] if verdict.passed else [GATE]
        self._logbook.say(
            EventType.GATE,
            f"{GATE} {verdict.outcome}: {verdict.reason}",
            gate=GATE,
            verdict=str(verdict.outcome),
            open=verdict.passed,
            waiting=waiting,
            colour=str(word),
            red=[*names],
            faults=[*audit.faults],
        )


def record_use(logbook: Logbook, playbook: Playbook, snapshot: Snapshot) -> None:
    """Record on which audit, and on whose waivers, the first phase is set."""
    audit = snapshot.auditing.audit
    if playbook.portability.require == "off" or audit is None:
        return
    found = used(audit)
    waivers: list[Json] = [
        {
            "component": one.component,
            "reason": one.waiver.reason,
            "owner": one.waiver.owner,
            "expires": one.waiver.expires.isoformat(),
        }
        for one in found
    ]
    told = "; ".join(f"{w.component} by {w.waiver.owner} until {w.waiver.expires}: {w.waiver.reason}" for w in found)
    count = f"{len(found)} waiver{'' if len(found) == 1 else 's'}"
    words = f"begun on {count}: {told}" if found else f"begun on {len(audit.rows)} components that all pass"
    logbook.say(
        EventType.GATE,
        f"{GATE}: {words}",
        gate=GATE,
        verdict=str(Outcome.PASS),
        open=True,
        waiting=[],
        colour=str(colour(audit, snapshot.time.date(), playbook.portability.require)),
        audited=audit.day.isoformat(),
        waivers=waivers,
    )
