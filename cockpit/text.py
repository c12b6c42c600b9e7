"""Cleaning of text from outside: done once, where it enters, so that nothing below can reach a terminal raw.

Textual is no sanitizer: ESC, C1, DEL and bidi controls pass through it and can write the user's clipboard (CVE-2021-25743).
"""

from __future__ import annotations

import re

# Whatever acts on a terminal, turns text around or cannot be seen: C0 (tab and newline too, a cell is one line), DEL, C1, soft
# hyphen, joiners and fillers that draw nothing, zero-width and bidi characters, line separators, variation selectors, BOM,
# surrogates, marks for annotations, numbers, music and shorthand, tags and the selectors beside them, what is no character.
_HIDES = (
    "\x00-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_MARKS = (
    "\u0300-\u036f\u0483-\u0489\u0610-\u061a\u064b-\u065f\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u1ab0-\u1aff\u1dc0-\u1dff"
    "\u20d0-\u20ff\ufe20-\ufe2f"
)
_UNSAFE = re.compile(f"[{_HIDES}]")
_PICTURE = re.compile("(?<=[\u2190-\u2bff\U0001f000-\U0001faff])\ufe0f")
"""The selector that asks for an emoji's picture: without it the emoji is still one, and its width is what terminals think."""
_FLOOD = re.compile(f"([{_MARKS}]{{3}})[{_MARKS}]+")
"""More marks on one letter than any language writes; they would climb over the rows above."""
_SUSPECT = re.compile(f"[{_HIDES}{_MARKS}]")
LIMIT = 1024
_LONGEST = 10
"""Characters that stand for one that was made visible."""


def clean(text: str, limit: int = LIMIT) -> str:
    """`text` with every control, bidi or unseen character made visible (ESC becomes `␛`, U+202E `\\u202e`), cut at `limit`."""
    if _SUSPECT.search(text) if not text.isascii() else not text.isprintable():
        text = _UNSAFE.sub(_visible, _FLOOD.sub(r"\1", _PICTURE.sub("", text)))
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
    return "␡" if code == 0x7F else f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
