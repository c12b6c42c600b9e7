"""client-go's informers over every node and pod, as Go programs keep a cluster: built once with the real plane's Go module."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.bench.peers import Missing
from tests.bench.served import Served, environment
from tests.real import build

SOURCES = Path(build.__file__).parent / "informers"
PATIENCE = 240.0
BUILDING = 900.0


def program() -> Path:
    """The program, built now if need be (a minute when the plane was built before). Missing."""
    go = shutil.which("go")
    if go is None:
        raise Missing("no `go` on the PATH to build client-go's informers with")
    output = build.cache_folder() / f"informers-{_digest(go)}"
    if not output.exists():
        output.parent.mkdir(parents=True, exist_ok=True)
        _build(go, output)
    return output


def held(world: Served, way: str, patience: float = PATIENCE) -> dict[str, float]:
    """What the program says once it holds everything: `seconds`, `nodes`, `pods`, `resident` and `peak` bytes. RuntimeError."""
    command = [str(program()), "-kubeconfig", str(world.kubeconfig), "-context", world.context, "-way", way]
    try:
        done = subprocess.run(
            command, env=environment(world), input="", capture_output=True, text=True, timeout=patience, check=False
        )
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"the {way} informer did not hold everything within {patience:.0f} s") from None
    if done.returncode or not done.stdout:
        raise RuntimeError(f"the {way} informer ended with {done.returncode}: {done.stderr.strip()[-300:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[0])
    return found


def _build(go: str, output: Path) -> None:
    with tempfile.TemporaryDirectory(dir=output.parent, prefix="building-") as scratch:
        made = Path(scratch) / "informers"
        command = [go, "build", "-p", "2", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", str(made), "./informers"]
        if nice := shutil.which("nice"):
            command = [nice, "-n", "19", *command]
        environment = {**os.environ, "CGO_ENABLED": "0"}
        try:
            done = subprocess.run(
                command, cwd=SOURCES.parent, env=environment, capture_output=True, text=True, timeout=BUILDING, check=False
            )
        except subprocess.TimeoutExpired:
            raise Missing(f"client-go's informers were not built within {BUILDING:.0f} s") from None
        if done.returncode:
            last = next(reversed(done.stderr.strip().splitlines()), "no reason given")
            raise Missing(f"client-go's informers do not build: {last}")
        made.rename(output)


def _digest(go: str) -> str:
    sources = [*sorted(SOURCES.glob("*.go")), *(SOURCES.parent / name for name in ("go.mod", "go.sum"))]
    version = subprocess.run([go, "env", "GOVERSION"], cwd=SOURCES.parent, capture_output=True, check=False).stdout
    return hashlib.sha256(b"\0".join([*(path.read_bytes() for path in sources), version])).hexdigest()[:20]
