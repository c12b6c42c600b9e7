"""A flight on the embedded world with a proxy in front of each of its servers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from cockpit.assembly import Options, launch
from cockpit.flight import Flight
from cockpit.model.snapshot import Freshness, SourceName
from cockpit.rehearsal.client import Ready
from tests.wire.proxy import Fault, Proxy

MARKED_WITHIN = 10.0
RECOVERED_WITHIN = 5.0
"""Wall seconds: what the product promises."""
SYNCED_WITHIN = 60.0
BEAT = 0.05
LONGEST_PAUSE = 1.5
"""Wall seconds in which the event loop may do something else; a call that blocks would hold it up for a socket's time-out."""

KUBE = frozenset(
    {
        SourceName.NODES,
        SourceName.PODS,
        SourceName.DEPLOYMENTS,
        SourceName.DAEMONSETS,
        SourceName.EVENTS,
        SourceName.USAGE,
    }
)
AWS = frozenset({SourceName.RULES, SourceName.TARGETS})
METRICS = frozenset({SourceName.METRICS})
BAD = (Freshness.STALE, Freshness.FAULT)


@dataclass
class Wire:
    """The proxies by what they stand before, and how the event loop fared."""

    flight: Flight
    proxies: dict[str, Proxy]
    pauses: list[float] = field(default_factory=list)

    async def be(self, fault: Fault, *names: str) -> None:
        for name in names or tuple(self.proxies):
            await self.proxies[name].be(fault)

    def fresh(self, sources: Iterable[SourceName]) -> dict[str, Freshness]:
        picture = self.flight.frame()
        assert picture is not None
        return {str(name): picture.snapshot.source(name).freshness for name in sources}

    async def until(self, holds: Callable[[], bool], seconds: float, what: Callable[[], object]) -> float:
        """Wait tick by tick; the wall seconds that it took."""
        started = time.monotonic()
        try:
            async with asyncio.timeout(seconds):
                while not holds():
                    await self.flight.next_tick()
        except TimeoutError:
            pytest.fail(f"not within {seconds} s: {what()}")
        return time.monotonic() - started

    async def marked(self, sources: Iterable[SourceName]) -> float:
        names = tuple(sources)
        return await self.until(
            lambda: all(f in BAD for f in self.fresh(names).values()), MARKED_WITHIN, lambda: self.fresh(names)
        )

    async def live(self, sources: Iterable[SourceName], seconds: float = RECOVERED_WITHIN) -> float:
        names = tuple(sources)
        return await self.until(
            lambda: set(self.fresh(names).values()) == {Freshness.LIVE},
            seconds,
            lambda: self.flight.frame() and self.fresh(names),
        )

    async def beat(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(BEAT)
            self.pauses.append(time.monotonic() - before - BEAT)


@asynccontextmanager
async def wired(ready: Ready, folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Wire]:
    """A flight whose every connection goes through a proxy, with all its sources live."""
    for name, value in ready.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COCKPIT_HOME", str(folder / "home"))
    config = yaml.safe_load(ready.kubeconfig.read_text())
    servers = {"kube": config["clusters"][0]["cluster"]["server"], "prometheus": ready.prometheus_url}
    servers |= {"aws": ready.aws_endpoint_url} if ready.aws_endpoint_url else {}
    proxies = {name: Proxy(urlsplit(url).port or 0) for name, url in servers.items()}
    for proxy in proxies.values():
        await proxy.start()
    files = (folder / "kubeconfig", ready.kubeconfig), (folder / "playbook.yaml", ready.playbook)
    for path, original in files:
        text = original.read_text()
        for name, url in servers.items():
            text = text.replace(f"127.0.0.1:{urlsplit(url).port}", f"127.0.0.1:{proxies[name].port}")
        path.write_text(text)
    how = Options(context=ready.context, kubeconfig=files[0][0], clock=ready.clock, tick_seconds=0.2)
    flight = await launch(files[1][0], how)
    wire = Wire(flight, proxies)
    beating: asyncio.Task[None] | None = None
    try:
        expected = KUBE | METRICS | (AWS if "aws" in proxies else frozenset())
        await asyncio.wait_for(flight.synced.wait(), SYNCED_WITHIN)
        await wire.live(expected, SYNCED_WITHIN)
        beating = asyncio.create_task(wire.beat())
        yield wire
        assert max(wire.pauses) < LONGEST_PAUSE
    finally:
        if beating is not None:
            beating.cancel()
        # Closing waits for a write that has left: let it land.
        await wire.be(Fault.NONE)
        await flight.close()
        for proxy in proxies.values():
            await proxy.stop()
