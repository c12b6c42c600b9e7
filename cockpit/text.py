"""Cleaning of text from outside: done once, where it enters, so that nothing below can reach a terminal raw.

Textual is no sanitizer: ESC, C1, DEL and bidi controls pass through it and can write the user's clipboard (CVE-2021-25743).
"""

from __future__ import annotations

import re

# C0 (without nothing: tab and newline too, a cell is one line), DEL, C1, bidi controls, line separators, BOM, surrogates.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\ufff9-\uffff]")
LIMIT = 1024
_LONGEST = 6
"""Characters that stand for one that was made visible."""


def clean(text: str, limit: int = LIMIT) -> str:
    """`text` with every control or bidi character made visible (`\\x1b` becomes `␛`-like `\\x1b` words) and cut at `limit`."""
    if not text.isprintable():
        text = _UNSAFE.sub(_visible, text)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def clean_end(text: str, limit: int = LIMIT) -> str:
    """`clean`, but of a text that is too long the end is kept: a log's last lines say why it ended."""
    whole = clean(text, len(text) * _LONGEST)
    return whole if len(whole) <= limit else "…" + whole[len(whole) - limit + 1 :]


def _visible(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code in (0x09, 0x0A, 0x0D):
        return " "
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"\\u{code:04x}"
