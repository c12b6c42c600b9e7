"""As much of a terminal as is needed to know what stands on it: a grid of characters, fed with what a program writes."""

from __future__ import annotations

import re
from codecs import getincrementaldecoder

from rich.cells import cell_len

_TOKEN = re.compile(
    r"\x1b\[(?P<parameters>[0-?]*)[ -/]*(?P<final>[@-~])"
    r"|\x1b[\]PX^_][^\x1b\x07]*(?:\x07|\x1b\\)"
    r"|\x1b[()][0-9A-B]|\x1b[=>78cDEHM]"
    r"|(?P<text>[^\x1b])",
    re.DOTALL,
)


class Screen:
    """A terminal of a fixed size, without colours and scrolling: full-screen programs move the cursor and write."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        self._rest = ""
        self._x = self._y = 0
        self._clear()

    @property
    def text(self) -> str:
        """The rows, one a line."""
        return "\n".join("".join(row).rstrip() for row in self._cells)

    def feed(self, data: bytes) -> None:
        """Draw what a program has written; a sequence that is cut off waits for its end."""
        written = self._rest + self._decode(data)
        end = 0
        while found := _TOKEN.match(written, end):
            end = found.end()
            if text := found["text"]:
                self._write(text)
            elif found["final"]:
                self._control(found["parameters"], found["final"])
        self._rest = written[end:]

    def _clear(self) -> None:
        self._cells = [[" "] * self.columns for _ in range(self.rows)]

    def _write(self, character: str) -> None:
        if character == "\r":
            self._x = 0
        elif character == "\n":
            self._y = min(self._y + 1, self.rows - 1)
        elif character >= " ":
            for offset in range(cell_len(character)):
                if self._x + offset < self.columns:
                    self._cells[self._y][self._x + offset] = "" if offset else character
            self._x += cell_len(character)

    def _control(self, parameters: str, final: str) -> None:
        if final in "Hf":
            row, _, column = parameters.partition(";")
            self._y = min(max(int(row or 1), 1), self.rows) - 1
            self._x = min(max(int(column or 1), 1), self.columns) - 1
        elif final in "ABCD":
            step = int(parameters or 1)
            self._x += {"C": step, "D": -step}.get(final, 0)
            self._y += {"B": step, "A": -step}.get(final, 0)
            self._x, self._y = min(max(self._x, 0), self.columns - 1), min(max(self._y, 0), self.rows - 1)
        elif final == "J" and parameters in ("2", "3"):
            self._clear()
