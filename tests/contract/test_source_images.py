"""The images of a playbook's pods, asked of a registry: once, again only for news, and patiently where it does not answer."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from random import Random

import pytest

from cockpit.clock import ManualClock
from cockpit.errors import CockpitError, Throttled, Unreachable
from cockpit.model.arch import Arch
from cockpit.model.cluster import Container, Pod
from cockpit.model.image import Image
from cockpit.model.playbook import Agent
from cockpit.model.snapshot import Freshness, Snapshot, SourceName, SourceState
from cockpit.sources.images import AT_ONCE, MOST_IMAGES, NOT_YET, ImagesSource, wanted_images
from cockpit.store import Store, drive
from tests import factories
from tests.factories import AGENT, IMAGE, pod, snapshot, with_source

PLAYBOOK = replace(factories.PLAYBOOK, agents=(Agent(AGENT),))
NAME = "registry.example.com/payments@sha256:"
A, B = NAME + "aa" * 32, NAME + "bb" * 32
TAG = "registry.example.com/payments:1"


def container(image_id: str = A, **changes: object) -> Container:
    return replace(Container("main", TAG, image_id=image_id, ready=True), **changes)  # type: ignore[arg-type]


def world(*containers: Container) -> Snapshot:
    found = snapshot()
    return replace(found, pods={k: replace(p, containers=containers or (container(),)) for k, p in found.pods.items()})


class Registry:
    """Answers at once, or with the errors that are given to it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.errors: list[Exception] = []
        self.under_way = self.most = 0

    async def image(self, text: str) -> Image:
        self.asked.append(text)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(0)
        self.under_way -= 1
        if self.errors:
            raise self.errors.pop(0)
        return Image(text, platforms=("linux/arm64",))


