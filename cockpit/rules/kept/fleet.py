"""One DaemonSet's pods, kept so that its health is told from the few that are not well."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from cockpit.model.cluster import Pod

ENDED = ("Failed", "Succeeded")
"""Phases of pods that will never run again."""
CRASH_LOOP = "CrashLoopBackOff"

Alike: TypeAlias = tuple[tuple[str, str, bool, bool, bool], ...]
"""Image, image id, ready, ended once, init: of each container. Thousands of an agent's pods have the same few."""


def sick(pod: Pod) -> bool:
    """Not Ready, or a container of it waits or has ended."""
    return not pod.ready or any(c.waiting or c.exit_code is not None for c in pod.containers)


class Fleet:
    """Pods by `namespace/name`. A pod stays unless it is terminating or has ended. In no order."""

    __slots__ = ("_on", "_ready", "alike", "looping", "restarts", "sick", "unplaced")

    def __init__(self) -> None:
        self._on: dict[str, tuple[tuple[str, Pod], ...]] = {}
        self._ready: dict[str, int] = {}
        self.alike: dict[Alike, dict[str, Pod]] = {}
        """Those that stay, by what they run."""
        self.looping: dict[str, Pod] = {}
        """Not terminating, a container in a crash loop."""
        self.restarts: dict[str, int] = {}
        """Of all containers on a node, by the names of the nodes where there were any."""
        self.sick: dict[str, Pod] = {}
        """Those that stay and are."""
        self.unplaced: dict[str, Pod] = {}
        """On no node, with the scheduler's words about it."""

    @property
    def ready(self) -> dict[str, int]:
        """How many Ready pods stay on a node, by the names of the nodes that have one."""
        return self._ready

    @property
    def nodes(self) -> dict[str, tuple[tuple[str, Pod], ...]]:
        """The nodes that have a pod, whatever its state."""
        return self._on

    def on(self, node: str) -> list[Pod]:
        """The pods of a node, by name."""
        return [pod for _, pod in sorted(self._on.get(node, ()), key=lambda each: each[0])]

    def pods(self) -> Iterator[Pod]:
        """All that stay."""
        return (pod for some in self.alike.values() for pod in some.values())

    def add(self, key: str, pod: Pod) -> None:
        """A pod that is not in it."""
        here = self._on.get(pod.node)
        self._on[pod.node] = (*here, (key, pod)) if here else ((key, pod),)
        if not pod.node and pod.unschedulable:
            self.unplaced[key] = pod
        self._restarted(pod, 1)
        if pod.terminating:
            return
        if any(c.waiting == CRASH_LOOP for c in pod.containers):
            self.looping[key] = pod
        if pod.phase not in ENDED:
            self._stays(key, pod)

    def _stays(self, key: str, pod: Pod) -> None:
        self.alike.setdefault(_alike(pod), {})[key] = pod
        if sick(pod):
            self.sick[key] = pod
        if pod.ready:
            self._ready[pod.node] = self._ready.get(pod.node, 0) + 1

    def drop(self, key: str, pod: Pod) -> None:
        """A pod that is in it, as it was added."""
        rest = tuple([each for each in self._on[pod.node] if each[0] != key])
        if rest:
            self._on[pod.node] = rest
        else:
            del self._on[pod.node]
        for some in (self.unplaced, self.looping, self.sick):
            some.pop(key, None)
        self._restarted(pod, -1)
        if pod.terminating or pod.phase in ENDED:
            return
        same = self.alike[_alike(pod)]
        del same[key]
        if not same:
            del self.alike[_alike(pod)]
        if pod.ready:
            self._ready[pod.node] -= 1
            if not self._ready[pod.node]:
                del self._ready[pod.node]

    def _restarted(self, pod: Pod, sign: int) -> None:
        if here := sum([c.restarts for c in pod.containers]):
            count = self.restarts.get(pod.node, 0) + sign * here
            if count:
                self.restarts[pod.node] = count
            else:
                del self.restarts[pod.node]


def _alike(pod: Pod) -> Alike:
    return tuple([(c.image, c.image_id, c.ready, c.exit_code is not None, c.init) for c in pod.containers])
