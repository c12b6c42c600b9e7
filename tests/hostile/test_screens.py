"""Every screen, with a payload in every text that it draws: what reaches the terminal is the app's own, and nothing is live."""

from __future__ import annotations

import json
import os
import re
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hostile.payloads import COUNT
from tests.hostile.showing import EACH
from tests.hostile.terminal import Terminal
from tests.thorough import SEED, figure

pytestmark = pytest.mark.slow

TURNS = figure(COUNT // EACH, 16, 4)
"""Frames; in a thorough run every field has had every payload."""
# What is written to draw: colours, cursor moves, the question where the cursor stands, and the brackets around one picture.
_DRAWING = re.compile(r"\x1b\[[0-9;]*m|\x1b\[\d+;\d+H|\x1b\[\d+C|\x1b\[6n|\x1b\[\?2026[hl]|\x1b\[\?25[lh]|\x1b\]22;default\x07")
_OPENING = re.compile(r"(\x1b\[[>?][0-9]+(?:[hlu]|\$p))+")
_CLOSING = re.compile(r"(\x1b\[[<?][0-9]*[hlu])+$")
_ACTING = ("31;7;31m", "777;777H", "1000000b", ">4;2m", "20h", "21t")
_MARKED = ("app.quit", "app.perform", "app.bell", "[bold red]", "[$error]", "[link=")
_STARTING = "\x1b[?1049h"
_ENDING = "\x1b[?1049l"


def raw(text: str) -> Iterator[str]:
    """Characters that act or hide, with what stands around them."""
    for found in re.finditer(r"[^\n\r]", text):
        if unicodedata.category(found.group()) in ("Cc", "Cf", "Cs", "Zl", "Zp") or 0xFE00 <= ord(found.group()) <= 0xFE0F:
            yield repr(text[max(0, found.start() - 30) : found.end() + 30])


def drawn(seen: str) -> str:
    """What was written on the app's own page of the terminal, without how Textual sets that up, draws, and leaves it."""
    assert seen.count(_STARTING) == 1
    assert seen.count(_ENDING) == 1
    between = _DRAWING.sub("", seen.partition(_STARTING)[2].partition(_ENDING)[0])
    opening, closing = _OPENING.match(between), _CLOSING.search(between)
    assert opening
    assert closing
    return between[opening.end() : closing.start()]


@pytest.mark.timeout(figure(7200, 900, 600))
def test_nothing_reaches_the_terminal_but_what_the_app_means(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "tests.hostile.showing", str(COUNT), str(TURNS), str(SEED)]
    with Terminal(argv, env={**os.environ, "COCKPIT_HOME": str(tmp_path)}) as terminal:
        seen = terminal.end().decode()
    said = json.loads(seen.partition("REPORT ")[2])
    print(f"{said['frames']} frames on {said['screens']} screens, {len(seen)} characters written, seed {SEED}")
    assert said["code"] == 0, said
    assert said["frames"] == TURNS, said
    assert not said["live"], said
    assert not list(raw(drawn(seen)))
    # What was drawn was hostile: words that only payloads carry are there, as words.
    assert [words for words in _ACTING if words in seen]
    assert not [words for words in _ACTING if f"\x1b[{words}" in seen]
    assert [words for words in _MARKED if words in seen]
