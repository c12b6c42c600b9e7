"""The last words on the terminal once the screen is gone: what came of the run, where its journal is, how to go on."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cockpit.run.state import Stage
from cockpit.settings import run_folder

if TYPE_CHECKING:
    from cockpit.flight import Flight

_ENDED = {
    Stage.COMPLETED: "completed: every phase was flown",
    Stage.ROLLED_BACK: "rolled back: everything is configured as it was before the run",
    Stage.FAILED: "the rollback FAILED: not everything is as it was before the run",
}


def last_words(flight: Flight, playbook: str, context: str | None = None) -> Iterator[str]:
    """Plain lines about a closed flight. `playbook` and `context` are what the command line named."""
    yield f"{flight.crew.playbook.name}: {_outcome(flight)}"
    lost = f" (incomplete: {flight.logbook.lost})" if flight.logbook.lost else ""
    yield f"  run      {flight.logbook.run}"
    yield f"  journal  {run_folder(flight.logbook.run) / 'journal.jsonl'}{lost}"
    if flight.identity.rehearsal:
        scenario = "" if flight.identity.rehearsal == "clean" else f" --scenario {shlex.quote(flight.identity.rehearsal)}"
        yield f"  again    cockpit rehearse {shlex.quote(playbook)}{scenario}"
        return
    named = shlex.quote(playbook) + (f" --context {shlex.quote(context)}" if context else "")
    yield f"  status   cockpit status {named}"
    if flight.state.stage is Stage.ROLLED_BACK:
        yield f"  again    cockpit run {named}"
        return
    if flight.state.stage is not Stage.COMPLETED:
        yield f"  go on    cockpit run {named}"
    yield f"  go back  cockpit rollback {named}"


def _outcome(flight: Flight) -> str:
    state, playbook = flight.state, flight.crew.playbook
    if flight.identity.read_only:
        return "observed only; nothing was written"
    if flight.identity.dry_run:
        return f"{state.stage}; a dry run: nothing was kept"
    if words := _ENDED.get(state.stage):
        return words + (f" ({state.error})" if state.error else "")
    phase = state.current(playbook)
    if phase is None:
        return "left before the first phase: nothing was changed"
    if state.stage is Stage.ROLLING_BACK:
        return f"left while rolling back from {phase.name}: roll back again to finish it"
    where = f"held ({state.hold.reason})" if state.hold else str(state.stage)
    after = "its world has ended" if flight.identity.rehearsal else "it stays as it is, nothing is rolled back"
    return f"left in {phase.name}, {where}; {after}"
