"""Bytes -> text: size, encoding, and characters that nobody can see."""

from __future__ import annotations

import re
from typing import Final

from cockpit.playbook.issue import Issue, Refused

MAX_BYTES: Final = 256 * 1024

_MAX_REPORTED = 20

# What cannot be seen, or reorders what is seen: C0 but for tab and line ends, DEL, C1, bidi and zero-width, BOM, surrogates.
UNSEEN: Final = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\ufff9-\uffff]"
)
_BREAK = re.compile(r"\r\n|\r|\n")


def decode(data: bytes | str) -> str:
    """The playbook's text. Refused: over 256 KB, not UTF-8, or holding characters that nobody can see."""
    if len(data) > MAX_BYTES:
        raise Refused(_too_large())
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    if len(raw) > MAX_BYTES:
        raise Refused(_too_large())
    text = _utf8(raw) if isinstance(data, bytes) else data
    if issues := [_unseen(text, m) for m, _ in zip(UNSEEN.finditer(text), range(_MAX_REPORTED), strict=False)]:
        raise Refused(*issues)
    return text


def _too_large() -> Issue:
    return Issue(1, 1, (), f"it is larger than {MAX_BYTES // 1024} KB", "a playbook is far smaller: is this the right file?")


def _utf8(raw: bytes) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Refused(Issue(1, 1, (), "this is UTF-16 or UTF-32 text", "save it as UTF-8"))
    if raw.startswith(b"\xef\xbb\xbf"):
        raise Refused(Issue(1, 1, (), "it begins with a byte order mark", "save it as UTF-8 without BOM"))
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line, column = _position(raw[: error.start].decode("utf-8"))
        what = f"the byte 0x{raw[error.start]:02x} is not UTF-8"
        raise Refused(Issue(line, column, (), what, "save it as UTF-8")) from None


def _unseen(text: str, match: re.Match[str]) -> Issue:
    line, column = _position(text[: match.start()])
    code = ord(match.group())
    right = "save it as UTF-8, not UTF-16 or a binary file" if code == 0 else "remove it"
    return Issue(line, column, (), f"the unseen character U+{code:04X} is not allowed", right)


def _position(before: str) -> tuple[int, int]:
    lines = _BREAK.split(before)
    return len(lines), len(lines[-1]) + 1
