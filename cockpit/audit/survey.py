"""The audit as a whole: what is there, which image each of it uses, what the rules say of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Iterator, Mapping

from cockpit.audit.ask import Ask, Servers
from cockpit.audit.components import Components, components
from cockpit.audit.images import Images
from cockpit.audit.telling import Say, Teller
from cockpit.errors import CockpitError
from cockpit.model.audit import Audit, Progress, Row
from cockpit.model.builds import ImageFacts
from cockpit.rules.portability.agents import agents
from cockpit.rules.portability.budgets import budgets
from cockpit.rules.portability.compose import compose
from cockpit.rules.portability.ground import Ground
from cockpit.rules.portability.scheduling import scheduling
from cockpit.rules.portability.topology import topology
from cockpit.rules.portability.used import Users, image_rows, nameless, scan_rows, sidecars, users
from cockpit.text import clean


class _Area:
    """Rows and faults of the whole audit, from parts that may fail one by one."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.faults: list[str] = []

    async def part(self, what: str, work: Awaitable[Iterable[Row]]) -> None:
        """Take a part's rows. One that fails is a fault: only the cockpit's own errors are known to hold no secret."""
        try:
            self.rows += await work
        except CockpitError as error:
            self.faults += [clean(line, 500) for line in str(error).splitlines()] or [what]
        except Exception as error:
            self.faults.append(f"{what} could not be audited ({type(error).__name__})")


def quiet(_progress: Progress) -> None:
    """Nobody listens."""


async def survey(ask: Ask, servers: Servers, say: Say = quiet) -> Audit:
    """Look at everything that `ask` names; `say` is called on the event loop as pieces of work are found and done.

    Read-only. Whatever cannot be looked at becomes an UNKNOWN row, or a fault of the Audit when it is a whole area: this raises
    nothing but cancellation.
    """
    teller, area = Teller(say), _Area()
    await asyncio.gather(
        area.part("workloads and images", _workloads(ask, servers, teller, area.faults)),
        area.part("the AWS surfaces", _aws(ask, servers, teller, area.faults)),
        area.part("the lockfiles", _lockfiles(ask, teller)),
    )
    return compose(area.rows, ask.waivers, ask.today, area.faults)


async def _workloads(ask: Ask, servers: Servers, teller: Teller, faults: list[str]) -> list[Row]:
    async with Images(ask, servers, teller) as images:
        images.begin(ask.images)
        found = await components(ask, servers, teller, images.begin)
        faults += found.faults
        ground = Ground(ask.arch, found.nodes, found.pools)
        known = await asyncio.to_thread(users, found.workloads, ask.images, ground, ask.playbook)
        facts = await images.facts(known)
        rows: list[Row] = []
        if ask.deep:
            scans = await images.scans(ref for ref, told in facts.items() if any(told.on(ask.arch)))
            rows = [row for ref, scan in scans.items() for row in scan_rows(scan, known[ref], ask.arch)]
    # Seconds in a large cluster: a flight's event loop goes on meanwhile.
    return rows + await asyncio.to_thread(lambda: [*_judged(ask, found, ground, facts, known)])


def _judged(
    ask: Ask, found: Components, ground: Ground, facts: Mapping[str, ImageFacts], known: Mapping[str, Users]
) -> Iterator[Row]:
    """What the rules say, given what the registries said."""
    yield from (row for ref, told in facts.items() for row in image_rows(told, known[ref], ask.arch, ask.today))
    yield from scheduling(found.workloads, ground, ask.playbook)
    yield from agents(found.workloads, ground, ask.playbook, facts)
    yield from budgets(found.budgets, found.workloads, ask.playbook)
    yield from topology(found.workloads, ground, ask.playbook, facts)
    yield from sidecars(found.workloads)
    yield from nameless(found.workloads, ask.playbook)


async def _lockfiles(ask: Ask, teller: Teller) -> tuple[Row, ...]:
    if not ask.lockfiles:
        return ()
    from cockpit.audit.lockfiles import survey_lockfiles

    say = teller.area("lockfiles")
    return await survey_lockfiles(ask.lockfiles, ask.index_url, arch=ask.arch, python=ask.python, say=say)


async def _aws(ask: Ask, servers: Servers, teller: Teller, faults: list[str]) -> tuple[Row, ...]:
    surfaces = ask.playbook.portability.aws if ask.playbook and ask.aws else None
    if surfaces is None:
        return ()
    from cockpit.audit.aws.survey import survey_aws

    found = await survey_aws(surfaces, servers.session, teller.area("aws"), kube=servers.kube, clock=servers.clock)
    faults += found.faults
    return found.rows
