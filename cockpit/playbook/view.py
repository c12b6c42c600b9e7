"""A tolerant look at a document: checks of meaning ask for what they need and pass over whatever is of the wrong form.

So a file whose form has faults still gets every check of meaning that its sound parts allow, and all errors come at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from cockpit.model.json import Json
from cockpit.playbook.issue import Path, Wrong
from cockpit.playbook.text import Ambiguous

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not make sense at `path`: what, and what would be right."""

    path: Path
    what: str
    right: str


@dataclass(frozen=True, slots=True)
class View:
    """A value and its path; a value that is not there is None, as is a null."""

    value: Json
    path: Path = ()

    def get(self, *keys: str) -> View:
        """The value under `keys`, one inside the other."""
        view = self
        for key in keys:
            inner = view.value.get(key) if isinstance(view.value, dict) else None
            view = View(inner, (*view.path, key))
        return view

    def has(self, key: str) -> bool:
        """There is a mapping with `key`, whatever its value."""
        return isinstance(self.value, dict) and key in self.value

    def wrong(self, what: str, right: str) -> Finding:
        """A finding about this value."""
        return Finding(self.path, what, right)

    @property
    def items(self) -> tuple[View, ...]:
        """The items of a list; none for anything else."""
        values = self.value if isinstance(self.value, list) else []
        return tuple(View(value, (*self.path, index)) for index, value in enumerate(values))

    @property
    def entries(self) -> tuple[tuple[str, View], ...]:
        """The keys and values of a mapping; none for anything else."""
        values = self.value if isinstance(self.value, dict) else {}
        return tuple((key, View(value, (*self.path, key))) for key, value in values.items())

    @property
    def there(self) -> bool:
        """There is a value, and it is not null."""
        return self.value is not None

    @property
    def text(self) -> str | None:
        """The value when it is text."""
        return self.value if isinstance(self.value, str) and not isinstance(self.value, Ambiguous) else None

    @property
    def whole(self) -> int | None:
        """The value when it is a whole number."""
        return self.value if isinstance(self.value, int) and not isinstance(self.value, bool) else None

    def read(self, reader: Callable[[Json], T]) -> T | None:
        """What `reader` makes of the value; None when it is not there or wrong."""
        try:
            return reader(self.value) if self.there and not isinstance(self.value, Ambiguous) else None
        except Wrong:
            return None
