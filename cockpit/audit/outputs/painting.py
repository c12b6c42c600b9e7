"""Lines of a table as text for a terminal, in colour or without. Nothing in them acts on a terminal but the colours."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from cockpit.audit.outputs.table import Line, Tone
from cockpit.audit.outputs.words import GLYPHS
from cockpit.model.audit import Mark
from cockpit.redact import without_known
from cockpit.text import clean

_CODES = {
    Tone.STRONG: "1",
    Tone.QUIET: "2",
    Tone.FIX: "1;31",
    Tone.GATE: "33",
    Tone.UNKNOWN: "35",
    Tone.WAIVED: "36",
    Tone.PASS: "32",
}
"""Select Graphic Rendition, ECMA-48 8.3.117: the sixteen colours that every terminal's theme has chosen for its ground."""


def coloured(environ: Mapping[str, str], *, terminal: bool) -> bool:
    """Colour is for terminals that know it, and for people who have not asked for none (no-color.org)."""
    return terminal and not environ.get("NO_COLOR") and environ.get("TERM") not in (None, "", "dumb")


def encodable(text: str, encoding: str | None) -> str:
    """`text` with the glyph of what is waived as `~` where the output's encoding has none for it."""
    glyph = GLYPHS[Mark.WAIVED]
    try:
        glyph.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return text.replace(glyph, "~")
    return text


def painted(line: Line, *, colour: bool) -> str:
    """One line."""
    return "".join(_span(clean(without_known(text), sys.maxsize), tone, colour) for text, tone in line)


def _span(text: str, tone: Tone, colour: bool) -> str:
    code = _CODES.get(tone) if colour and text.strip() else None
    return f"\x1b[{code}m{text}\x1b[0m" if code else text
