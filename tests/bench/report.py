"""What was measured, on what, with what: the report as a Markdown file, or all of it as JSON."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.bench import peers
from tests.bench.figures import Row, markdown
from tests.real import build

LIBRARIES = ("textual", "msgspec", "httpx", "boto3", "kubernetes", "moto")


def load() -> str:
    """How much the machine has to do, over the last 1, 5 and 15 minutes."""
    return " ".join(f"{part:.1f}" for part in os.getloadavg())


def machine(load_before: str) -> dict[str, str]:
    """Cores, memory, system, Python and the versions of everything that was compared."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%MZ}",
        "machine": f"{os.cpu_count()} cores, {memory:.0f} GB, {platform.machine()}",
        "load before / after": f"{load_before} / {load()}",
        "system": f"{platform.system()} {platform.release()}",
        "python": sys.version.split()[0],
        "libraries": ", ".join(f"{name} {version(name)}" for name in LIBRARIES),
        "kubectl": _tool(peers.kubectl, "version", "--client"),
        "aws": _tool(peers.installed_aws, "--version"),
        "informers": f"client-go of Kubernetes {build.kubernetes_version()}, {_tool(_go, 'version')}",
    }


def write_json(path: Path, rows: Sequence[Row], load_before: str) -> None:
    """Every run's figures."""
    path.write_text(json.dumps({"on": machine(load_before), "rows": [row.as_json() for row in rows]}, indent=2) + "\n")


def write_markdown(path: Path, rows: Sequence[Row], load_before: str) -> None:
    """The table with what it was measured on."""
    on = "\n".join(f"- {key}: {value}" for key, value in machine(load_before).items())
    path.write_text(f"{HEAD}\n{on}\n\n{markdown(rows)}\n")


HEAD = """\
# Figures beside their peers

Written by `make bench ARGS="--markdown tests/bench/RESULTS.md"`; do not edit. Medians of several runs, or what the row says; each
peer measured in the same run on the same machine and servers. Ratios are ours by the peer's; `spread` is largest less smallest
run, as a part of the median (ours / peer). Figures of seconds belong to the machine; ratios are what to compare. Sizes are those
of `cockpit serve-rehearsal --nodes --pods --events`, over TLS on loopback, on the same two cores as whoever is measured.
"""


def _go() -> str:
    if found := shutil.which("go"):
        return found
    raise peers.Missing("no go on the PATH")


def _tool(find: Callable[[], str], *words: str) -> str:
    try:
        return peers.version(find(), *words)
    except peers.Missing as error:
        return f"none: {error}"
