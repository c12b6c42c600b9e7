"""Which image who uses, and the rows that follow: of images, of their layers, and of what admission adds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from cockpit.model.arch import Arch
from cockpit.model.audit import Layer, Mark, Row
from cockpit.model.builds import ImageFacts
from cockpit.model.layers import Scan
from cockpit.model.playbook import Playbook
from cockpit.model.workload import Role, Use, Workload
from cockpit.rules.portability.agents import replaced
from cockpit.rules.portability.ground import Ground
from cockpit.rules.portability.images import rows_of_image
from cockpit.rules.portability.libraries import rows_of_scan
from cockpit.rules.portability.scheduling import owner_of, stays

MOST_NAMED = 3


@dataclass(slots=True)
class Users:
    """Who uses one image: the words for a row, the owner, and whether all of them stay where they are."""

    words: list[str] = field(default_factory=list)
    owner: str = ""
    leaves: bool = False
    """Somebody who uses it is moved."""


def users(workloads: Sequence[Workload], images: Iterable[str], ground: Ground, playbook: Playbook | None) -> dict[str, Users]:
    """Every image reference with its users, in order of appearance; `images` are those that were asked for by name."""
    twins = replaced(workloads, ground)
    agents = {agent.daemonset: agent.signed_off_by for agent in playbook.agents} if playbook else {}
    found: dict[str, Users] = {}
    for workload in workloads:
        for use in workload.uses:
            if not use.image:
                continue
            mine = found.setdefault(use.image, Users())
            mine.words.append(_words(workload, use))
            mine.owner = mine.owner or agents.get(workload.ref, "") or owner_of(workload, playbook)
            mine.leaves = mine.leaves or not (stays(workload, playbook) or workload.name in twins)
    for image in images:
        found.setdefault(image, Users()).leaves = True
    return found


def nameless(workloads: Iterable[Workload], playbook: Playbook | None) -> Iterator[Row]:
    """A row for each container that names no image, and for each workload in which no container was found."""
    for workload in workloads:
        if workload.hollow:
            status, action = "no container of it was found: what it runs is not known", "mend it, or audit what it makes"
            yield _nameless(workload, workload.name, status, action, playbook)
        for use in workload.uses:
            if not use.image:
                name = f"{workload.name}/{use.container}"
                yield _nameless(workload, name, f"{use.role} {use.container} names no image", "name one", playbook)


def _nameless(workload: Workload, name: str, status: str, action: str, playbook: Playbook | None) -> Row:
    owner = owner_of(workload, playbook)
    return Row(f"{Layer.IMAGE}/{name}", Layer.IMAGE, Mark.UNKNOWN, status, action, owner, (workload.shown,))


def image_rows(facts: ImageFacts, mine: Users, arch: Arch, today: date) -> Iterator[Row]:
    """The rows of one image. One that nothing uses but what stays where it is needs no build for `arch`."""
    for row in rows_of_image(facts, arch, today, used_by=tuple(dict.fromkeys(mine.words)), owner=mine.owner):
        home = not mine.leaves and not facts.fault and not any(facts.on(arch)) and any(facts.on(arch.other))
        if home:
            status = f"{', '.join(facts.platforms)}: nothing that uses it leaves {arch.other}"
            row = replace(row, mark=Mark.PASS, status=status, action="")
        yield row


def scan_rows(scan: Scan, mine: Users, arch: Arch) -> Iterator[Row]:
    """The rows of one image's layers."""
    yield from rows_of_scan(scan, arch, used_by=tuple(dict.fromkeys(mine.words)), owner=mine.owner)


def sidecars(workloads: Iterable[Workload]) -> Iterator[Row]:
    """A row for each namespace in which admission adds containers, or in which it is not known whether it does."""
    spaces: dict[str, list[Workload]] = {}
    for workload in workloads:
        spaces.setdefault(workload.ref.namespace, []).append(workload)
    for namespace, mine in sorted(spaces.items()):
        blind = [w for w in mine if w.unseen]
        if blind:
            yield _unseen(namespace, blind)
        elif added := _added(mine):
            yield _injected(namespace, added)


def _unseen(namespace: str, blind: Sequence[Workload]) -> Row:
    return Row(
        component=f"{Layer.SIDECAR}/{namespace}",
        layer=Layer.SIDECAR,
        mark=Mark.UNKNOWN,
        status=f"what admission adds to pods of {_named(blind)} is not known: {blind[0].unseen}",
        action="audit as somebody who may create pods there (nothing is kept of a dry run), or look at the webhooks by hand",
        used_by=tuple(w.shown for w in blind),
    )


def _added(mine: Sequence[Workload]) -> Mapping[Use, list[str]]:
    added: dict[Use, list[str]] = {}
    for workload in mine:
        for use in workload.uses:
            if use.role is Role.INJECTED:
                added.setdefault(use, []).append(workload.shown)
    return added


def _injected(namespace: str, added: Mapping[Use, list[str]]) -> Row:
    words = ", ".join(f"{use.container} ({use.image})" for use in sorted(added, key=lambda u: (u.container, u.image)))
    by = tuple(dict.fromkeys(name for names in added.values() for name in names))
    return Row(f"{Layer.SIDECAR}/{namespace}", Layer.SIDECAR, Mark.PASS, f"admission adds {words}, audited as images", used_by=by)


def _words(workload: Workload, use: Use) -> str:
    return workload.shown if use.role is Role.MAIN else f"{workload.shown}, {use.role} {use.container}"


def _named(workloads: Sequence[Workload]) -> str:
    more = f" and {len(workloads) - MOST_NAMED} more" if len(workloads) > MOST_NAMED else ""
    return ", ".join(w.name for w in workloads[:MOST_NAMED]) + more
