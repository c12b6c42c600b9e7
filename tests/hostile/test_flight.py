"""A flight without a screen in a world whose every text is hostile, on a terminal: nothing in it acts, and nothing crashes."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from cockpit.connections.kube import KubeClient
from cockpit.controls.api import Place
from cockpit.controls.lease import document
from cockpit.model.controls import Cockpit
from cockpit.rehearsal.client import Ready, World
from tests.fuzz.front import Front, Mutates, fronted
from tests.hostile.payloads import COUNT, payloads
from tests.hostile.terminal import Terminal
from tests.hostile.test_screens import raw
from tests.thorough import SEED, THOROUGH, either, figure

pytestmark = pytest.mark.slow

SHORT = Path(__file__).parents[1] / "scenarios" / "short.yaml"
COCKPIT = (sys.executable, "-m", "cockpit")
PAYLOADS = figure(COUNT, 96, 36)
STORIES = either(("agent-crashloop", "exec-format", "no-arm-capacity", "reverted", "prometheus-down", "clean"), ("exec-format",))
FREE = {"message", "manager", "note", "component", "reportingComponent", "errorType"}
"""Fields in which whoever may write there puts any text at all; `error` and `warnings` are Prometheus' own."""
EACH = 5
"""Payloads in each text; prime to the number of kinds, so that each kind comes first in its turn."""


class Hostile(Front):
    """Puts a payload into every free text that the world answers with."""

    texts: Iterator[str] = iter(())

    def __init__(self, name: str, upstream: str, mutates: Mutates) -> None:
        super().__init__(name, upstream, mutates)
        self.poisoned = 0

    async def body(self, request: web.Request, got: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        if "json" not in got.headers.get("Content-Type", "") or got.headers.get("Content-Encoding") or self.name == "registry":
            async for chunk in super().body(request, got):
                yield chunk
        elif "watch" in request.query:
            async for line in lines(got):
                yield json.dumps(self._poison(json.loads(line))).encode() + b"\n"
        else:
            yield json.dumps(self._poison(json.loads(await got.read()))).encode()

    def _poison(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._poison(one) for one in value]
        if not isinstance(value, dict):
            return value
        changed: dict[str, Any] = {
            key: self._word(one) if self._free(key, one) else self._poison(one) for key, one in value.items()
        }
        if isinstance(changed.get("metadata"), dict) and "uid" in changed["metadata"]:
            notes = changed["metadata"].get("annotations") or {}
            changed["metadata"]["annotations"] = {**notes, "example.com/note": self._word("")}
        if "resultType" in changed or changed.get("status") == "error":
            changed["warnings"] = [self._word("")]
        return changed

    def _free(self, key: str, value: Any) -> bool:
        return isinstance(value, str) and (key in FREE or (key == "error" and self.name == "metrics"))

    def _word(self, text: str) -> str:
        self.poisoned += 1
        return text + "".join(islice(Hostile.texts, EACH))


async def lines(got: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """A watch's lines, of any length."""
    left = b""
    async for chunk in got.content.iter_any():
        *whole, left = (left + chunk).split(b"\n")
        for line in whole:
            yield line


async def watched_by_somebody_hostile(ready: Ready) -> None:
    """A cockpit with an operator's name that is a payload."""
    kube, now = await KubeClient.connect(kubeconfig=ready.kubeconfig), datetime.now(UTC)
    place = Place("payments", "short")
    who = Cockpit("e71", next(Hostile.texts), next(Hostile.texts))
    await kube.post(place.leases, document(place.presence(who.id), place.playbook, who, 0, now, now))
    await kube.aclose()


def shown(env: dict[str, str], *words: str) -> tuple[int | None, str]:
    with Terminal([*COCKPIT, *words], env=env) as terminal:
        text = terminal.end().decode()
    return terminal.code, text


@pytest.mark.timeout(figure(3600, 900, 300))
@pytest.mark.parametrize("story", STORIES)
async def test_no_text_of_the_world_acts_on_a_terminal(story: str, tmp_path: Path) -> None:
    Hostile.texts = cycle(payloads(PAYLOADS, SEED))
    (folder := tmp_path / "front").mkdir(mode=0o700)
    with World.spawn(SHORT, scenario=story, speed=60.0) as world:
        ready = await world.ready()
        async with fronted(ready, folder, Hostile) as fronts:
            home = {"HOME": str(tmp_path), "COCKPIT_HOME": str(tmp_path / "home"), "KUBECONFIG": str(fronts.kubeconfig)}
            await watched_by_somebody_hostile(ready)
            env = {"PATH": os.environ["PATH"], **ready.env, **home}
            said = {}
            for words in commands(str(fronts.playbook)):
                said[" ".join(words)] = await asyncio.to_thread(shown, env, *words)
            poisoned = {name: front.poisoned for name, front in fronts.fronts.items() if isinstance(front, Hostile)}
    text = "".join(text for _, text in said.values())
    print(f"{story}: {len(text)} characters on the terminal, {len(marks(text))} payloads seen, texts poisoned: {poisoned}")
    assert {words: found for words, (_, one) in said.items() if (found := list(raw(one)))} == {}
    assert {words: code for words, (code, _) in said.items() if code not in (0, 1)} == {}
    assert "internal error" not in text
    assert not list((tmp_path / "home").glob("crashes/*"))
    assert poisoned["kube"] > PAYLOADS
    assert marks(text), "what was put into the world was seen"


def commands(book: str) -> Iterator[tuple[str, ...]]:
    """Whatever says anything, in its forms; the flight first as text, then again as JSON."""
    flying = ("run", book, "--headless", "--autopilot", "--give-up-after", "900")
    yield "status", book
    yield *flying, "--output", "text"
    yield "diagnose", book, "--all"
    yield "rollback", book, "--output", "json"
    if THOROUGH:
        yield *flying, "--output", "json"
        yield "rollback", book, "--output", "text"
        yield "status", book, "--json"
        yield "diagnose", book, "--json"
        yield "plan", book
        yield "validate", "--online", book


def marks(text: str) -> set[str]:
    """The payloads that were shown, by their marks."""
    return set(re.findall(r"Q\d+", text))
