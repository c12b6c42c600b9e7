"""One snapshot of the cluster, for a command that needs no more: nothing is judged, nothing can be written."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from cockpit.clock import Clock
from cockpit.connections.kube import KubeClient
from cockpit.model.playbook import Playbook
from cockpit.model.snapshot import Freshness, Snapshot, SourceName
from cockpit.sources.cluster import cluster_sources
from cockpit.store import Store, drive

EVERY = 0.1
LOOKS = 100
"""How often it is looked, with `EVERY` wall seconds between, whether everything asked for was heard from."""


async def observe(kube: KubeClient, playbook: Playbook, clock: Clock, names: Collection[SourceName]) -> Snapshot:
    """What these sources tell, or that they told nothing in time."""
    store = Store(clock)
    tasks = [asyncio.create_task(drive(source, store)) for source in cluster_sources(kube, playbook, clock)]
    try:
        for _ in range(LOOKS):
            await asyncio.sleep(EVERY)
            seen = store.freeze()
            if all(seen.source(name).freshness is not Freshness.UNSYNCED for name in names):
                break
        return seen
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
