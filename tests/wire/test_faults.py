"""What a flight does when the network between it and its servers fails, and when the network comes back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cockpit.connections.kube import KubeClient
from cockpit.connections.pulse import EVERY_SECONDS
from cockpit.model.json import Json
from cockpit.model.snapshot import Freshness, SourceName
from cockpit.rehearsal.client import Ready, World
from tests.scenarios.flights import PLAYBOOK
from tests.wire.flying import AWS, BEAT, KUBE, MARKED_WITHIN, METRICS, RECOVERED_WITHIN, Wire, wired
from tests.wire.proxy import DELAY, Fault

pytestmark = pytest.mark.slow

EVERYTHING = KUBE | AWS | METRICS


@pytest.fixture(scope="module")
def ready() -> Iterator[Ready]:
    with World.spawn(PLAYBOOK) as world:
        yield world.wait_ready()


@pytest.mark.parametrize(
    ("faults", "affected"),
    [
        ({"kube": Fault.BLACK_HOLE, "aws": Fault.BLACK_HOLE, "prometheus": Fault.BLACK_HOLE}, EVERYTHING),
        ({"kube": Fault.RESET}, KUBE),
        ({"aws": Fault.REFUSE, "prometheus": Fault.RESET}, AWS | METRICS),
    ],
    ids=["black hole", "reset API server", "others reset and refused"],
)
async def test_what_is_affected_is_marked_keys_answer_and_all_recovers_by_itself(
    faults: dict[str, Fault], affected: frozenset[SourceName], ready: Ready, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with wired(ready, tmp_path, monkeypatch) as wire:
        for name, fault in faults.items():
            await wire.be(fault, name)
        took = await wire.marked(affected)
        assert all(freshness is Freshness.LIVE for freshness in wire.fresh(EVERYTHING - affected).values())
        keys_answer(wire)
        picture = wire.flight.frame()
        assert picture is not None
        assert picture.snapshot.nodes, "what was known stays"
        await wire.be(Fault.NONE)
        back = await wire.live(EVERYTHING)
        print(f"marked after {took:.1f} s, recovered after {back:.1f} s")


async def test_a_slow_network_is_slow_and_not_dead(ready: Ready, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with wired(ready, tmp_path, monkeypatch) as wire:
        await wire.be(Fault.SLOW)
        for _ in range(int(3 * DELAY / wire.flight.tick_seconds)):
            await wire.flight.next_tick()
            assert Freshness.FAULT not in wire.fresh(EVERYTHING).values()
        keys_answer(wire)
        await wire.be(Fault.NONE)
        await wire.live(EVERYTHING)


async def test_a_watch_cut_in_the_middle_goes_on_where_it_was(
    ready: Ready, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with wired(ready, tmp_path, monkeypatch) as wire:
        for word in ("first", "second"):
            wire.proxies["kube"].cut()
            # Written while nobody watches: only a watch that resumes from where it was, or a new list, can know of it.
            await annotate(ready, word)
            await wire.until(lambda said=word: note(wire) == said, RECOVERED_WITHIN, lambda: note(wire))  # type: ignore[misc]
            await wire.live(KUBE)


async def test_connections_that_died_unnoticed_are_found_out(
    ready: Ready, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with wired(ready, tmp_path, monkeypatch) as wire:
        # The pulse has a connection too by now.
        await wire.until(lambda: len(wire.pauses) * BEAT > 2 * EVERY_SECONDS, 60.0, lambda: len(wire.pauses))
        # Shorter than any question: the server was never lost, but no watch will ever tell anything again.
        wire.proxies["kube"].swallow()
        await wire.be(Fault.NONE)
        await annotate(ready, "unnoticed")
        await wire.until(lambda: note(wire) == "unnoticed", MARKED_WITHIN, lambda: note(wire))
        await wire.live(KUBE)


async def annotate(ready: Ready, word: str) -> None:
    """A change by somebody else, who does not go through the proxy."""
    direct = await KubeClient.connect(ready.context, ready.kubeconfig)
    path = "/apis/apps/v1/namespaces/payments/deployments/payments-api"
    change: Json = {"metadata": {"annotations": {"example.com/cut": word}}}
    await direct.patch(path, change, "application/merge-patch+json")
    await direct.aclose()


def note(wire: Wire) -> str:
    picture = wire.flight.frame()
    assert picture is not None
    return picture.snapshot.deployments["payments/payments-api"].annotations.get("example.com/cut", "")


def keys_answer(wire: Wire) -> None:
    """Requests are plain calls that answer with a reason or nothing; they must not have been made to wait for the network."""
    assert "nothing to hold" in wire.flight.hold()
    assert wire.flight.resume() == "nothing holds"
    assert wire.flight.promote("of another plan") != ""
