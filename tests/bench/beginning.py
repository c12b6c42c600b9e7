"""From the start of the process to all panels at 5,000 nodes, beside `kubectl get nodes` on the same server."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass

from tests.bench import peers
from tests.bench.figures import Row, Sample
from tests.bench.flown import LIVE, PANELS, flown
from tests.bench.served import NODES, Served, environment, served

WANTED = 0.6
PATIENCE = 120.0
PEER = "kubectl get nodes"


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds from the start of the process: to the frames, to all nodes in their panel, until every source was read."""

    framed: float
    nodes: float
    live: float


def measure(runs: int) -> Iterator[Row]:
    """Three rows; in turn with kubectl, so that whatever else the machine does weighs on both alike."""
    missing, kubectl = "", ""
    try:
        kubectl = peers.kubectl()
    except peers.Missing as error:
        missing = str(error)
    with served(NODES) as world:
        rounds = [(started(world, NODES.nodes), _listed(world, kubectl) if kubectl else 0.0) for _ in range(runs + 1)][1:]
    peer = Sample(tuple(listed for _, listed in rounds)) if kubectl else None
    note = f"{NODES}: process start until the panels stand and the nodes' panel counts all of them, at 120x40"
    nodes = Sample(tuple(start.nodes for start, _ in rounds))
    yield Row("start to all panels, 5,000 nodes", "s", nodes, peer, PEER, None, WANTED, note, missing)
    live = Sample(tuple(start.live for start, _ in rounds))
    note = f"until `{LIVE}`: every source read, the scan of all pods included"
    yield Row("start until every source was read", "s", live, peer, PEER, None, None, note, missing)
    framed = Sample(tuple(start.framed for start, _ in rounds))
    yield Row(
        "start to the first frame, 5,000 nodes", "s", framed, peer, PEER, None, None, "the panels' frames, painted", missing
    )


def started(world: Served, nodes: int) -> Start:
    """Start the cockpit, and watch."""
    with flown(world) as terminal:
        framed = terminal.until_shown(*PANELS, patience=PATIENCE)
        counted = terminal.until(lambda text: all(word in text for word in PANELS) and ready(text) >= nodes, PATIENCE)
        lived = counted if LIVE in terminal.screen.text else terminal.until_shown(LIVE, patience=PATIENCE)
        return Start(*(moment - terminal.started for moment in (framed, counted, lived)))


def ready(text: str) -> int:
    """The ready nodes of both architectures, as the nodes' panel says."""
    found = re.findall(r"│ (?:amd64|arm64) +[█▏▎▍▌▋▊▉ ]*([\d,]+)", text)
    return sum(int(count.replace(",", "")) for count in found[:2])


def _listed(world: Served, kubectl: str) -> float:
    began = time.monotonic()
    command = [kubectl, "--context", world.context, "get", "nodes"]
    subprocess.run(command, env=environment(world), check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE)
    return time.monotonic() - began
