"""The Ingress in preflight, over sockets: what the lever could not move, or could not take back, keeps a run from starting."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from cockpit.connections.kube import KubeClient
from cockpit.levers.ingress_patch import ORIGINAL
from cockpit.model.arch import Arch
from cockpit.model.check import Check, Result
from cockpit.model.playbook import Alb, IngressAction
from cockpit.preflight.ingress import action
from cockpit.preflight.look import Look
from cockpit.rehearsal.kube.api import make_app
from cockpit.rehearsal.kube.kubeconfig import write_kubeconfig
from cockpit.rehearsal.kube.server import serve
from cockpit.rehearsal.kube.storage import Storage
from tests.contract.ingress_bench import ACTION, KEY, NAME, SERVICES, TEXT, ingress
from tests.contract.leaping import LeapingClock
from tests.unit.rehearsal.small_world import NAMESPACE, small_world

PLACE = IngressAction(NAME, ACTION, SERVICES)
ALB = Alb("ap-south-1", {Arch.AMD64: "arn:x86", Arch.ARM64: "arn:arm"}, ingress=PLACE)


class World:
    """An API server with or without the Ingress."""

    def __init__(self, storage: Storage, kube: KubeClient) -> None:
        self.storage, self.kube = storage, kube

    async def look(self, **notes: str | None) -> Look:
        """What preflight finds with these annotations beside or instead of those that are there (None removes one)."""
        made = ingress()
        held = made["metadata"]["annotations"]
        for key, text in notes.items():
            held.pop(key, None)
            held.update({key: text} if text is not None else {})
        self.storage.create("ingresses", made)
        return await action(ALB, PLACE, NAMESPACE, self.kube)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    storage = small_world(LeapingClock())
    async with AsyncExitStack() as stack:
        serving = await serve(make_app(storage), tmp_path)
        stack.push_async_callback(serving.stop)
        write_kubeconfig(tmp_path / "config", serving.url, serving.authority, NAMESPACE)
        kube = await KubeClient.connect(kubeconfig=tmp_path / "config")
        stack.push_async_callback(kube.aclose)
        yield World(storage, kube)


def only(look: Look) -> Check:
    (check,) = look.checks
    return check


async def test_an_action_with_both_groups_passes(world: World) -> None:
    look = await world.look()
    assert (only(look).result, only(look).words) == (
        Result.PASS,
        "ingress/payments forwards to both target groups (amd64 100, arm64 0)",
    )
    assert not look.under_way


async def test_no_such_ingress(world: World) -> None:
    check = only(await action(ALB, PLACE, NAMESPACE, world.kube))
    assert check.result is Result.REFUSED
    assert f"there is no ingress/payments in namespace {NAMESPACE}" in check.words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "has no annotation"),
        ("{", "cannot be read"),
        ('{"type":"redirect"}', "is no forward action"),
        (TEXT.replace("api-arm", "api-else"), "names the target group of arm64"),
        (TEXT.replace('"weight":100', '"weight":0'), "all of its weights are zero"),
        (TEXT.replace('"weight":100', '"weight":"100"'), "gives amd64 the weight"),
    ],
)
async def test_what_cannot_be_moved_is_refused(world: World, text: str | None, words: str) -> None:
    check = only(await world.look(**{KEY: text}))
    assert check.result is Result.REFUSED
    assert words in check.words


async def test_a_run_that_is_under_way_is_seen_and_a_damaged_record_of_it_too(world: World) -> None:
    look = await world.look(**{ORIGINAL: f"{ACTION} amd64=100 arm64=0"})
    assert (only(look).result, look.under_way) == (Result.PASS, True)


async def test_a_damaged_record_is_said(world: World) -> None:
    look = await world.look(**{ORIGINAL: "other amd64=100 arm64=0"})
    assert "does not give back the weights" in only(look).words
    assert look.under_way
