"""How long from the decision to roll back until the servers have accepted it: a key in the cockpit, or a person's command.

The world stands in the last phase: all weights on arm64, affinity required. Three changes go back: the default rule of a
listener, another rule, and one Deployment's affinity; the cockpit also takes its records away, reads before and after each
write, and has each intent on the disk first. The commands do no more than the writes. Both go through the same taps, which note
when the server's answer comes by.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cockpit.model.plan import Plan, Write
from tests.bench import peers
from tests.bench.figures import Row, Sample
from tests.bench.flown import LIVE, flown
from tests.bench.prepared import prepared
from tests.bench.served import NODES, NODES_STORM, Size, environment
from tests.bench.tapped_world import TappedWorld, tapped_world

OF_PATCH, OF_BOTH, OF_PATCH_BUSY = 1 / 4, 1 / 5, 1.0
DIALOG = "rolls back now"
SETTLED = 0.6
"""Seconds that a person looks at the dialog; keys in the first 0.3 do nothing."""
PATIENCE = 60.0
PATCH, BOTH = "kubectl patch", "aws + kubectl"


@dataclass(frozen=True, slots=True)
class Taken:
    """Seconds from the beginning: until Kubernetes had accepted its write, and until all of them were accepted."""

    kubernetes: float
    both: float


@dataclass(frozen=True, slots=True)
class Found:
    """Our runs and theirs, and which tool is missing."""

    ours: tuple[Taken, ...]
    theirs: tuple[Taken, ...]
    missing: str


def idle(runs: int) -> Iterator[Row]:
    """Two rows on a quiet cluster at the published limit."""
    found = asyncio.run(_measure(NODES, runs))
    note = f"{NODES}; until the API server's answer to the write; peer: its process, from its start"
    yield _row(found, "Enter to the Kubernetes write accepted, idle", "kubernetes", PATCH, OF_PATCH, note)
    commands = "aws elbv2 modify-listener, aws elbv2 modify-rule, kubectl patch"
    note = f"{NODES}; until the last answer; peer: {commands}, one after the other"
    yield _row(found, "Enter to all rollback writes accepted, idle", "both", BOTH, OF_BOTH, note)


def busy(runs: int) -> Iterator[Row]:
    """The same at 1,000 events a second: the worst of the runs."""
    found = asyncio.run(_measure(NODES_STORM, runs))
    note = f"{NODES_STORM}; p99, of so few runs the worst one; medians {_medians(found, 'kubernetes')}"
    yield _row(
        found, "Enter to the Kubernetes write accepted, 1,000 events/s, p99", "kubernetes", PATCH, OF_PATCH_BUSY, note, p99=True
    )
    note = f"{NODES_STORM}; p99, of so few runs the worst one; medians {_medians(found, 'both')}"
    yield _row(found, "Enter to all rollback writes accepted, 1,000 events/s, p99", "both", BOTH, None, note, p99=True)


def _row(found: Found, name: str, part: str, peer: str, wanted: float | None, note: str, p99: bool = False) -> Row:
    ours, theirs = _sample(found.ours, part), _sample(found.theirs, part) if found.theirs else None
    if p99:
        ours, theirs = Sample((ours.p99,)), Sample((theirs.p99,)) if theirs else None
        note += f"; {len(found.ours)} runs"
    return Row(name, "s", ours, theirs, peer, None, wanted, note, found.missing)


def _sample(taken: Sequence[Taken], part: str) -> Sample:
    return Sample(tuple(float(getattr(one, part)) for one in taken))


def _medians(found: Found, part: str) -> str:
    samples = [_sample(taken, part) for taken in (found.ours, found.theirs) if taken]
    return " / ".join(f"{sample.median * 1000:.0f} ms" for sample in samples)


async def _measure(size: Size, runs: int) -> Found:
    missing, tools = "", ("", "")
    try:
        tools = peers.kubectl(), peers.aws()
    except peers.Missing as error:
        missing = str(error)
    ours, theirs = [], []
    async with prepared(size) as world:
        last = len(world.playbook.phases) - 1
        with tapped_world(world.world) as taps:
            for _ in range(runs + 1):  # the first of each warms the page cache
                await world.enter(last)
                plan = await world.way_back()
                ours.append(await asyncio.to_thread(_by_key, taps, plan))
                if not missing:
                    await world.enter(last)
                    theirs.append(await asyncio.to_thread(_by_commands, taps, await world.way_back(), *tools))
                await world.go_back()
    return Found(tuple(ours[1:]), tuple(theirs[1:]), missing)


def _by_key(taps: TappedWorld, plan: Plan) -> Taken:
    """From Enter on the dialog."""
    with tempfile.TemporaryDirectory(prefix="bench-") as home, flown(taps.world, home) as terminal:
        terminal.until_shown(LIVE, "require-arm64")
        terminal.press(b"R")
        terminal.until_shown(DIALOG)
        terminal.read(SETTLED)
        pressed = terminal.press(b"\r")
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            terminal.read(0.1)
            if taken := _taken(taps, plan, pressed):
                return taken
        raise RuntimeError(f"the rollback's writes were not accepted within {PATIENCE:.0f} s:\n{terminal.screen.text}")


def _taken(taps: TappedWorld, plan: Plan, since: float) -> Taken | None:
    """None as long as a write of the plan is missing."""
    found = taps.accepted(since)
    rules = sum(write.lever == "weights" for write in plan.writes)
    if len(found["aws"]) < rules or len(found["kubernetes"]) < len(plan.writes) - rules:
        return None
    kubernetes = max(found["kubernetes"]) - since
    return Taken(kubernetes, max(kubernetes, max(found["aws"], default=since) - since))


def _by_commands(taps: TappedWorld, plan: Plan, kubectl: str, aws: str) -> Taken:
    """From the start of the patch for Kubernetes, and from the start of the first process for all of them."""
    world = taps.world
    patches = [write for write in plan.writes if write.lever != "weights"]
    began = time.monotonic()
    for write in (write for write in plan.writes if write.lever == "weights"):
        _run(world.aws_url, write, aws, environment(world))
    for write in patches[:-1]:
        _patch(world.context, write, kubectl, environment(world))
    patched = time.monotonic()
    _patch(world.context, patches[-1], kubectl, environment(world))
    accepted = taps.accepted(patched)["kubernetes"]
    if not accepted:
        raise RuntimeError("the API server did not accept kubectl's patch")
    return Taken(accepted[-1] - patched, accepted[-1] - began)


def _run(url: str, write: Write, aws: str, env: dict[str, str]) -> None:
    request = write.request
    actions, arn = json.dumps(request["actions"]), str(request["arn"])
    which = ("modify-listener", "--listener-arn", arn, "--default-actions", actions)
    if not request["is_default"]:
        which = ("modify-rule", "--rule-arn", arn, "--actions", actions)
    subprocess.run((aws, "elbv2", "--endpoint-url", url, *which), env=env, check=True, stdout=subprocess.DEVNULL)


def _patch(context: str, write: Write, kubectl: str, env: dict[str, str]) -> None:
    *_, namespace, _, name = str(write.request["path"]).split("/")
    what = ("patch", "deployment", name, "--type=json", "-p", json.dumps(write.request["patch"]))
    subprocess.run((kubectl, "--context", context, "-n", namespace, *what), env=env, check=True, stdout=subprocess.DEVNULL)
