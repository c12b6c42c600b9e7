"""The crowd's objects of one resource, as lists and watches ask for them: rows and groups, rendered one at a time."""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from heapq import merge

from cockpit.rehearsal.crowd.groups import Group
from cockpit.rehearsal.crowd.journal import Journal, Moment
from cockpit.rehearsal.crowd.rendered import Key, Rendered
from cockpit.rehearsal.crowd.rows import Row, Rows
from cockpit.rehearsal.kube.bulk import Chosen
from cockpit.rehearsal.kube.history import Change, Held
from cockpit.rehearsal.kube.resources import Resource
from cockpit.rehearsal.kube.selectors import Selector
from cockpit.rehearsal.kube.storage import Storage

_MOMENTS = 8
"""Lists that go on page by page at the same time and are remembered; one more begins to look at the journal anew."""


class Collection:
    """The nodes or the pods. `groups` cover the slots of `rows` in order of namespace and prefix."""

    def __init__(self, storage: Storage, kind: Resource, groups: Sequence[Group], rows: Rows, keep: int) -> None:
        self.kind = kind
        self.groups = groups
        self.rows = rows
        self.empty: set[int] = set()
        """The slots whose object is deleted and not replaced yet."""
        self._storage = storage
        self._journal = Journal(keep)
        self._journal.floor = self._journal.newest = storage.resource_version
        self._firsts = [group.first for group in groups]
        self._runs = list(_runs(groups))
        self._moments: OrderedDict[int, Moment] = OrderedDict()
        self._listeners: list[Callable[[], None]] = []

    def put(self, slot: int, when: int, state: int) -> None:
        """Change what is in a slot, at the next resource version. Those who listen hear of it by `tell`."""
        self._storage.resource_version += 1
        old, new = self.rows.row(slot), Row(slot, self._storage.resource_version, when, state)
        self._journal.append(old, new)
        self.rows.put(new)
        if new.absent:
            self.empty.add(slot)
        else:
            self.empty.discard(slot)

    def tell(self) -> None:
        """Let everybody know that something has changed."""
        for callback in self._listeners:
            callback()

    def listen(self, callback: Callable[[], None]) -> None:
        """Call back after changes."""
        self._listeners.append(callback)

    def find(self, namespace: str, name: str) -> Held | None:
        """The object as it is now."""
        for group in self.groups:
            if group.namespace == (namespace if self.kind.namespaced else "") and name.startswith(group.prefix):
                place = self._place(group, name, None) - 1
                row = self.rows.row(group.first + max(place, 0))
                if group.name(row) == name and not row.absent:
                    return Rendered(self.kind, group, row)
        return None

    def choose(self, namespace: str, selector: Selector) -> Chosen:
        """Those of one namespace (empty: of all) that a selector matches."""
        names = namespace if self.kind.namespaced else ""
        worth = (
            (not names or group.namespace == names)
            and (group.labels is None or all(test(group.labels) for test in selector.labels))
            for group in self.groups
        )
        varied = any(group.labels is None for group in self.groups)
        return Chosen(names, selector, tuple(worth), bool(selector.fields) or (varied and not selector.empty))

    def list(self, at: int, chosen: Chosen, after: Key | None) -> Iterator[Held]:
        """As of a resource version, those after a key. KubeError 410, also later on, when that is forgotten."""
        return self._listed(self._moment(at), chosen, after)

    def left(self, at: int, namespace: str, after: Key | None) -> int:
        """How many there are after a key as of a resource version."""
        moment, total = self._moment(at), 0
        gone = sorted(moment.absent(self.empty))
        for group in self.groups:
            if namespace and self.kind.namespaced and group.namespace != namespace:
                continue
            begin, end = group.first + self._begin(group, after, moment), group.first + group.count
            total += end - begin - sum(begin <= slot < end for slot in gone)
        return total

    def since(self, number: int, chosen: Chosen) -> Iterator[Change]:
        """The changes after a resource version, to be read at once. KubeError 410 when some are forgotten."""
        for old, new in self._journal.since(number):
            index = bisect_right(self._firsts, new.slot) - 1
            if chosen.groups[index]:
                yield self._change(self.groups[index], old, new)

    def _change(self, group: Group, old: Row, new: Row) -> Change:
        if new.absent:
            gone = Rendered(self.kind, group, old._replace(number=new.number))
            return Change("DELETED", new.number, gone, Rendered(self.kind, group, old))
        before = None if old.absent else Rendered(self.kind, group, old)
        return Change("ADDED" if before is None else "MODIFIED", new.number, Rendered(self.kind, group, new), before)

    def _listed(self, moment: Moment, chosen: Chosen, after: Key | None) -> Iterator[Held]:
        for run in self._runs:
            streams = [self._rendered(self.groups[i], moment, chosen, after) for i in run if chosen.groups[i]]
            yield from streams[0] if len(streams) == 1 else merge(*streams, key=lambda held: held.name)

    def _rendered(self, group: Group, moment: Moment, chosen: Chosen, after: Key | None) -> Iterator[Held]:
        for slot in range(group.first + self._begin(group, after, moment), group.first + group.count):
            row = moment.row(slot)
            if not row.absent:
                held = Rendered(self.kind, group, row)
                if chosen.has(held):
                    yield held

    def _begin(self, group: Group, after: Key | None, moment: Moment) -> int:
        """How many of a group's slots come up to and with that key."""
        if after is None or group.namespace > after[0] or (group.namespace == after[0] and group.prefix > after[1]):
            return 0
        return group.count if group.namespace < after[0] else self._place(group, after[1], moment)

    def _place(self, group: Group, name: str, moment: Moment | None) -> int:
        row = self.rows.row if moment is None else moment.row
        return bisect_right(range(group.first, group.first + group.count), name, key=lambda slot: group.name(row(slot)))

    def _moment(self, at: int) -> Moment:
        self._journal.check(at)
        found = self._moments.get(at)
        if found is None:
            found = self._moments[at] = Moment(self.rows, self._journal, at)
            if len(self._moments) > _MOMENTS:
                self._moments.popitem(last=False)
        else:
            self._moments.move_to_end(at)
        found.catch_up()
        return found


def _runs(groups: Sequence[Group]) -> Iterator[list[int]]:
    """Groups by number, those together whose names lie among each other's: one's prefix begins the other's."""
    run: list[int] = []
    for i, group in enumerate(groups):
        head = groups[run[0]] if run else group
        if run and not (group.namespace == head.namespace and group.prefix.startswith(head.prefix)):
            yield run
            run = []
        run.append(i)
    if run:
        yield run
