"""Starting and ending the embedded world from another process: the cockpit's, or a test's. Imports nothing heavy."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import IO

from cockpit.clock import ScaledClock
from cockpit.errors import CockpitError, PlaybookInvalid, Unreachable, UsageError

START_TIMEOUT = 60.0
STOP_TIMEOUT = 10.0
"""Wall seconds."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The ready line. `env` is what a process needs to be let in by the AWS endpoint; addresses are of this machine."""

    kubeconfig: Path
    context: str
    playbook: Path
    aws_endpoint_url: str | None
    prometheus_url: str
    registry_url: str
    control_url: str
    clock: ScaledClock
    env: Mapping[str, str]
    scenario: str
    seed: int
    pid: int
    folder: Path


def _parse(line: str) -> Ready:
    said = json.loads(line)
    clock = said["clock"]
    origin = datetime.fromisoformat(clock["origin"].replace("Z", "+00:00"))
    return Ready(
        kubeconfig=Path(said["kubeconfig"]),
        context=said["context"],
        playbook=Path(said["playbook"]),
        aws_endpoint_url=said["aws_endpoint_url"],
        prometheus_url=said["prometheus_url"],
        registry_url=said["registry_url"],
        control_url=said["control_url"],
        clock=ScaledClock(origin, clock["since"], clock["speed"]),
        env=said["env"],
        scenario=said["scenario"],
        seed=said["seed"],
        pid=said["pid"],
        folder=Path(said["folder"]),
    )


class World:
    """A world in a process of its own, which ends when this one does.

    `with World.spawn(...) as world: world.wait_ready()` in tests; `await world.ready()` where a loop runs.
    """

    def __init__(self, process: subprocess.Popen[bytes], words: IO[bytes]) -> None:
        self._process = process
        self._words = words
        self._lock = threading.Lock()
        self._ready: Ready | None = None

    @classmethod
    def spawn(cls, playbook: Path, *, scenario: str = "clean", seed: int = 1, speed: float = 1.0) -> World:
        """Start the process; returns at once, so that the caller can import its screen meanwhile."""
        command = [sys.executable, "-m", "cockpit.rehearsal", "--until-eof", "--playbook", str(playbook)]
        command += ["--scenario", scenario, "--seed", str(seed), "--speed", str(speed)]
        pipe = subprocess.PIPE
        # A session of its own: Ctrl-C on the cockpit's terminal is the cockpit's to handle; the world ends with its pipe.
        words = tempfile.TemporaryFile()  # noqa: SIM115 (a pipe that nobody reads would block it; closed by kill)
        return cls(subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=words, start_new_session=True), words)

    @classmethod
    async def start(cls, playbook: Path, *, scenario: str = "clean", seed: int = 1, speed: float = 1.0) -> World:
        """Spawn, and wait until it is ready."""
        world = cls.spawn(playbook, scenario=scenario, seed=seed, speed=speed)
        await world.ready()
        return world

    async def ready(self) -> Ready:
        """The ready line, once it is there. PlaybookInvalid, UsageError or Unreachable, with the process' own words."""
        return await asyncio.to_thread(self.wait_ready)

    def wait_ready(self) -> Ready:
        """As `ready`, blocking."""
        with self._lock:
            if self._ready is None:
                self._ready = self._read()
            return self._ready

    def _read(self) -> Ready:
        if self._process.stdout is None:
            raise Unreachable("the embedded world was started without a pipe to read from")
        slow = threading.Timer(START_TIMEOUT, self._process.kill)
        slow.start()
        try:
            line = self._process.stdout.readline()
        finally:
            slow.cancel()
        if line:
            return _parse(line.decode())
        raise self._failure()

    def _failure(self) -> CockpitError:
        code = self._process.wait()
        self._words.seek(0)
        words = self._words.read().decode("utf-8", "replace").strip()
        if code == UsageError.exit_code:
            return PlaybookInvalid(words.splitlines()) if "\n" in words or ".yaml:" in words else UsageError(words)
        last = words.splitlines()[-1] if words else f"it ended with status {code}"
        return Unreachable(f"the embedded world did not start: {last}")

    async def stop(self) -> None:
        """End the process and wait until nothing of it is left."""
        await asyncio.to_thread(self.kill)

    def kill(self) -> None:
        """As `stop`, blocking. May be called twice."""
        process = self._process
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
        self._words.close()
        if self._ready is not None:
            shutil.rmtree(self._ready.folder, ignore_errors=True)

    def __enter__(self) -> World:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.kill()
