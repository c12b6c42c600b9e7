"""k9s in a terminal beside the cockpit, where it can be had: built from the Go module proxy into the real plane's cache, once."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench import processes
from tests.bench.figures import Row, Sample
from tests.bench.peers import Missing
from tests.bench.served import STORM, Served, served
from tests.bench.session import Pace, session
from tests.bench.terminal import Terminal
from tests.real import build

MODULE, VERSION = "github.com/derailed/k9s", "v0.50.18"
BUILDING = 600.0
PATIENCE = 180.0
PEER = f"k9s {VERSION}, all pods"
MB = 1e6


def measure(pace: Pace) -> Iterator[Row]:
    """Start, memory and processor at 1,000 events a second; without k9s the rows say why there is no peer."""
    ours = session(STORM, pace)
    found: tuple[float, float, float] | None = None
    missing = ""
    try:
        program = _program()
        with served(STORM) as world:
            found = _watched(program, world, pace)
    except (Missing, RuntimeError) as error:
        missing = str(error).partition("\n")[0]
    note = f"{STORM}; ours: every panel and the whole run; k9s: its list of all pods, as it is left alone for as long"
    for n, (name, unit, value) in enumerate(
        (
            ("beside k9s: start until all is shown", "s", ours.live),
            ("beside k9s: memory", "MB", ours.peak / MB),
            ("beside k9s: processor", "% of a core", ours.processor * 100),
        )
    ):
        peer = Sample((found[n],)) if found else None
        yield Row(name, unit, Sample((value,)), peer, PEER, None, 1.0, note, missing)


def _watched(program: Path, world: Served, pace: Pace) -> tuple[float, float, float]:
    """Seconds until the list counts all pods, peak MB, percent of a core."""
    with tempfile.TemporaryDirectory(prefix="bench-") as home:
        folders = {f"XDG_{name}_HOME": home for name in ("CONFIG", "DATA", "STATE", "CACHE")}
        command = (str(program), "--context", world.context, "-A", "-c", "pods", "--readonly", "--splashless", "--logoless")
        with Terminal(command, {**world.env, **folders, "HOME": home}) as terminal:
            shown = terminal.until(lambda text: _counted(text) >= STORM.pods * 0.99, PATIENCE) - terminal.started
            terminal.read(pace.settling)
            before, began = processes.processor(terminal.pid), time.monotonic()
            terminal.read(pace.window)
            used = (processes.processor(terminal.pid) - before) / (time.monotonic() - began)
            return shown, processes.peak(terminal.pid) / MB, used * 100


def _counted(text: str) -> int:
    """The number in the list's head: `pods(all)[150092]`."""
    _, found, rest = text.lower().partition("pods(all)[")
    number = rest.partition("]")[0].replace(",", "")
    return int(number) if found and number.isdigit() else 0


def _program() -> Path:
    """The one on the PATH, or that of the cache, built now if need be. Missing."""
    if found := shutil.which("k9s"):
        return Path(found)
    folder = build.cache_folder() / f"k9s-{VERSION}"
    if not (folder / "k9s").exists():
        _install(folder)
    return folder / "k9s"


def _install(folder: Path) -> None:
    go, failed = shutil.which("go"), folder / "failed"
    if go is None:
        raise Missing("no k9s on the PATH, and no `go` to build it with")
    if failed.exists():
        raise Missing(failed.read_text())
    folder.mkdir(parents=True, exist_ok=True)
    command = [go, "install", "-p", "2", "-trimpath", "-ldflags", "-s -w", f"{MODULE}@{VERSION}"]
    if nice := shutil.which("nice"):
        command = [nice, "-n", "19", *command]
    env = {**os.environ, "GOBIN": str(folder), "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false"}
    try:
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=BUILDING, check=False)
        why = _why(done.stderr) if done.returncode else ""
    except subprocess.TimeoutExpired:
        why = f"it was not built within {BUILDING:.0f} s"
    if why:
        # Kept, so that not every run tries for ten minutes: who wants another try deletes the file.
        failed.write_text(
            f"k9s {VERSION} cannot be built here: {why} (remove {failed.name} in the cache's {folder.name} to try again)"
        )
        raise Missing(failed.read_text())


def _why(said: str) -> str:
    """What `go` said last, without addresses."""
    if "403" in said:
        return "the Go module proxy does not hand it out (403 Forbidden)"
    last = next(reversed(said.strip().splitlines()), "no reason given")
    return re.sub(r"https?://\S+", "the module proxy:", last)