class Watched:
    """A source that is driven into a store on a clock that is turned by hand."""

    def __init__(self, seen: Snapshot | None = None) -> None:
        self.clock = ManualClock()
        self.registry = Registry()
        self.store = Store(self.clock)
        self.seen = seen
        self.probed: list[str] = []
        self.source = ImagesSource(self.registry, PLAYBOOK, self.clock, Random(1))

    async def __aenter__(self) -> Watched:
        self.source.sees(lambda: self.seen)
        self.task = asyncio.create_task(drive(self.source, self.store))
        await self.passes(0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def passes(self, seconds: float) -> Snapshot:
        for _ in range(max(1, round(seconds / 2))):
            await self.clock.advance(min(seconds, 2.0))
            for _ in range(20):
                await asyncio.sleep(0)
        return self.store.freeze()


async def test_a_digest_is_asked_about_once_and_news_at_once() -> None:
    async with Watched(world()) as watched:
        assert (await watched.passes(600)).images[A].known
        assert watched.registry.asked == [A]
        watched.seen = world(container(), container(B, init=True))
        found = await watched.passes(4)
        assert found.images.keys() == {A, B}
        assert watched.registry.asked == [A, B]
        watched.seen = world(container(B))
        assert (await watched.passes(4)).images.keys() == {B}


async def test_nothing_is_said_before_the_pods_are_known() -> None:
    blind = with_source(world(), SourceName.PODS, SourceState())
    async with Watched() as watched:
        assert (await watched.passes(4)).source(SourceName.IMAGES).freshness is Freshness.UNSYNCED
        watched.seen = blind
        assert (await watched.passes(4)).source(SourceName.IMAGES).freshness is Freshness.UNSYNCED
        watched.seen = with_source(blind, SourceName.DEPLOYMENTS, SourceState(Freshness.FAULT, None, "refused"))
        assert (await watched.passes(4)).source(SourceName.IMAGES).freshness is Freshness.FAULT
        watched.seen = world()
        assert (await watched.passes(4)).source(SourceName.IMAGES).live
    assert watched.registry.asked == [A]


async def test_pods_that_are_known_at_last_are_looked_at_without_delay() -> None:
    async with Watched() as watched:
        await watched.passes(4)
        watched.seen = world()
        assert (await watched.passes(0.2)).images[A].known


async def test_an_image_is_there_before_its_registry_has_answered() -> None:
    async def never(text: str) -> Image:
        await asyncio.Event().wait()
        raise AssertionError

    watched = Watched(world())
    watched.registry.image = never  # type: ignore[method-assign]
    async with watched:
        found = await watched.passes(10)
        assert found.images[A].why == NOT_YET and not found.images[A].known
        assert found.source(SourceName.IMAGES).live


@pytest.mark.parametrize(
    ("error", "wait"), [(Unreachable("no answer"), 2.0), (Throttled("wait", status=429, retry_after=90.0), 90.0)]
)
async def test_a_registry_that_fails_is_asked_again_with_patience(error: CockpitError, wait: float) -> None:
    async with Watched() as watched:
        watched.registry.errors = [error]
        watched.seen = world()
        found = await watched.passes(0.2)
        assert found.images[A].why == str(error) and not found.images[A].known
        assert (await watched.passes(wait + 4)).images[A].known
        assert len(watched.registry.asked) == 2


@pytest.mark.parametrize("error", [RecursionError("deep"), UnicodeError("secret"), RuntimeError("secret")])
async def test_what_nobody_thought_of_leaves_the_other_images_known(error: Exception) -> None:
    async with Watched() as watched:
        watched.registry.errors = [error]
        watched.seen = world(container(), container(B))
        found = await watched.passes(0.2)
        assert found.source(SourceName.IMAGES).live
        assert found.images[A].why == f"it cannot be asked about ({type(error).__name__})" and found.images[B].known
        assert (await watched.passes(4)).images[A].known


async def test_a_registry_that_goes_on_failing_is_asked_seldom() -> None:
    async with Watched() as watched:
        watched.registry.errors = [Unreachable("no answer")] * 1000
        watched.seen = world()
        await watched.passes(1200)
        assert 8 < len(watched.registry.asked) < 30


async def test_a_tag_may_be_moved_and_is_asked_about_again() -> None:
    async with Watched(world(container(""))) as watched:
        await watched.passes(1300)
        assert watched.registry.asked == [TAG] * 3


async def test_few_are_asked_at_once_and_not_without_end() -> None:
    many = [container(NAME + f"{number:064x}") for number in range(MOST_IMAGES + 50)]
    async with Watched(world(*many)) as watched:
        found = await watched.passes(200)
        assert len(found.images) == MOST_IMAGES
        assert watched.registry.most <= AT_ONCE


async def test_one_ready_container_on_the_target_is_probed_once() -> None:
    async def probe(where: Pod, what: Container) -> tuple[str, str]:
        asked.append(f"{where.name}/{what.name}")
        return "arm64", "uname -m: aarch64"

    asked: list[str] = []
    waiting = world(container(ready=False))
    watched = Watched(waiting)
    watched.source = ImagesSource(watched.registry, PLAYBOOK, watched.clock, Random(1), probe)
    async with watched:
        await watched.passes(30)
        assert not asked
        watched.seen = world()
        assert (await watched.passes(30)).images[A].probed == "arm64"
        await watched.passes(700)
        assert asked == ["canary-0/main"]


def test_images_come_from_the_workloads_pods_and_from_agents_on_target_nodes() -> None:
    found = world()
    agents = {k: replace(p, containers=(container(B),)) for k, p in found.pods.items() if p.owner.startswith("DaemonSet")}
    assert wanted_images(replace(found, pods={**found.pods, **agents}), PLAYBOOK).keys() == {A, B}
    certified = replace(found, pods={**found.pods, **agents})
    assert wanted_images(certified, factories.PLAYBOOK).keys() == {A, B, IMAGE}, "what a certified tag names now is asked too"
    on_x86 = {k: p for k, p in agents.items() if found.nodes[p.node].arch is Arch.AMD64}
    alone = pod("lone", "x0", containers=(container("", image=""),))
    assert not wanted_images(replace(found, pods={**on_x86, "p/lone": alone}), PLAYBOOK)


async def test_an_image_that_ran_by_its_digest_has_run_under_its_name_too() -> None:
    """The pods that come back may be on nodes whose runtime says no digest; they are asked about by name."""
    on_x86 = {k: p for k, p in world().pods.items() if p.node.startswith("x")}
    unsaid = {k: replace(p, containers=(container(""),)) for k, p in world().pods.items() if not p.node.startswith("x")}
    name = container(A).image
    async with Watched(replace(world(), pods={**on_x86, **unsaid})) as watched:
        assert (await watched.passes(4)).images[name].ran == {"amd64", "arm64"}


async def test_where_an_image_has_run_is_remembered_though_no_registry_answers() -> None:
    watched = Watched(world())
    watched.registry.errors = [Unreachable("no route")] * 50
    both = frozenset({"amd64", "arm64"})
    async with watched:
        assert (await watched.passes(4)).images[A].ran == both
        watched.seen = replace(watched.seen or snapshot(), pods={k: p for k, p in world().pods.items() if p.node.startswith("a")})
        found = (await watched.passes(4)).images[A]
        assert (found.known, found.ran) == (False, both)
    waiting = {k: replace(p, ready=False) for k, p in world(container(ready=False)).pods.items()}
    async with Watched(replace(world(), pods=waiting)) as watched:
        assert (await watched.passes(4)).images[A].ran == set()
