"""How many pods of one workload find a place on nodes while they are kept apart by topology.

A single count has a closed form: where a domain is full, its level holds all others back. Several counts are played pod by pod,
the emptiest place first; that never finds more than there is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush

from cockpit.model.cluster import Node
from cockpit.rules.apart import Count

UNBOUND = 1 << 30


@dataclass(frozen=True, slots=True)
class Site:
    """A node on which the workload may be put, and for how many of its pods there is room by requests."""

    node: Node
    room: int


@dataclass(slots=True)
class Level:
    """One count over its domains. `at` is how many pods count in each now; only domains in it are eligible for the minimum."""

    of: Count
    at: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of_nodes(cls, count: Count, eligible: Iterable[Node]) -> Level:
        """The level before any pod of the workload is put anywhere; `eligible` nodes make up its domains."""
        at: dict[str, int] = {}
        for node in eligible:
            domain = node.labels.get(count.key)
            if domain is not None:
                at[domain] = at.get(domain, 0) + count.others.get(node.name, 0)
        return cls(count, at)

    def limit(self, lowest: int) -> int:
        """The most pods that a domain may hold while `lowest` is what the emptiest one holds."""
        if self.of.alone:
            return 1 if self.of.own else UNBOUND
        return (lowest if len(self.at) >= self.of.domains else 0) + self.of.skew

    def bars(self, node: Node) -> bool:
        """No pod of the workload may ever be put there."""
        domain = node.labels.get(self.of.key)
        if domain is None:
            return not self.of.alone  # a node without the label is in no domain: to be alone there is easy, to be spread is not
        return self.of.alone and self.at.get(domain, 0) > 0


def places(sites: Sequence[Site], levels: Sequence[Level], wanted: int) -> int:
    """How many pods find a place, `wanted` at most where several levels hold them apart. `levels` are used up."""
    open_ = [s for s in sites if s.room > 0 and not any(level.bars(s.node) for level in levels)]
    binding = [level for level in levels if level.of.own or not level.of.alone]
    if not binding:
        return sum(s.room for s in open_)
    if len(binding) == 1:
        return _closed(open_, binding[0])
    return _played(open_, binding, wanted)


def _closed(sites: Sequence[Site], level: Level) -> int:
    rooms, free = _rooms(sites, level)
    if not level.of.own:  # the pods do not count: where they may be put once, they may be put as often as there is room
        lowest = min(level.at.values(), default=0)
        return free + sum(room for domain, room in rooms.items() if level.at.get(domain, 0) <= level.limit(lowest))
    full = min((level.at[d] + rooms.get(d, 0) for d in level.at), default=0)
    limit = level.limit(full)
    return free + sum(max(0, min(room, limit - level.at.get(domain, 0))) for domain, room in rooms.items())


def _rooms(sites: Iterable[Site], level: Level) -> tuple[Mapping[str, int], int]:
    """The room of each domain, and of the nodes that are in none."""
    rooms: dict[str, int] = {}
    free = 0
    for site in sites:
        domain = site.node.labels.get(level.of.key)
        if domain is None:
            free += site.room
        else:
            rooms[domain] = rooms.get(domain, 0) + site.room
    return rooms, free


BROAD = 64
"""Levels of up to so many domains (zones, racks) make groups of nodes that are alike but for their hosts."""


def _played(sites: Sequence[Site], levels: Sequence[Level], wanted: int) -> int:
    """Put pod after pod where the fewest are. Only the best node of each group is looked at, so that it stays cheap."""
    play = _Play(levels)
    for site in sites:
        play.add(site)
    return next((placed for placed in range(wanted) if not play.put()), wanted)


class _Play:
    def __init__(self, levels: Sequence[Level]) -> None:
        self._levels = [_Lowest(level) for level in levels]
        self._broad = [level for level in levels if len(level.at) <= BROAD]
        self._narrow = [level for level in levels if len(level.at) > BROAD]
        self._groups: dict[tuple[str, ...], list[tuple[int, int, str, Node]]] = {}

    def add(self, site: Site) -> None:
        """A node with room."""
        group = tuple(site.node.labels.get(level.of.key, "") for level in self._broad)
        self._push(self._groups.setdefault(group, []), site.node, site.room)

    def _push(self, group: list[tuple[int, int, str, Node]], node: Node, room: int) -> None:
        heappush(group, (_held(self._narrow, node), -room, node.name, node))

    def put(self) -> bool:
        """Place one pod; False when there is no place."""
        best = min((g for g in self._groups.values() if g and self._allowed(g[0][3])), key=self._order, default=None)
        if best is None:
            return False
        _, room, _, node = heappop(best)
        for level in self._levels:
            level.add(node)
        if room < -1:
            self._push(best, node, -room - 1)
        return True

    def _allowed(self, node: Node) -> bool:
        return all(level.allows(node) for level in self._levels)

    def _order(self, group: list[tuple[int, int, str, Node]]) -> tuple[int, int, str]:
        held, room, name, node = group[0]
        return held + _held(self._broad, node), room, name


def _held(levels: Iterable[Level], node: Node) -> int:
    return sum(level.at.get(node.labels.get(level.of.key, ""), 0) for level in levels)


class _Lowest:
    """A level that keeps track of its emptiest domain."""

    def __init__(self, level: Level) -> None:
        self._level = level
        self._domains = Counter(level.at.values())
        self._lowest = min(level.at.values(), default=0)

    def allows(self, node: Node) -> bool:
        """One pod more is within the limit of the node's domain."""
        domain = node.labels.get(self._level.of.key)
        return domain is None or self._level.at.get(domain, 0) + self._level.of.own <= self._level.limit(self._lowest)

    def add(self, node: Node) -> None:
        """A pod is put there."""
        domain = node.labels.get(self._level.of.key)
        if domain is None or not self._level.of.own or domain not in self._level.at:
            return
        before = self._level.at[domain]
        self._level.at[domain] = before + 1
        self._domains[before] -= 1
        self._domains[before + 1] += 1
        if not self._domains[self._lowest]:
            self._lowest += 1
