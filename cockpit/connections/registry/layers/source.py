"""Bytes that come in chunks and are read forward only; and the bound on how many of them there may be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

PIECE = 1 << 16


class Unreadable(Exception):
    """What was read is not what it should be, or more than anybody reads. Says so in words that need no cleaning."""


class TooMuch(Unreadable):
    """The bound of the whole scan is reached: nothing further is read."""


@dataclass(slots=True)
class Budget:
    """How many unpacked bytes, and how many files, may still go by. A small file can unpack to a thousand times its size.

    `stopped` is set from another thread, by whoever wants no more.
    """

    left: int
    files: int
    stopped: bool = False

    def spend(self, size: int) -> None:
        """TooMuch when they are used up; InterruptedError when nobody wants them any more."""
        if self.stopped:
            raise InterruptedError
        self.left -= size
        if self.left < 0:
            raise TooMuch("it unpacks to more bytes than any image's layers")

    def file(self) -> None:
        """Count one file. TooMuch when there were too many."""
        self.files -= 1
        if self.files < 0:
            raise TooMuch("it holds more files than any image's layers")


class Source:
    """`fill` gives the next chunk, and b"" at the end and from then on."""

    __slots__ = ("_at", "_chunk", "_fill")

    def __init__(self, fill: Callable[[], bytes]) -> None:
        self._fill = fill
        self._chunk = b""
        self._at = 0

    def some(self, most: int = PIECE) -> bytes:
        """What is there, at least one byte and at most `most`; b"" at the end."""
        if self._at >= len(self._chunk):
            self._chunk, self._at = self._fill(), 0
        found = self._chunk[self._at : self._at + most]
        self._at += len(found)
        return found

    def read(self, count: int) -> bytes:
        """`count` bytes; fewer only at the end."""
        found = self.some(count)
        if len(found) == count:
            return found
        pieces, left = [found], count - len(found)
        while left and (piece := self.some(left)):
            pieces.append(piece)
            left -= len(piece)
        return b"".join(pieces)

    def exactly(self, count: int) -> bytes:
        """`count` bytes. Unreadable when there are fewer."""
        found = self.read(count)
        if len(found) < count:
            raise Unreadable("it ends in the middle")
        return found

    def skip(self, count: int) -> None:
        """Pass over `count` bytes. Unreadable when there are fewer."""
        while count:
            here = min(count, len(self._chunk) - self._at)
            self._at += here
            count -= here
            if count:
                self._chunk, self._at = self._fill(), 0
                if not self._chunk:
                    raise Unreadable("it ends in the middle")

    def peek(self, count: int) -> bytes:
        """The next `count` bytes, which stay; fewer at the end."""
        if len(self._chunk) - self._at < count:
            self.unread(self.read(count))
        return self._chunk[self._at : self._at + count]

    def unread(self, data: bytes) -> None:
        """Put back what was read."""
        self._chunk, self._at = data + self._chunk[self._at :], 0

    def drain(self) -> None:
        """Read to the end."""
        while self._fill():
            pass
        self._chunk, self._at = b"", 0


class Part(Source):
    """The next `size` bytes of another source. `finish` passes over what was not read of them."""

    __slots__ = ("_left", "_parent")

    def __init__(self, parent: Source, size: int) -> None:
        super().__init__(self._next)
        self._parent = parent
        self._left = size

    def _next(self) -> bytes:
        found = self._parent.some(min(self._left, PIECE)) if self._left else b""
        if self._left and not found:
            raise Unreadable("it ends in the middle")
        self._left -= len(found)
        return found

    def finish(self) -> None:
        """Go to its end. Unreadable when the parent ends before."""
        self._parent.skip(self._left)
        self._left = 0
