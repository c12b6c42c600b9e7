"""How playbooks stand: by the record of their runs in the cluster where that can be read, else by this machine's journals.

Only reads: one ConfigMap and one Lease a playbook.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from cockpit.errors import CockpitError
from cockpit.model.playbook import Playbook
from cockpit.model.program import UNKNOWN, Position, Standing, Word
from cockpit.program.contexts import contexts
from cockpit.rules.program import stem
from cockpit.run.state import RunState, Stage
from cockpit.text import clean

if TYPE_CHECKING:
    from cockpit.connections.kube import KubeClient
    from cockpit.run.shared.record import Record

PATIENCE = 8.0
"""Wall seconds for everything that is asked of one cluster."""


class Past(Protocol):
    """The last run that this machine's journals know of; `outcome` is empty for one that did not end there."""

    @property
    def outcome(self) -> str:
        """`completed`, `rolled_back`, `held` or `failed`."""
        ...

    @property
    def phase(self) -> str:
        """The phase that it was in last."""
        ...

    @property
    def operator(self) -> str:
        """Who flew it."""
        ...


@dataclass(frozen=True, slots=True)
class Memory:
    """What this machine remembers of a playbook in a context: its `last` run and the `colour` of its last audit."""

    last: Callable[[str, str], Past | None] = lambda _name, _context: None
    colour: Callable[[str, str], str] = lambda _name, _context: ""


NOTHING = Memory()
_OUTCOMES = {
    "completed": Standing.COMPLETED,
    "rolled_back": Standing.ROLLED_BACK,
    "held": Standing.HELD,
    "failed": Standing.FAILED,
    "": Standing.UNDER_WAY,
}


async def positions(
    files: Iterable[str], memory: Memory = NOTHING, *, context_of: Mapping[str, str] | None = None
) -> dict[str, Position]:
    """How each playbook stands, by its file; `context_of` names the kubeconfig contexts of some that are not their own.

    Nothing raises: what cannot be read, connected to or understood is UNKNOWN, with the reason.
    """
    from cockpit.playbook.loader import load

    found: dict[str, Position] = {}
    wanted: dict[str | None, list[tuple[str, Playbook]]] = {}
    for file in dict.fromkeys(files):
        try:
            playbook = await asyncio.to_thread(load, Path(file))
        except CockpitError as error:
            found[file] = replace(UNKNOWN, why=clean(str(error).partition("\n")[0], 300))
            continue
        context = (context_of or {}).get(file) or playbook.target.context
        wanted.setdefault(context, []).append((file, playbook))
    known = await asyncio.to_thread(contexts) if wanted else None
    async with asyncio.TaskGroup() as tasks:
        asked = [tasks.create_task(_of_context(context, some, known, memory)) for context, some in wanted.items()]
    for task in asked:
        found |= task.result()
    return found


async def _of_context(
    context: str | None, playbooks: list[tuple[str, Playbook]], known: frozenset[str] | None, memory: Memory
) -> dict[str, Position]:
    """The positions of all playbooks of one cluster."""
    why = ""
    if known is not None and context is not None and context not in known:
        why = f"the kubeconfig has no context {clean(context, 100)}"
    found: dict[str, Position] = {}
    if not why:
        try:
            async with asyncio.timeout(PATIENCE):
                context = await _asked(context, playbooks, found)
        except TimeoutError:
            why = "its cluster does not answer in time"
        except CockpitError as error:
            why = clean(str(error).partition("\n")[0], 300)
    for file, playbook in playbooks:
        alike = [other for other, one in playbooks if other != file and _run_of(one) == _run_of(playbook)]
        if alike:
            found[file] = replace(UNKNOWN, why=f"{stem(alike[0])} names the same run: give each a metadata.name of its own")
        else:
            found[file] = _remembered(found.get(file, replace(UNKNOWN, why=why)), playbook, context or "", memory)
    return found


def _run_of(playbook: Playbook) -> tuple[str, str]:
    """What its record in the cluster is called by."""
    return playbook.target.namespace, playbook.name


async def _asked(context: str | None, playbooks: list[tuple[str, Playbook]], found: dict[str, Position]) -> str:
    """Ask about each; the context's name, which the current one has too."""
    from cockpit.connections.kube import KubeClient

    kube = await KubeClient.connect(context)
    try:
        for file, playbook in playbooks:
            found[file] = await _of(kube, playbook)
        return kube.context
    finally:
        await kube.aclose()


async def _of(kube: KubeClient, playbook: Playbook) -> Position:
    """How the cluster has one playbook's run. The errors of `KubeClient`; a record that cannot be read is UNKNOWN."""
    from cockpit.controls.document import Document
    from cockpit.run.shared.intent import Unreadable
    from cockpit.run.shared.record import Record

    kube.read_only = "a board only looks"
    stored = await Document(kube, playbook.target.namespace, playbook.name).read()
    who = await _holder(kube, playbook)
    if stored is None or "record.json" not in stored.texts:
        return Position(Standing.NOT_BEGUN, Word.CLUSTER, who=who)
    try:
        return at(Record.parse(stored.texts), playbook, who)
    except Unreadable as error:
        return Position(who=who, why=clean(str(error), 300))


def at(record: Record, playbook: Playbook, who: str = "") -> Position:
    """A run's record as a position. A write without a known outcome keeps it from being complete."""
    state = record.state
    standing = _standing(state)
    if standing in (Standing.COMPLETED, Standing.ROLLED_BACK) and not record.ended:
        return Position(Standing.HELD, Word.CLUSTER, record.phase, who, why="a write of it has no known outcome")
    last = playbook.phases[-1].name
    if standing is Standing.COMPLETED and record.phase != last:
        why = f"its run ended at {record.phase}; the playbook ends at {last} now"
        return Position(Standing.UNKNOWN, Word.CLUSTER, record.phase, who, why=why)
    return Position(standing, Word.CLUSTER, record.phase, who)


def _standing(state: RunState) -> Standing:
    match state.stage:
        case Stage.COMPLETED:
            return Standing.COMPLETED
        case Stage.ROLLED_BACK:
            return Standing.ROLLED_BACK
        case Stage.FAILED:
            return Standing.FAILED
        case Stage.READY if state.phase < 0 and not state.hold:
            return Standing.NOT_BEGUN
        case _:
            return Standing.HELD if state.hold else Standing.UNDER_WAY


async def _holder(kube: KubeClient, playbook: Playbook) -> str:
    """Who has the controls by the Lease; empty when nobody has, or that cannot be read."""
    from cockpit.controls.api import Place
    from cockpit.controls.lease import parse

    where = Place(playbook.target.namespace, playbook.name)
    with suppress(CockpitError):
        holder = parse(await kube.get(f"{where.leases}/{where.name}")).holder
        return holder.operator if holder else ""
    return ""


def _remembered(found: Position, playbook: Playbook, context: str, memory: Memory) -> Position:
    """With what this machine remembers, where the cluster does not tell."""
    with suppress(CockpitError, OSError):
        found = replace(found, colour=memory.colour(playbook.name, context))
        if found.standing is Standing.UNKNOWN and found.word is Word.NOBODY and (past := memory.last(playbook.name, context)):
            standing = _OUTCOMES.get(past.outcome, Standing.UNKNOWN)
            return replace(found, standing=standing, word=Word.HISTORY, phase=past.phase, who=found.who or past.operator)
    return found
