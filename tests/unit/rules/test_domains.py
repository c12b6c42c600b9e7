"""Places under topology: what is found is what an exhaustive search finds, and never more."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.model.cluster import Node
from cockpit.rules.apart import Count
from cockpit.rules.domains import Level, Site, places
from tests.factories import node
from tests.thorough import either

ZONES = ("a", "b", "c")


def worker(number: int, zone: str | None) -> Node:
    labels = {"kubernetes.io/hostname": f"n{number}"} | ({"zone": zone} if zone else {})
    return node(f"n{number}", labels=labels)


class World:
    """Nodes with room, and the counts that hold; `most` looks for the greatest number of pods by trying everything."""

    def __init__(self, nodes: Sequence[Node], rooms: Sequence[int], counts: Sequence[Count]) -> None:
        self.nodes = nodes
        self.sites = [Site(n, r) for n, r in zip(nodes, rooms, strict=True)]
        self.counts = counts

    def places(self, wanted: int) -> int:
        keys = [c.key for c in self.counts if not c.alone]
        known = [n for n in self.nodes if all(k in n.labels for k in keys)]
        sites = [s for s in self.sites if all(k in s.node.labels for k in keys)]
        return places(sites, [Level.of_nodes(c, self.nodes if c.alone else known) for c in self.counts], wanted)

    def may(self, placed: tuple[int, ...], at: int) -> bool:
        """The scheduler's filters for one pod more on a node, as their documentation says them."""
        if placed[at] >= self.sites[at].room:
            return False
        return all(self._holds(c, placed, self.nodes[at]) for c in self.counts)

    def _holds(self, count: Count, placed: tuple[int, ...], there: Node) -> bool:
        levels: dict[str, int] = {}
        keys = [c.key for c in self.counts if not c.alone]
        for n, pods in zip(self.nodes, placed, strict=True):
            if count.key in n.labels and (count.alone or all(k in n.labels for k in keys)):
                mine = pods if count.own else 0
                levels[n.labels[count.key]] = levels.get(n.labels[count.key], 0) + mine + count.others.get(n.name, 0)
        domain = there.labels.get(count.key)
        if count.alone:
            return domain is None or levels[domain] == 0
        if domain is None or any(k not in there.labels for k in keys):
            return False
        lowest = min(levels.values()) if len(levels) >= count.domains else 0
        return levels[domain] + count.own - lowest <= count.skew

    def most(self, wanted: int) -> int:
        seen: set[tuple[int, ...]] = set()
        todo = [(0,) * len(self.nodes)]
        best = 0
        while todo:
            placed = todo.pop()
            best = max(best, sum(placed))
            if best >= wanted:
                return wanted
            for at in range(len(placed)):
                more = (*placed[:at], placed[at] + 1, *placed[at + 1 :])
                if more not in seen and self.may(placed, at):
                    seen.add(more)
                    todo.append(more)
        return best

    def least(self, wanted: int) -> int:
        """The fewest pods after which a scheduler that chooses as badly as it can is stuck."""
        seen: set[tuple[int, ...]] = set()
        todo = [(0,) * len(self.nodes)]
        worst = wanted
        while todo:
            placed = todo.pop()
            steps = [at for at in range(len(placed)) if sum(placed) < wanted and self.may(placed, at)]
            worst = worst if steps else min(worst, sum(placed))
            for at in steps:
                more = (*placed[:at], placed[at] + 1, *placed[at + 1 :])
                if more not in seen:
                    seen.add(more)
                    todo.append(more)
        return worst


@st.composite
def counts(draw: st.DrawFn, nodes: Sequence[Node]) -> Count:
    others = {n.name: draw(st.integers(0, 2)) for n in nodes} if draw(st.booleans()) else {}
    return Count(
        draw(st.sampled_from(["zone", "kubernetes.io/hostname"])),
        draw(st.booleans()),
        {name: pods for name, pods in others.items() if pods},
        alone=draw(st.booleans()),
        skew=draw(st.integers(1, 2)),
        domains=draw(st.integers(1, 3)),
    )


@st.composite
def worlds(draw: st.DrawFn, least: int, most: int) -> World:
    zones = draw(st.lists(st.sampled_from([*ZONES, None]), min_size=1, max_size=4))
    nodes = [worker(i, zone) for i, zone in enumerate(zones)]
    rooms = [draw(st.integers(0, 3)) for _ in nodes]
    return World(nodes, rooms, draw(st.lists(counts(nodes), min_size=least, max_size=most)))


WANTED = 7


@settings(max_examples=either(3000, 200), deadline=None)
@given(worlds(0, 1))
def test_with_one_count_exactly_so_many_find_a_place_whatever_the_scheduler_prefers(world: World) -> None:
    found = min(world.places(WANTED), WANTED)
    assert found == world.most(WANTED)
    assert found == world.least(WANTED)


@settings(max_examples=either(3000, 200), deadline=None)
@given(worlds(2, 3))
def test_with_several_counts_never_more_find_a_place_than_a_search_finds(world: World) -> None:
    assert min(world.places(WANTED), WANTED) <= world.most(WANTED)


def test_spread_over_zones_and_hosts_is_filled_to_the_last_place() -> None:
    nodes = [worker(i, ZONES[i % 3]) for i in range(300)]
    both = [Count("zone", True, {}), Count("kubernetes.io/hostname", True, {})]
    assert World(nodes, [3] * 300, both).places(600) == 600
    lame = [0 if n.labels["zone"] == "c" else 3 for n in nodes]
    assert World(nodes, lame, both).places(600) == 2
