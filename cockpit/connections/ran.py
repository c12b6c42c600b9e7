"""What came of a command in a container."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ran:
    """Bounded output, and how it ended: `code` is None when it could not be started, with `why` in the server's cleaned words."""

    stdout: bytes = b""
    code: int | None = 0
    why: str = ""
