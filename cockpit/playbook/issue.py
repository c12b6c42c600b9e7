"""One thing that is wrong with a playbook, and where: the unit in which every check of this package speaks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from cockpit.text import clean

Path: TypeAlias = tuple[str | int, ...]
"""Keys and list indices from the document's root to a value."""

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_SHOWN = 60


def show(path: Path) -> str:
    """`path` as people write it: `phases[2].gates[0].max_drift`; keys that are no plain words come in brackets and quotes."""
    parts = [_step(step) for step in path]
    return "".join(parts).removeprefix(".")


def quoted(value: object) -> str:
    """A value of the playbook for use in a message: cleaned, short, text in double quotes."""
    return f'"{clean(value, _SHOWN)}"' if isinstance(value, str) else clean(str(value), _SHOWN)


def listed(words: Iterable[str], last: str = "or") -> str:
    """`a, b or c`."""
    *rest, final = words
    return f"{', '.join(rest)} {last} {final}" if rest else final


def _step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if _WORD.fullmatch(step) else f"[{quoted(step)}]"


class Wrong(ValueError):
    """A value is not what is due there: `what` is wrong with it and what would be `right`."""

    def __init__(self, what: str, right: str) -> None:
        super().__init__(f"{what}; {right}")
        self.what = what
        self.right = right


@dataclass(frozen=True, slots=True, order=True)
class Issue:
    """A fault at `line` and `column` (both from 1). `path` is empty for faults of the whole text, as in its syntax."""

    line: int
    column: int
    path: Path
    what: str
    right: str

    def at(self, name: str) -> str:
        """`name:line:column: path: what; right`, on one line."""
        place = f"{show(self.path)}: " if self.path else ""
        return f"{name}:{self.line}:{self.column}: {place}{self.what}; {self.right}"


class Refused(Exception):
    """The text cannot be read any further; `issues` says why."""

    def __init__(self, *issues: Issue) -> None:
        super().__init__(f"{len(issues)} issues")
        self.issues = issues


def render(issues: Iterable[Issue], name: str) -> list[str]:
    """All issues as lines, in the order of the text, each once."""
    unique = {issue.at(name): issue for issue in issues}
    return sorted(unique, key=lambda line: (unique[line].line, unique[line].column, line))
