"""Registries asked about images, each once, from the moment on that somebody is known to use it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING

from cockpit.audit.ask import Ask, Servers
from cockpit.audit.telling import Count, Teller
from cockpit.model.builds import ImageFacts
from cockpit.text import clean

if TYPE_CHECKING:
    from cockpit.connections.registry.client import RegistryClient
    from cockpit.connections.registry.patience import Patience
    from cockpit.model.layers import Scan

_AT_ONCE = 6
"""Over all registries; each is asked for fewer at once by itself."""
_SCANS_AT_ONCE = 2
"""Layers are streams, and each that is read holds memory."""


class Images:
    """Questions under way. Use it as a context manager: it closes what it opened."""

    def __init__(self, ask: Ask, servers: Servers, teller: Teller) -> None:
        self._ask = ask
        self._servers = servers
        self._teller = teller
        self._facts: dict[str, asyncio.Task[ImageFacts]] = {}
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._count = Count(teller.area("images"))
        self._client: RegistryClient | None = None
        self._patience: Patience | None = None

    async def __aenter__(self) -> Images:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for task in self._facts.values():
            task.cancel()
        await asyncio.gather(*self._facts.values(), return_exceptions=True)
        if self._client is not None and self._client is not self._servers.registry:
            await self._client.aclose()

    def begin(self, references: Iterable[str]) -> None:
        """Ask about those that have not been asked about."""
        for reference in references:
            if reference and reference not in self._facts:
                self._count.more()
                self._facts[reference] = asyncio.create_task(self._one(reference))

    async def facts(self, references: Iterable[str]) -> dict[str, ImageFacts]:
        """What the registries say of these. Whatever else was begun nobody wants any more, as what admission takes elsewhere."""
        wanted = dict.fromkeys(references)
        self.begin(wanted)
        for reference in self._facts.keys() - wanted:
            if self._facts[reference].cancel():
                self._count.done(f"image {clean(reference, 120)}")
        answers = await asyncio.gather(*(self._facts[reference] for reference in wanted))
        return dict(zip(wanted, answers, strict=True))

    async def scans(self, references: Iterable[str]) -> dict[str, Scan]:
        """What is in the layers of these."""
        from cockpit.connections.registry.audit import deep_scan

        client, patience = self._open()
        turns, wanted = asyncio.Semaphore(_SCANS_AT_ONCE), list(references)
        count = Count(self._teller.area("layers"), len(wanted))

        async def one(reference: str) -> Scan:
            async with turns:
                scan = await deep_scan(client, reference, self._ask.arch, patience)
            count.done(f"layers of {clean(reference, 120)}")
            return scan

        found = await asyncio.gather(*(one(reference) for reference in wanted))
        return dict(zip(wanted, found, strict=True))

    async def _one(self, reference: str) -> ImageFacts:
        from cockpit.connections.registry.audit import image_facts

        client, patience = self._open()
        async with self._turns:
            facts = await image_facts(client, reference, self._ask.arch, patience)
        self._count.done(f"image {clean(reference, 120)}")
        return facts

    def _open(self) -> tuple[RegistryClient, Patience]:
        if self._client is None or self._patience is None:
            from cockpit.connections.registry.client import RegistryClient
            from cockpit.connections.registry.patience import Patience

            self._client = self._servers.registry or RegistryClient(self._ask.registries)
            self._patience = Patience(self._servers.clock)
        return self._client, self._patience
