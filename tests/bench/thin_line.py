"""The cockpit over a real SSH connection on a line of 100 kbit/s and 150 ms each way, at 120x40.

What stands on the screen, and how it was painted, is written into a folder for a person to look at: `python -m
tests.bench.thin_line FOLDER` (`--quick`: on the small world).
"""

from __future__ import annotations

import asyncio
import json
import shlex
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.bench.figures import Row, Sample
from tests.bench.flown import COCKPIT, LIVE, PANELS
from tests.bench.link import Line, thin
from tests.bench.peers import ROOT, Missing
from tests.bench.prepared import Prepared, prepared
from tests.bench.rollback import DIALOG
from tests.bench.served import STORM, Served, Size
from tests.bench.session import BACK, CORNER, HELP, QUESTION, TAB
from tests.bench.sshd import Sshd, sshd
from tests.bench.tapped_world import TappedWorld, tapped_world
from tests.bench.terminal import Terminal

ROUND_TRIP = 0.3
ECHO, WRITE, RATE = ROUND_TRIP + 0.2, ROUND_TRIP / 2 + 0.5, 1_000.0
"""Wanted by this bench (the issue names no figure): seconds, seconds, bytes a second."""
SETTLED = 2.0
PATIENCE = 120.0


@dataclass
class Flown:
    """What was seen. Seconds, bytes, screens."""

    framed: float = 0.0
    live: float = 0.0
    opening: int = 0
    """Bytes over the line until every source was read."""
    rate: float = 0.0
    focus: list[float] = field(default_factory=list)
    help: list[float] = field(default_factory=list)
    write: float = 0.0
    home: float = 0.0
    screens: dict[str, str] = field(default_factory=dict)


def measure(keys: int, window: float, size: Size | None = STORM, folder: Path | None = None) -> Iterator[Row]:
    """Five rows; a cockpit in the last phase at the published limit, opened, looked at, and rolled back."""
    try:
        with sshd() as server:
            seen = asyncio.run(_measure(server, keys, window, size))
    except Missing as error:
        yield Row("over a thin line", "s", missing=str(error))
        return
    if folder is not None:
        _keep(folder, seen)
    on = f"ssh to sshd on loopback through 100 kbit/s, 150 ms each way; {size or 'the small world'}"
    yield Row(
        "thin line: start to the panels' frames",
        "s",
        Sample((seen.framed,)),
        note=f"{on}; every source read after {seen.live:.1f} s",
    )
    note = f"{on}; of it {ROUND_TRIP} s are the line's; {len(seen.focus)} keys, the worst"
    yield Row("thin line: key to frame, focus moves", "s", Sample((Sample(tuple(seen.focus)).p99,)), at_most=ECHO, note=note)
    yield Row(
        "thin line: key to frame, help opens or closes", "s", Sample((Sample(tuple(seen.help)).p99,)), note="first bytes of it"
    )
    note = f"{on}; window of {window:.0f} s, ssh's own included; {seen.opening:,} bytes until every source was read"
    yield Row("thin line: bytes", "B/s", Sample((seen.rate,)), at_most=RATE, note=note)
    note = f"{on}; of it {ROUND_TRIP / 2} s are the line's; all writes after {seen.home:.2f} s"
    yield Row("thin line: Enter to the first write accepted", "s", Sample((seen.write,)), at_most=WRITE, note=note)


async def _measure(server: Sshd, keys: int, window: float, size: Size | None) -> Flown:
    async with prepared(size) as world:
        await world.enter(len(world.playbook.phases) - 1)
        writes = len((await world.way_back()).writes)
        return await asyncio.to_thread(_flown, world, server, keys, window, writes)


