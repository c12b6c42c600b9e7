"""What has come from the network and is not in the store yet: of each key the newest, however far the store is behind.

So it never holds more than there are keys, no event waits behind others of the same object, and a list's end is told only after
everything that came before it. The parts' own state is kept at once, so whatever is handed out says how things are now.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field

from cockpit.model.snapshot import SourceName
from cockpit.sources.base import GONE, NO_PROGRESS, Batch, Progress


@dataclass(slots=True)
class _Part:
    keys: set[object] = field(default_factory=set)
    listed: bool = False
    heard: float = 0.0
    fault: str = ""
    progress: Progress = NO_PROGRESS


class Inbox:
    """Takes the batches of several parts, and gives them as those of one source. Use from one event loop."""

    def __init__(self, source: SourceName, parts: int) -> None:
        self.news = asyncio.Event()
        """There is something to be had."""
        self._source = source
        self._parts = [_Part() for _ in range(parts)]
        self._changes: dict[object, object] = {}
        self._listed = False
        self._heard = False
        self._told = False
        self._at = 0.0

    def __len__(self) -> int:
        return len(self._changes)

    def put(self, index: int, batch: Batch) -> None:
        """Take in what a part tells."""
        part = self._parts[index]
        self.news.set()
        if batch.fault:
            part.fault, self._at = batch.fault, batch.at
            return
        part.fault, part.heard = "", batch.at
        part.progress = batch.progress or part.progress
        self._told, self._at = True, batch.at
        self._heard |= batch.heard
        self._change(part, batch)
        if batch.listed is not None:
            part.keys, part.listed = set(batch.listed), True
            self._listed = all(each.listed for each in self._parts)

    def _change(self, part: _Part, batch: Batch) -> None:
        keys, changes = part.keys, self._changes
        for key, value in batch.changes.items():
            if value is not GONE:
                keys.add(key)
                changes[key] = value
                continue
            keys.discard(key)
            if any(key in each.keys for each in self._parts):
                self._heard = True
            else:
                changes[key] = GONE

    def drain(self) -> Iterator[Batch]:
        """All of it in slices. What comes meanwhile is for the next time."""
        self.news.clear()
        changes, listed, heard, told = self._changes, self._listed, self._heard, self._told
        self._changes, self._listed, self._heard, self._told = {}, False, False, False
        at = min((part.heard for part in self._parts if part.listed), default=self._at)
        # What one part says must not hide that another one cannot be asked.
        fault = next((part.fault for part in self._parts if part.fault), "")
        whole = frozenset[object]().union(*(part.keys for part in self._parts)) if listed else None
        heard = heard or (told and not changes and not listed)
        return Batch(self._source, at, changes, whole, heard, fault, self._progress()).sliced()

    def _progress(self) -> Progress:
        read, expected = sum(part.progress.read for part in self._parts), 0
        for part in self._parts:
            if part.progress.expected is None:
                return Progress(read)
            expected += part.progress.expected
        return Progress(read, expected)
