"""Flights through servers that put a payload into every text: on every command's own bytes, in every file, on the terminal."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import pytest

from cockpit.rehearsal.client import Ready, World
from tests.fuzz.front import Fronts, fronted
from tests.hostile.payloads import COUNT, payloads
from tests.hostile.spoiler import Spoiler
from tests.hostile.terminal import Terminal
from tests.hostile.test_screens import drawn, raw
from tests.scenarios.flights import PLAYBOOK
from tests.thorough import SEED, either

pytestmark = pytest.mark.timeout(either(1800, 400))

COCKPIT = (sys.executable, "-m", "cockpit")
LOOKING = either(
    (("status",), ("status", "--json"), ("diagnose",), ("diagnose", "--json", "--all"), ("plan",), ("validate", "--online")),
    (("status",), ("diagnose", "--json", "--all"), ("plan",)),
)
REFUSALS = either((401, 403, 404, 409, 422, 429, 500, 503), (403, 500))
MARK = re.compile(rb"Q[0-9]+")
SPEED = 60.0


@pytest.fixture(scope="module")
def world() -> Iterator[Ready]:
    with World.spawn(PLAYBOOK, scenario="clean", seed=SEED, speed=SPEED) as world:
        yield asyncio.run(world.ready())


@pytest.fixture(autouse=True)
def fresh() -> None:
    Spoiler.payloads, Spoiler.placed = cycle(payloads(COUNT, SEED)), 0


class Cockpit:
    """Commands behind the fronts, and everything that they show and write."""

    def __init__(self, ready: Ready, fronts: Fronts, home: Path) -> None:
        self.home, self._fronts = home, fronts
        self._env = {**os.environ, **ready.env, "COCKPIT_HOME": str(home), "KUBECONFIG": str(fronts.kubeconfig)}
        self._argv = ("--context", ready.context)
        self.marks: set[bytes] = set()
        self.said = ""
        """The end of what the last command showed."""

    async def run(self, name: str, *words: str) -> int:
        """Run a command to its end: its exit code. AssertionError for a byte that acts, and for a crash."""
        argv = [*COCKPIT, name, str(self._fronts.playbook), *words, *self._argv]
        pipe, none = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(*argv, env=self._env, stdin=none, stdout=pipe, stderr=pipe)
        async with asyncio.timeout(120):
            shown = await process.communicate()
        self.said = "\n".join(data.decode()[-3000:] for data in shown)
        for data in shown:
            assert not list(raw(data.decode()))[:3], (name, words)
            self.marks |= set(MARK.findall(data))
        assert b"internal error" not in shown[1], shown[1]
        assert b"Traceback" not in shown[1], shown[1]
        assert process.returncode is not None
        return process.returncode

    async def on_screen(self, *words: str) -> None:
        """Fly on a terminal, look at every page, and leave."""
        argv = [*COCKPIT, "run", str(self._fronts.playbook), *words, *self._argv]
        with Terminal(argv, env=self._env) as terminal:
            await asyncio.to_thread(self._look, terminal)
        text = terminal.seen.decode()
        assert not list(raw(drawn(text)))[:3]
        self.marks |= set(MARK.findall(terminal.seen))

    def _look(self, terminal: Terminal) -> None:
        terminal.until(b"canary-5")
        for key in (b"?", b"l", b"p", b"w", b"d", b"m", b"t", b"e"):
            for one in (key, b"\x1b"):
                terminal.send(one)
                terminal.until(b"\x1b[?2026l")
        terminal.send(b"q")
        terminal.until(b"\x1b[?2026l")
        terminal.send(b"\r")
        terminal.end()

    def assert_files_are_clean(self) -> None:
        """In nothing that was written is a character that acts."""
        files = [path for path in self.home.rglob("*") if path.is_file()]
        assert any(path.name == "journal.jsonl" for path in files)
        for path in files:
            assert not list(raw(path.read_text()))[:3], path
        assert not list(self.home.glob("crashes/*"))


async def test_a_flight_and_its_way_back(world: Ready, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with fronted(world, tmp_path, Spoiler) as fronts:
        cockpit = Cockpit(world, fronts, tmp_path / "home")
        assert await cockpit.run("run", "--headless", "--autopilot", "--output", "text") == 0, cockpit.said
        for words in LOOKING:
            assert await cockpit.run(*words) in (0, 1), cockpit.said
        assert await cockpit.run("rollback", "--output", "json") == 0, cockpit.said
        cockpit.assert_files_are_clean()
    report(capsys, cockpit, fronts)


async def test_on_the_screen(world: Ready, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with fronted(world, tmp_path, Spoiler) as fronts:
        cockpit = Cockpit(world, fronts, tmp_path / "home")
        await cockpit.on_screen("--observe")
        cockpit.assert_files_are_clean()
    report(capsys, cockpit, fronts)


async def test_what_decides_something_is_spoiled_too(
    world: Ready, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Spoiler, "steering", True)
    async with fronted(world, tmp_path, Spoiler) as fronts:
        cockpit = Cockpit(world, fronts, tmp_path / "home")
        for words in (*LOOKING, ("run", "--headless", "--observe", "--give-up-after", "20")):
            assert await cockpit.run(*words) in (0, 1, 3, 4), cockpit.said
        assert [one for one in fronts.mutating if "deployments" in one] == []
        cockpit.assert_files_are_clean()
    report(capsys, cockpit, fronts)


@pytest.mark.parametrize("status", REFUSALS)
async def test_every_refusal(
    world: Ready, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], status: int
) -> None:
    monkeypatch.setattr(Spoiler, "refuses", status)
    async with fronted(world, tmp_path, Spoiler) as fronts:
        cockpit = Cockpit(world, fronts, tmp_path / "home")
        for words in (*LOOKING, ("run", "--headless"), ("rollback", "--give-up-after", "20")):
            assert await cockpit.run(*words) in (0, 1, 3), cockpit.said
        cockpit.assert_files_are_clean()
    report(capsys, cockpit, fronts)


def report(capsys: pytest.CaptureFixture[str], cockpit: Cockpit, fronts: Fronts) -> None:
    with capsys.disabled():
        print(f"\n{Spoiler.placed} payloads placed, {len(cockpit.marks)} of {COUNT} seen again, seed {SEED}")
    assert Spoiler.placed > COUNT
    assert cockpit.marks, "what is shown holds some of it, harmless"
