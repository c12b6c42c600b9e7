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
    if flight.identity.dry_run:
        yield f"  for real cockpit run {named}"
        return
    yield f"  status   cockpit status {named}"
    if flight.state.stage is Stage.ROLLED_BACK:
        yield f"  again    cockpit run {named}"
        return
    if flight.state.stage is not Stage.COMPLETED:
        yield f"  go on    cockpit run {named}"
    yield f"  go back  cockpit rollback {named}"


def _tried(flight: Flight) -> str:
    """A dry run changes nothing, so none of its ends is an end of a cutover."""
    state = flight.state
    phase = state.current(flight.crew.playbook)
    ended = {
        Stage.COMPLETED: "every write would be accepted",
        Stage.ROLLED_BACK: "the rollback would be accepted",
        Stage.FAILED: f"the rollback would FAIL ({state.error})" if state.error else "the rollback would FAIL",
    }
    where = f"left at {phase.name}" if phase else "left before the first phase"
    held = f" ({state.hold.reason})" if state.hold and not state.stage.ended else ""
    return f"a dry run: {ended.get(state.stage, where)}{held}; nothing was changed"


def _outcome(flight: Flight) -> str:
    state, playbook = flight.state, flight.crew.playbook
    if flight.identity.read_only:
        return "observed only; nothing was written"
    if flight.identity.dry_run:
        return _tried(flight)
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
