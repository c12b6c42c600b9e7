"""The embedded world as big as asked for, in a process of its own: `cockpit serve-rehearsal --nodes N --pods N --events N`."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.bench.figures import number
from tests.real.processes import Process

PATIENCE = 90.0
GRACE = 15.0
LIMIT = (5_000, 150_000)
"""Nodes and pods that Kubernetes publishes as its limit."""


@dataclass(frozen=True, slots=True)
class Size:
    """How many nodes and pods, and changes of them a second."""

    nodes: int
    pods: int
    events: int = 0

    def __str__(self) -> str:
        return f"{self.nodes:,} nodes, {number(self.pods)} pods" + (f", {self.events:,} events/s" if self.events else "")


QUIET, STORM = Size(*LIMIT), Size(*LIMIT, 1_000)
NODES, NODES_STORM = Size(LIMIT[0], 30_000), Size(LIMIT[0], 30_000, 1_000)
"""For what many starts are measured of: with a sixth of the pods, as the first scan of them all takes longest of a start."""


@dataclass(frozen=True, slots=True)
class Served:
    """A running world: files and addresses, and the environment in which kubectl, the AWS CLI and the cockpit find it."""

    pid: int
    folder: Path
    kubeconfig: Path
    playbook: Path
    context: str
    aws_url: str
    prometheus_url: str
    control_url: str
    env: dict[str, str]

    @property
    def server(self) -> str:
        """The API server's address."""
        config = yaml.safe_load(self.kubeconfig.read_text())
        return str(config["clusters"][0]["cluster"]["server"])


@contextmanager
def served(size: Size | None, *more: str) -> Iterator[Served]:
    """A world of its own, ended on leaving. RuntimeError with its last words when it does not start."""
    asked = ("--nodes", str(size.nodes), "--pods", str(size.pods), "--events", str(size.events)) if size else ()
    with tempfile.TemporaryDirectory(prefix="bench-") as text:
        process = Process("world", [sys.executable, "-m", "cockpit", "serve-rehearsal", *asked, *more], Path(text))
        try:
            yield _read(process, Path(text))
        finally:
            process.stop(GRACE)


def _read(process: Process, folder: Path) -> Served:
    said = _ready(process)
    kubeconfig = Path(said["kubeconfig"])
    # The clock is not handed on: the world's own is the machine's, at its own pace.
    env = {**said["env"], "KUBECONFIG": str(kubeconfig), "AWS_PAGER": ""}
    return Served(
        process.pid,
        folder,
        kubeconfig,
        Path(said["playbook"]),
        said["context"],
        said["aws_endpoint_url"] or "",
        said["prometheus_url"],
        said["control_url"],
        env,
    )


def _ready(process: Process) -> dict[str, Any]:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        for line in process.log.read_text(errors="replace").splitlines():
            if line.startswith("{") and line.endswith("}"):
                found: dict[str, Any] = json.loads(line)
                return found
        if not process.alive:
            break
        time.sleep(0.05)
    last = next(reversed(process.last_words().strip().splitlines()), "nothing")
    raise RuntimeError(f"the embedded world did not start; it said: {last}")


def environment(world: Served, **more: str) -> dict[str, str]:
    """This process's environment, with the world in it."""
    return {**os.environ, **world.env, **more}
