"""What was read of layers before, by the chain of digests from the lowest up: images share their lower layers."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

from cockpit.model.layers import Native

REMEMBERED = 64
AT_ONCE = 2
Files = Mapping[str, tuple[Native, ...]]
"""Native code by the path of the file in the image, as it is written in the layer; a jar holds several."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The native code that is visible above some layers, and what of them could not be read."""

    files: Files = field(default_factory=dict)
    unread: tuple[str, ...] = ()


class Chains:
    """The newest of them. `turns` are for whoever reads layers: two at once fill a line, and share what they read."""

    def __init__(self) -> None:
        self.turns = asyncio.Semaphore(AT_ONCE)
        self._known: OrderedDict[tuple[str, ...], Seen] = OrderedDict()

    def longest(self, digests: tuple[str, ...]) -> tuple[int, Seen]:
        """How many of these layers, from the lowest, were read together before, and what was seen."""
        for count in range(len(digests), 0, -1):
            if (found := self._known.get(digests[:count])) is not None:
                self._known.move_to_end(digests[:count])
                return count, found
        return 0, Seen()

    def keep(self, digests: tuple[str, ...], seen: Seen) -> None:
        """Remember what was seen above these layers."""
        self._known[digests] = seen
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
