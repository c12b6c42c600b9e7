"""The real command over real sockets for eight hours of model time: its watches are cut all the time, events pour down."""

from __future__ import annotations

import base64
import os
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import yaml

from cockpit.rehearsal.client import Ready, World
from tests.scenarios.flights import PLAYBOOK
from tests.thorough import SEED, figure

pytestmark = pytest.mark.slow

HOURS = figure(8.0, 2.0, 0.4)
SPEED = 240.0
GROWTH = figure(1.10, 1.15, 1.15)
SPARE = 8
"""Connections that a pool may keep open for the next request."""
EVENTS_A_SECOND = 100
"""Of the wall."""
WARM = 0.1
"""The part of the time after which the first measure is taken: caches are full by then."""


@pytest.fixture
def long_playbook(tmp_path: Path) -> Path:
    """The short playbook with a first phase that soaks longer than the test lasts."""
    text = PLAYBOOK.read_text()
    path = tmp_path / "long.yaml"
    path.write_text(
        text.replace(
            "name: canary-5\n    set:\n      weights: {arm64: 5, amd64: 95}\n    soak: 1m",
            "name: canary-5\n    set:\n      weights: {arm64: 5, amd64: 95}\n    soak: 20h",
        )
    )
    assert "soak: 20h" in path.read_text()
    return path


def held(pid: int) -> dict[str, int]:
    """What a process holds: resident memory in KiB, open files, threads."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return {"resident": int(status["VmRSS"].split()[0]), "files": files, "threads": int(status["Threads"])}


class Shower:
    """Posts events to the world's API, at most as many a second as asked for."""

    def __init__(self, ready: Ready) -> None:
        config = yaml.safe_load(ready.kubeconfig.read_text())
        cluster = config["clusters"][0]["cluster"]
        trust = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
        token = {"Authorization": "Bearer operator"}
        self._http = httpx.Client(base_url=cluster["server"], verify=trust, headers=token, trust_env=False)
        self.posted = 0

    def close(self) -> None:
        self._http.close()

    def second(self) -> None:
        until = time.monotonic() + 1.0
        for _ in range(EVENTS_A_SECOND):
            self.posted += 1
            event = {
                "apiVersion": "v1",
                "kind": "Event",
                "metadata": {"name": f"storm.{self.posted:08x}", "namespace": "payments"},
                "involvedObject": {"kind": "Pod", "namespace": "payments", "name": f"payments-api-{self.posted % 7}"},
                "type": "Warning",
                "reason": "Unhealthy",
                "message": f"Readiness probe failed: attempt {self.posted}",
            }
            self._http.post("/api/v1/namespaces/payments/events", json=event).raise_for_status()
            if time.monotonic() > until:
                return
        time.sleep(max(0.0, until - time.monotonic()))


@contextmanager
def command(ready: Ready, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`cockpit run` without a screen."""
    environment = {**os.environ, **ready.env, "KUBECONFIG": str(ready.kubeconfig), "COCKPIT_HOME": str(folder / "home")}
    words = [
        sys.executable,
        "-m",
        "cockpit",
        "run",
        str(ready.playbook),
        "--headless",
        "--autopilot",
        "--give-up-after",
        "999999",
    ]
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen(words, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)


def await_phase(process: subprocess.Popen[bytes], out: Path) -> None:
    """Wait until the run is under way: what a start takes is no growth."""
    while '"phase_started"' not in out.read_text():
        assert process.poll() is None, out.read_text()[-2000:]
        time.sleep(0.1)


@pytest.mark.timeout(figure(1800, 600, 120))
def test_eight_hours_over_sockets_leave_nothing_behind(long_playbook: Path, tmp_path: Path) -> None:
    with World.spawn(long_playbook, scenario="watch-gone", seed=SEED, speed=SPEED) as world:
        ready = world.wait_ready()
        with command(ready, tmp_path) as process:
            await_phase(process, tmp_path / "out")
            shower, start, first = Shower(ready), ready.clock.monotonic(), None
            while (gone := ready.clock.monotonic() - start) < HOURS * 3600:
                assert process.poll() is None, (tmp_path / "out").read_text()[-2000:]
                shower.second()
                if first is None and gone > WARM * HOURS * 3600:
                    first = held(process.pid)
            last = held(process.pid)
            shower.close()
    sys.stdout.write(f"{HOURS} h, {shower.posted} events posted: {first} then {last}\n")
    assert first is not None
    assert last["resident"] < first["resident"] * GROWTH, (first, last)
    assert last["files"] <= first["files"] + SPARE, (first, last)
    assert last["threads"] <= first["threads"] + 2, (first, last)
