"""How long from the decision to roll back until every write is accepted: a key in the cockpit, or a person's script.

The world stands in the last phase: all weights on arm64, affinity required. Three changes go back: the default rule of a
listener, another rule, and one Deployment's affinity; the cockpit also takes its records away, reads before and after each
write, and has each intent on the disk first. The script does no more than the writes.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from cockpit.clock import ScaledClock
from cockpit.model.plan import Plan, Write
from tests.bench import peers
from tests.bench.figures import Row, Sample
from tests.bench.prepared import Prepared, prepared
from tests.bench.start import LIVE

WANTED = 1 / 5
DIALOG = "rolls back now"
SETTLED = 1.0
"""Seconds that a person looks at the dialog; keys in the first 0.3 do nothing."""
PATIENCE = 30.0


def measure(runs: int) -> Iterator[Row]:
    """One row; without one of the tools it says which."""
    yield asyncio.run(_measure(runs))


async def _measure(runs: int) -> Row:
    missing, tools = "", ("", "")
    try:
        tools = peers.kubectl(), peers.aws()
    except peers.Missing as error:
        missing = str(error)
    ours, theirs = [], []
    async with prepared() as world:
        last = len(world.playbook.phases) - 1
        for _ in range(runs + 1):  # the first of each warms the page cache
            await world.enter(last)
            ours.append(await asyncio.to_thread(_by_key, world, len((await world.way_back()).writes)))
            if not missing:
                await world.enter(last)
                theirs.append(await asyncio.to_thread(_by_script, world, await world.way_back(), *tools))
                await world.go_back()
    peer = Sample(tuple(theirs[1:])) if theirs else None
    note = "script: aws elbv2 modify-listener, aws elbv2 modify-rule, kubectl patch, one after the other, on the same servers"
    name = "Enter to all rollback writes accepted"
    return Row(name, "s", Sample(tuple(ours[1:])), peer, "the script", None, WANTED, note, missing)


def _by_key(world: Prepared, writes: int) -> float:
    """Seconds from Enter on the dialog until the last of so many writes was accepted."""
    with tempfile.TemporaryDirectory(prefix="bench-") as home, world.cockpit(Path(home)) as terminal:
        terminal.until_shown(LIVE, "require-arm64")
        terminal.press(b"R")
        terminal.until_shown(DIALOG)
        terminal.read(SETTLED)
        pressed = terminal.press(b"\r")
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            terminal.read(0.1)
            if len(done := _accepted(Path(home), world.ready.clock)) >= writes:
                return done[writes - 1] - pressed
    raise RuntimeError(f"the rollback's {writes} writes were not accepted within {PATIENCE:.0f} s")


def _accepted(home: Path, clock: ScaledClock) -> list[float]:
    """When each write was accepted, by the journal, on the machine's monotonic clock."""
    lines = [line for file in home.glob("runs/*/journal.jsonl") for line in file.read_text().splitlines(keepends=True)]
    events: list[dict[str, Any]] = [json.loads(line) for line in lines if line.endswith("\n")]
    times = [datetime.fromisoformat(event["time"]) for event in events if event["type"] == "write_done"]
    return [clock.since + (moment - clock.origin).total_seconds() / clock.speed for moment in times]


def _by_script(world: Prepared, plan: Plan, kubectl: str, aws: str) -> float:
    """Seconds for the same writes by one process each."""
    commands = [_command(world, write, kubectl, aws) for write in plan.writes]
    environment = {**os.environ, "KUBECONFIG": str(world.ready.kubeconfig), "AWS_PAGER": ""}
    start = time.monotonic()
    for command in commands:
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - start


def _command(world: Prepared, write: Write, kubectl: str, aws: str) -> Sequence[str]:
    request = write.request
    if write.lever == "weights":
        actions, arn, url = json.dumps(request["actions"]), str(request["arn"]), str(world.ready.aws_endpoint_url)
        to = ("elbv2", "--endpoint-url", url)
        if request["is_default"]:
            return (aws, *to, "modify-listener", "--listener-arn", arn, "--default-actions", actions)
        return (aws, *to, "modify-rule", "--rule-arn", arn, "--actions", actions)
    *_, namespace, _, name = str(request["path"]).split("/")
    patch = json.dumps(request["patch"])
    return (kubectl, "--context", world.ready.context, "-n", namespace, "patch", "deployment", name, "--type=json", "-p", patch)
