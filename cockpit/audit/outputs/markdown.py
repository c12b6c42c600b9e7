"""The matrix as a Markdown table, with the runbook's columns, for merge requests and wikis."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cockpit.audit.outputs import words
from cockpit.audit.outputs.report import Report
from cockpit.model.audit import Row

_PLAIN = re.compile(r"[A-Za-z0-9.,;/()%'?\"→–—…-]+:?")
_LINKED = re.compile(r"(?i)[(\"']*(www\.|https?:|ftp:)")
_LIST_OR_HEADING = re.compile(r"([-+]|\d+[.)]|=+|-{2,})")


def markdown(report: Report) -> Iterator[str]:
    """Its lines. Whatever could be markup, a link or a mention of somebody stands as code."""
    yield f"## Portability to {report.arch}{f': {_words(report.playbook)}' if report.playbook else ''}"
    yield ""
    where = f" on {_code(report.cluster)}" if report.cluster else ""
    yield f"**{report.colour.upper()}**: {_words(report.why)}{where}, {report.stamp}"
    if report.rows:
        yield ""
        yield f"| Gate | Component | {report.arch} status | Action | Owner | Used by |"
        yield "|---|---|---|---|---|---|"
        yield from (_row(row) for row in report.rows)
    yield from _listed("Not looked at", [_words(fault) for fault in report.audit.faults])
    exceptions = [(row, words.excepted(row, report.audit.day)) for row in report.rows if row.waiver]
    yield from _listed("Waivers", [f"{_code(row.component)}: {_words(said)}" for row, said in exceptions])
    notes = [f"{_code(row.component)}: {_words('; '.join(row.notes))}" for row in report.rows if row.notes]
    yield from _listed("Notes", [*map(_words, report.audit.notes), *notes])


def _row(row: Row) -> str:
    cells = [f"{words.GLYPHS[row.mark]} **{row.mark}**", _code(row.component)]
    cells += [_words(text) for text in (row.status, row.action, row.owner, words.users(row))]
    return f"| {' | '.join(cells)} |"


def _listed(title: str, items: list[str]) -> Iterator[str]:
    if items:
        yield from ("", f"### {title}", "")
        yield from (f"- {item}" for item in items)


def _words(text: str) -> str:
    """Plain words as they are, every other one as code."""
    return " ".join(_word(word, first=number == 0) for number, word in enumerate(text.split()))


def _word(word: str, *, first: bool) -> str:
    plain = _PLAIN.fullmatch(word) and not _LINKED.match(word) and not (first and _LIST_OR_HEADING.fullmatch(word))
    return word if plain else _code(word)


def _code(text: str) -> str:
    """A code span (CommonMark 6.1): its fence is longer than any run of backticks inside, and no bar ends the table's cell."""
    text = " ".join(text.replace("|", "¦").split())
    if not text:
        return ""
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence} {text} {fence}" if "`" in text else f"{fence}{text}{fence}"
