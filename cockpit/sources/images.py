"""What the registries say of the images that the workloads' pods run: asked once for each digest, and again only for news.

A registry that does not answer is no fault of the source: each image says for itself why nothing is known of it. Nor is one
that nobody thought of: whatever fails in asking about one image leaves the others as they are.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Protocol

from cockpit.clock import Clock
from cockpit.errors import CockpitError, Throttled
from cockpit.model.cluster import Container, Pod
from cockpit.model.image import Image, asked
from cockpit.model.playbook import Playbook
from cockpit.model.snapshot import Freshness, Snapshot, SourceName
from cockpit.rules.nodes import ENDED, pods_of
from cockpit.sources.base import Kind, Observation
from cockpit.sources.pace import WAITS_AT_MOST, patience, speed
from cockpit.text import clean

LOOK_SECONDS = 2.0
LEAST_WALL_SECONDS = 0.1
"""How often the newest pods are looked at; however fast a rehearsal runs, not more often than this."""
STALE_SECONDS = 60.0
TAG_SECONDS = 600.0
"""After that a tag, which may have been moved, is asked about again. What a digest names never changes."""
PROBE_SECONDS = 10.0
"""Until it is seen again whether there is a container to probe; the registry's answer is remembered meanwhile."""
FIRST_SECONDS, MOST_SECONDS = 2.0, 120.0
"""Seconds of the clock between attempts after failures, doubling."""
AT_ONCE = 4
MOST_IMAGES = 200
NOT_YET = "its registry has not answered yet"
_NEEDED = (SourceName.PODS, SourceName.NODES, SourceName.DEPLOYMENTS)


class Registry(Protocol):
    """Who is asked."""

    async def image(self, text: str) -> Image:
        """What a registry says of a reference; raises a CockpitError."""
        ...


Probe = Callable[[Pod, Container], Awaitable[tuple[str, str]]]
"""Asks a running container: the architecture that it reports (empty: no answer), and in words how it was asked. Never raises."""


@dataclass(slots=True)
class _Known:
    """An answer. `due` is when to ask again, on the clock's monotonic seconds; None for never."""

    image: Image
    due: float | None
    failures: int = 0


