"""Objects that the storage does not hold one by one: what lists and watches ask of whoever makes them up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from cockpit.rehearsal.kube.history import Change, Held
from cockpit.rehearsal.kube.selectors import Selector


@dataclass(frozen=True, slots=True)
class Chosen:
    """A namespace and a selector, applied once to what objects have in common: which groups of them are worth a look."""

    namespace: str
    selector: Selector
    groups: tuple[bool, ...]
    each: bool
    """Whether the objects of those have to be looked at one by one."""

    def has(self, held: Held) -> bool:
        """Whether an object of such a group is chosen."""
        return not self.each or self.selector.matches(held.brief)


class Bulk(Protocol):
    """More objects of one resource. Their resource versions are the storage's; their order is that of their keys."""

    def find(self, namespace: str, name: str) -> Held | None:
        """The object as it is now."""
        ...

    def choose(self, namespace: str, selector: Selector) -> Chosen:
        """Those of one namespace (empty: of all) that a selector matches."""
        ...

    def list(self, at: int, chosen: Chosen, after: tuple[str, str] | None) -> Iterator[Held]:
        """As of a resource version, those after a key. KubeError 410, also later on, when that is forgotten."""
        ...

    def left(self, at: int, namespace: str, after: tuple[str, str] | None) -> int:
        """How many there are after a key as of a resource version."""
        ...

    def since(self, number: int, chosen: Chosen) -> Iterator[Change]:
        """The changes after a resource version, to be read at once. KubeError 410 when some are forgotten."""
        ...

    def listen(self, callback: Callable[[], None]) -> None:
        """Call back after changes."""
        ...
