"""What presets become, for those who want to see or paste it: the exact text that is asked for each architecture."""

from __future__ import annotations

from collections.abc import Iterator

from cockpit.model.arch import Arch
from cockpit.model.playbook import Playbook


def queries(playbook: Playbook) -> Iterator[str]:
    """A line a signal that comes from a preset, then one an architecture; nothing for queries that the playbook writes out."""
    for signal in playbook.signals.values():
        if signal.measure and playbook.cloudwatch:
            yield f"signal {signal.name}: {signal.query}"
            where = playbook.cloudwatch
            yield from (f"  {arch}: {where.load_balancer} {group}" for arch, group in where.target_groups.items())
        elif signal.preset:
            yield f"signal {signal.name}: preset {signal.preset}, {signal.unit}"
            yield from (f"  {arch}: {signal.query_for(arch)}" for arch in Arch)