class ImagesSource:
    """Images by reference, as `cockpit.model.image.asked` gives it for a container."""

    names = (SourceName.IMAGES,)

    def __init__(
        self,
        registry: Registry,
        playbook: Playbook,
        clock: Clock,
        random: Random | None = None,
        probe: Probe | None = None,
    ) -> None:
        self._registry = registry
        self._playbook = playbook
        self._newest: Callable[[], Snapshot | None] = lambda: None
        self._clock = clock
        self._sighted = False
        """The pods have been seen once. Until then it looks often, since the first whole picture waits for it."""
        self._random = random or Random()  # noqa: S311 (jitter)
        self._probe = probe
        self._known: dict[str, _Known] = {}
        self._ran: dict[str, frozenset[str]] = {}
        self._turns = asyncio.Semaphore(AT_ONCE)

    def sees(self, newest: Callable[[], Snapshot | None]) -> None:
        """Where the pods are read; to be called before `observe`."""
        self._newest = newest

    @property
    def stale_after(self) -> float:
        """Seconds of the clock."""
        return patience(self._clock, STALE_SECONDS, 10.0)

    async def observe(self) -> AsyncGenerator[Observation, None]:
        """Look at the newest pods, ask about what is new; observe until cancelled."""
        asking: dict[asyncio.Task[_Known], str] = {}
        try:
            while True:
                for observation in self._look(asking):
                    yield observation
                await self._rest(asking)
                for observation in self._answers(asking):
                    yield observation
        finally:
            for task in asking:
                task.cancel()
            await asyncio.gather(*asking, return_exceptions=True)

    def _look(self, asking: dict[asyncio.Task[_Known], str]) -> Iterator[Observation]:
        snapshot = self._newest()
        if snapshot is None:
            return
        if blind := next((n for n in _NEEDED if snapshot.source(n).freshness is Freshness.UNSYNCED), None):
            if any(snapshot.source(n).freshness is Freshness.FAULT for n in _NEEDED):
                yield self._said(Kind.FAULT, why=f"no images to ask about: {blind} are not known")
            return
        self._sighted = True
        wanted = wanted_images(snapshot, self._playbook)
        there = _target_nodes(snapshot, self._playbook)
        for reference, (pod, container) in wanted.items():
            if reference not in self._known:
                self._known[reference] = _Known(Image(reference, why=NOT_YET), self._clock.monotonic())
                yield self._told(reference)
            if self._due(reference) and reference not in asking.values():
                asking[asyncio.create_task(self._ask(reference, pod, container, here=pod.node in there))] = reference
        yield from self._saw(snapshot)
        self._known = {reference: known for reference, known in self._known.items() if reference in wanted}
        yield self._said(Kind.LISTED, keys=frozenset(wanted))

    def _saw(self, snapshot: Snapshot) -> Iterator[Observation]:
        """Remember on which architectures the workloads' images have run: no registry is needed to know that they do."""
        for reference, arch in ran_on(snapshot, self._playbook):
            before = self._ran.get(reference, frozenset())
            if arch not in before:
                self._ran[reference] = before | {arch}
                if reference in self._known:
                    yield self._told(reference)

    def _due(self, reference: str) -> bool:
        due = self._known[reference].due
        return due is not None and due <= self._clock.monotonic()

    async def _rest(self, asking: dict[asyncio.Task[_Known], str]) -> None:
        """Until it is time to look again, or an answer is there."""
        least = LEAST_WALL_SECONDS * speed(self._clock)
        pause = asyncio.ensure_future(self._clock.sleep(max(LOOK_SECONDS, least) if self._sighted else least))
        try:
            await asyncio.wait({pause, *asking}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            pause.cancel()

    def _answers(self, asking: dict[asyncio.Task[_Known], str]) -> Iterator[Observation]:
        for task in [task for task in asking if task.done()]:
            reference = asking.pop(task)
            if reference in self._known:
                self._known[reference] = task.result()
                yield self._told(reference)

    async def _ask(self, reference: str, pod: Pod, container: Container, *, here: bool) -> _Known:
        before = self._known[reference].image
        failures = self._known[reference].failures
        async with self._turns:
            try:
                image = await self._registry.image(reference)
            except Exception as error:
                return _Known(Image(reference, why=_why(error)), self._again(failures, error), failures + 1)
            due = None if "@" in reference else self._clock.monotonic() + TAG_SECONDS
            if self._probe is None or container.init or pod.namespace != self._playbook.target.namespace:
                return _Known(image, due)
            # One look into one container is enough; it has to wait until one runs where it matters.
            answer = before.probed, before.probe
            if not before.probe:
                if not (here and container.ready):
                    return _Known(image, self._clock.monotonic() + PROBE_SECONDS)
                answer = await self._probe(pod, container)
            return _Known(replace(image, probed=answer[0], probe=answer[1]), due)

    def _again(self, failures: int, error: Exception) -> float:
        seconds = min(MOST_SECONDS, FIRST_SECONDS * 2.0 ** min(failures, 10)) * self._random.uniform(0.5, 1.0)
        if isinstance(error, Throttled) and error.retry_after is not None:
            seconds = max(seconds, min(error.retry_after, WAITS_AT_MOST) * speed(self._clock))
        return self._clock.monotonic() + max(seconds, LEAST_WALL_SECONDS * speed(self._clock))

    def _told(self, reference: str) -> Observation:
        image = replace(self._known[reference].image, ran=self._ran.get(reference, frozenset()))
        return self._said(Kind.UPSERT, reference, image)

    def _said(
        self, kind: Kind, key: object = None, value: object = None, keys: frozenset[object] = frozenset(), why: str = ""
    ) -> Observation:
        return Observation(SourceName.IMAGES, kind, self._clock.monotonic(), key, value, keys, why)


def _why(error: Exception) -> str:
    # Only the cockpit's own errors are known to hold no secret.
    return clean(str(error), 300) if isinstance(error, CockpitError) else f"it cannot be asked about ({type(error).__name__})"


def wanted_images(snapshot: Snapshot, playbook: Playbook) -> dict[str, tuple[Pod, Container]]:
    """Every image to ask about, with a container that uses it: those of the workloads' pods, and of agents on target nodes
    together with the certified ones.

    Pods on the target architecture come first, ready ones before others, so that a probe asks where it matters.
    """
    pods = [p for ref in playbook.target.workloads for p in pods_of(snapshot, ref)]
    own = {p.uid for p in pods}
    there = _target_nodes(snapshot, playbook)
    others = (p for p in snapshot.pods.values() if p.uid not in own and p.node in there and p.phase not in ENDED)
    ordered = sorted(pods, key=lambda p: (p.node not in there, not p.ready, p.name)) + sorted(others, key=lambda p: p.name)
    found: dict[str, tuple[Pod, Container]] = {}
    for pod in ordered:
        for container in pod.containers:
            if (reference := asked(container)) and len(found) < MOST_IMAGES:
                found.setdefault(reference, (pod, container))
    return found | _certified(playbook, ordered)


def ran_on(snapshot: Snapshot, playbook: Playbook) -> set[tuple[str, str]]:
    """Each image of the workloads' containers that are Ready now, with the architecture of the node.

    By the digest that runs, and as its pod names it: not every runtime says the digest, and those pods are asked about by name.
    """
    pods = (p for ref in playbook.target.workloads for p in pods_of(snapshot, ref) if p.node in snapshot.nodes)
    ready = ((p, c) for p in pods for c in p.containers if c.ready or (c.init and p.ready))
    return {(reference, snapshot.nodes[p.node].arch) for p, c in ready for reference in (asked(c), c.image)}


def _certified(playbook: Playbook, pods: Iterable[Pod]) -> dict[str, tuple[Pod, Container]]:
    """The certified images of the agents that run: what their tags name now is compared with what runs."""
    owners = {(a.daemonset.namespace, f"DaemonSet/{a.daemonset.name}"): a.certified_images for a in playbook.agents}
    return {
        image: (pod, pod.containers[0]) for pod in pods if pod.containers for image in owners.get((pod.namespace, pod.owner), ())
    }


def _target_nodes(snapshot: Snapshot, playbook: Playbook) -> set[str]:
    return {node.name for node in snapshot.nodes.values() if node.arch == playbook.target.to_arch}