def _flown(world: Prepared, server: Sshd, keys: int, window: float, writes: int) -> Flown:
    seen = Flown()
    with ExitStack() as stack:
        taps, line = stack.enter_context(tapped_world(world.world)), stack.enter_context(thin(server.port))
        home = stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-"))
        with Terminal(server.command(line.port, _remote(taps.world, home)), {}) as terminal:
            _opened(terminal, line, seen)
            terminal.read(SETTLED)
            before = line.carried["back"]
            terminal.read(window)
            seen.rate = (line.carried["back"] - before) / window
            seen.screens["main"] = terminal.screen.text
            seen.focus = _keys(terminal, keys, [(TAB, CORNER)])
            seen.help = _keys(terminal, keys, [(QUESTION, HELP), (BACK, CORNER)])
            _list(terminal, seen)
            _roll_back(terminal, taps, seen, writes)
    return seen


def _remote(world: Served, home: str) -> str:
    """The command line for the shell on the other side."""
    env = {**world.env, "COCKPIT_HOME": home, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}
    words = ["env", *(f"{name}={value}" for name, value in env.items()), *COCKPIT, "run", str(world.playbook)]
    return shlex.join([*words, "--context", world.context])


def _opened(terminal: Terminal, line: Line, seen: Flown) -> None:
    seen.framed = terminal.until_shown(*PANELS, patience=PATIENCE) - terminal.started
    seen.screens["first frame"] = terminal.screen.text
    seen.live = terminal.until_shown(LIVE, "require-arm64", patience=PATIENCE) - terminal.started
    seen.opening = line.carried["back"]


def _keys(terminal: Terminal, count: int, round_trip: list[tuple[bytes, bytes]]) -> list[float]:
    random, found = Random(5), []
    for n in range(count):
        key, mark = round_trip[n % len(round_trip)]
        # Long enough for the rest of the last picture to arrive: a person waits for it too.
        terminal.read(random.uniform(1.0, 1.5))
        pressed = terminal.press(key)
        found.append(terminal.until_bytes(mark) - pressed)
    return found


def _list(terminal: Terminal, seen: Flown) -> None:
    """The list of all nodes, scrolled."""
    terminal.read(SETTLED)
    terminal.press(b"1")
    terminal.read(SETTLED)
    for _ in range(3):
        terminal.press(b"\x1b[6~")
        terminal.read(SETTLED / 2)
    terminal.read(SETTLED)
    seen.screens["nodes"] = terminal.screen.text


def _roll_back(terminal: Terminal, taps: TappedWorld, seen: Flown, writes: int) -> None:
    terminal.press(b"R")
    terminal.until_shown(DIALOG)
    terminal.read(SETTLED)
    seen.screens["rollback"] = terminal.screen.text
    pressed = terminal.press(b"\r")
    end, accepted = time.monotonic() + PATIENCE, list[float]()
    while len(accepted) < writes and time.monotonic() < end:
        terminal.read(0.1)
        accepted = sorted(moment for moments in taps.accepted(pressed).values() for moment in moments)
    if len(accepted) < writes:
        raise RuntimeError(f"{len(accepted)} of {writes} writes were accepted within {PATIENCE:.0f} s:\n{terminal.screen.text}")
    seen.write, seen.home = accepted[0] - pressed, accepted[-1] - pressed
    terminal.read(SETTLED)
    seen.screens["rolled back"] = terminal.screen.text


def _keep(folder: Path, seen: Flown) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in seen.screens.items():
        (folder / f"{name.replace(' ', '-')}.txt").write_text(text + "\n")
    figures = {name: value for name, value in vars(seen).items() if name != "screens"}
    (folder / "figures.json").write_text(json.dumps(figures, indent=2) + "\n")


def main(arguments: list[str]) -> None:
    """Measure, keep the screens, and say where."""
    quick = "--quick" in arguments
    folder = Path(next((word for word in arguments if not word.startswith("-")), "thin-line"))
    for row in measure(4 if quick else 20, 5.0 if quick else 15.0, None if quick else STORM, folder):
        print("  ".join(row.cells()), "|", row.note or row.missing)
    print(f"the screens are in {folder}/")


if __name__ == "__main__":
    main(sys.argv[1:])
