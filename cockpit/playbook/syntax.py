"""What the YAML parser complains of, in plain words and at the place that helps most."""

from __future__ import annotations

from typing import Any

import yaml

from cockpit.playbook.issue import Issue, quoted

# What libyaml and PyYAML's own parser say, as substrings of "context problem", and what that means to a person.
_SAYINGS = (
    ("quoted scalar found unexpected end", "a quoted text is opened here and never closed", "close it with the same quote"),
    ("flow sequence", "a list in [ ] is not closed, or a comma is missing", "write it like [a, b]"),
    ("flow mapping", "a mapping in { } is not closed, or a comma is missing", "write it like {a: 1, b: 2}"),
    (
        "mapping values are not allowed",
        "a colon stands where no key can be",
        'quote text that holds ": ", or mend the indentation',
    ),
    (
        "cannot start any token",
        "a value cannot begin with this character",
        "indent with spaces, not tabs; quote text with @ ` or %",
    ),
    ("block mapping", "this line does not fit the indentation of its mapping", "indent all keys of one mapping alike"),
    ("block collection", "this line does not fit the list above it", "indent all items of one list alike, each with `- `"),
    ("could not find expected ':'", "a key has no colon", "write `key: value`"),
    ("escape character", "a backslash escape in a quoted text is unknown", "use single quotes, or write two backslashes"),
    ("escape code", "an escape in a quoted text names no character", "write the character itself"),
    ("expected <document start>", "text goes on after the document's end", "keep one playbook a file"),
    ("directive", "a % directive is not allowed", "remove the lines that begin with %"),
)
_OPENERS = 3
"""So many of the sayings are about something left open: the place where it was opened helps more than the end of the file."""


def explain(error: yaml.YAMLError, text: str) -> Issue:
    """The parser's `error` over `text` as an issue."""
    problem = getattr(error, "problem", None) or "the text cannot be parsed"
    said = f"{getattr(error, 'context', None) or ''} {problem}"
    mark, opened = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    number = next((n for n, (words, _, _) in enumerate(_SAYINGS) if words in said), None)
    if number is None:
        what, right = f"not valid YAML here: {quoted(problem)[1:-1]}", "check indentation, quotes and colons around this place"
        return Issue(*place(mark), (), what, right)
    at_end = mark is not None and mark.index >= len(text.rstrip())
    _, what, right = _SAYINGS[number]
    return Issue(*place(opened if opened and at_end and number < _OPENERS else mark), (), what, right)


def place(mark: Any) -> tuple[int, int]:
    """Line and column of a yaml mark, both from 1; the text's beginning without one."""
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)
