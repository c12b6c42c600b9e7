"""Which of the resources that are there a playbook means, and words for those that it names and that are not there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from cockpit.model.surfaces import Selection
from cockpit.rules.portability.aws.verdict import Judged, unknown
from cockpit.text import clean

Tags: TypeAlias = Mapping[str, str]
LONGEST = 200
"""Characters of a name."""


@dataclass(frozen=True, slots=True)
class Item:
    """A resource before it is judged: its name as rows have it, and what else it goes by. `tags` None: to be asked for."""

    name: str
    arn: str = ""
    also: tuple[str, ...] = ()
    """Other names that mean it, as the cluster that a database is in."""
    tags: Tags | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)
    shown: str = ""
    """Its name in rows, where that is another one."""
    used_by: tuple[str, ...] = ()

    @property
    def goes_by(self) -> tuple[str, ...]:
        """Every name that means it."""
        return (self.name, self.arn, *self.also)


async def choose(
    selection: Selection, items: Sequence[Item], tags_of: Callable[[Item], Awaitable[Tags]] | None = None
) -> list[Item]:
    """What the selection means among `items`, in their order. `tags_of` asks for the tags of one that came without."""
    named = set(selection.names)
    searched = await asyncio.gather(*(_searched(selection, item, tags_of) for item in items))
    return [item for item, found in zip(items, searched, strict=True) if found or named.intersection(item.goes_by)]


def missing(selection: Selection, items: Iterable[Item]) -> list[Judged]:
    """A row for each name that means nothing, or one for a search that found nothing."""
    there = {name for item in items for name in item.goes_by}
    gone = [name for name in selection.names if name not in there]
    rows = [unknown(selection.surface, short(name), *_gone(selection, name)) for name in gone]
    if selection.searches and not there:
        rows.append(nothing(selection))
    return rows


def nothing(selection: Selection) -> Judged:
    """The row for a prefix or tags that nothing has."""
    has = [f"a name beginning with {selection.prefix}"] if selection.prefix else []
    has += [f"the tag {key}={value}" for key, value in selection.tags.items()]
    why = f"nothing there has {' and '.join(has)}"
    right = f"correct portability.aws.{selection.surface} in the playbook, or look at the Region and account"
    return unknown(selection.surface, f"{selection.prefix}*", why, selection.owner, right)


def tags(found: Any, key: str = "Key", value: str = "Value") -> Tags:
    """Tags as they come in a list of pairs, or as a mapping."""
    if isinstance(found, Mapping):
        return {str(k): str(v) for k, v in found.items()}
    return {str(one.get(key, "")): str(one.get(value, "")) for one in found or ()}


def short(name: str) -> str:
    """The end of an ARN; anything else as it is."""
    return clean(name.rpartition(":")[2] if name.startswith("arn:") else name, LONGEST)


def _gone(selection: Selection, name: str) -> tuple[str, str, str]:
    right = f"correct portability.aws.{selection.surface}.names in the playbook, or look at the Region and account"
    return f"there is no {clean(name, LONGEST)}", selection.owner, right


async def _searched(selection: Selection, item: Item, tags_of: Callable[[Item], Awaitable[Tags]] | None) -> bool:
    if not selection.searches or not item.name.startswith(selection.prefix):
        return False
    if not selection.tags:
        return True
    if item.tags is not None:
        return selection.tags.items() <= item.tags.items()
    return tags_of is not None and selection.tags.items() <= (await tags_of(item)).items()
