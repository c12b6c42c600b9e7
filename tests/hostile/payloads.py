"""Text that is meant to do harm on a terminal, drawn by a seed; each carries a mark by which it is found again."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

COUNT = 500
_CSI = (
    "2J",
    "1;1H",
    "?1049h",
    "?1049l",
    "31;7;31m",
    "777;777H",
    "6n",
    "c",
    "21t",
    "?1000h",
    ">4;2m",
    "20h",
    "1000000b",
    "?2004l",
)
_OSC = (
    "0;title",
    "8;;https://evil.example.com",
    "52;c;UFdORUQ=",
    "52;c;?",
    "4;1;?",
    "10;#000",
    "9;notify",
    "777;notify;a;b",
    "1337;File=:AA",
)
_STRINGS = (
    '\x1bP$q"p',
    "\x1b_Gi=1,a=q;AAAA",
    "\x1b^private",
    "\x1bX",
    "\x1bc",
    "\x1b#8",
    "\x1b(0",
    "\x1b7",
    "\x1b[200~",
    "\x0e",
    "\x05",
)
_BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
_UNSEEN = "\u200b\u200c\u200d\u2060\u2061\u2063\ufeff\u00ad\u034f\u115f\u3164\uffa0\u180e\ufe00\ufe0f\u2028\u2029"
_TAGS = "".join(map(chr, (0xE0001, 0xE0041, 0xE007F, 0xE0100)))
_MARKUP = (
    "[@click=app.quit]x[/]",
    "[@click='app.perform(\"rollback\")']x[/]",
    "[/foo]",
    "[bold red]x",
    "[link=https://evil.example.com]x[/link]",
    "[on click=app.bell]x[/]",
    "[$error]x[/$error]",
    "\\[@click=app.quit]x[/]",
    "[[",
    "]][",
    ":skull:",
    "{{arch}}",
    "%s%n{0.__class__}",
    "$(id)`id`",
    "../../../etc/passwd",
)


def payloads(count: int, seed: int) -> Iterator[str]:
    """`count` payloads, all kinds in turn; the mark of the n-th is `Qn` and nothing else in it is a `Q` before a digit."""
    draw = random.Random(seed)
    for number in range(count):
        yield f"Q{number}" + _KINDS[number % len(_KINDS)](draw) + "Z"


def _escape(draw: random.Random) -> str:
    return "\x1b[" + draw.choice(_CSI) + "EVIL"


def _c1(draw: random.Random) -> str:
    return chr(draw.randrange(0x80, 0xA0)) + draw.choice(_CSI) + "\x85EVIL\x9c"


def _osc(draw: random.Random) -> str:
    return draw.choice(("\x1b]", "\x9d")) + draw.choice(_OSC) + draw.choice(("\x07", "\x1b\\", "\x9c"))


def _string(draw: random.Random) -> str:
    return draw.choice(_STRINGS) + "EVIL\x1b\\"


def _c0(draw: random.Random) -> str:
    return "".join(chr(draw.choice([*range(0x01, 0x20), 0x7F])) for _ in range(draw.randrange(1, 12)))


def _bidi(draw: random.Random) -> str:
    return "".join(draw.choice(_BIDI) + draw.choice("abc") for _ in range(draw.randrange(1, 6)))


def _unseen(draw: random.Random) -> str:
    return "".join(draw.choice(_UNSEEN + _TAGS) + draw.choice("abc") for _ in range(draw.randrange(1, 6)))


def _markup(draw: random.Random) -> str:
    return draw.choice(_MARKUP)


def _flood(draw: random.Random) -> str:
    return "a" + "".join(chr(draw.randrange(0x300, 0x370)) for _ in range(draw.randrange(20, 200)))


def _wide(draw: random.Random) -> str:
    return draw.choice(
        ("漢", "\U0001f468\u200d\U0001f469", "\U0001f1e9\U0001f1ea", "ﷺ", "\U0001f600\ufe0f", "é")
    ) * draw.randrange(1, 60)


def _huge(draw: random.Random) -> str:
    return draw.choice(("A", "\x1b[31m", "[bold]", "\u202e", "漢")) * draw.randrange(2_000, 9_000)


def _line(draw: random.Random) -> str:
    return draw.choice(("\r\n", "\n", "\r", "\x0b", "\x0c", "\u2028")) + "cockpit: rolled back, all is well"


_KINDS: tuple[Callable[[random.Random], str], ...] = (
    _escape, _c1, _osc, _string, _c0, _bidi, _unseen, _markup, _flood, _wide, _huge, _line,
)  # fmt: skip
