"""Builds the real control plane that these tests run against, once, into a cache folder outside the tree.

`python -m tests.real.build` builds what is missing. The folder's name is a digest of go.mod, go.sum, the Go version and the
flags: the same sources are never built twice, and a changed pin never runs old binaries.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
PROGRAMS = {
    "etcd": "go.etcd.io/etcd/server/v3",
    "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
    "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
    "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
    "kubectl": "k8s.io/kubernetes/cmd/kubectl",
    "kwok": "sigs.k8s.io/kwok/cmd/kwok",
}
NO_GO = (
    "the real control plane is built from source, and there is no `go` on the PATH; install Go 1.21 or newer "
    "(https://go.dev/doc/install, or `apt-get install golang-go` on Debian 13 and later), then run `make real` again"
)


class NotBuildable(Exception):
    """Go is missing or the build failed; the message says what to do."""


def built() -> Path | None:
    """The folder with all programs, or None when they have not been built (or there is no Go to tell which are wanted)."""
    try:
        folder = _folder()
    except NotBuildable:
        return None
    return folder if folder.is_dir() else None


def build() -> Path:
    """The folder with all programs, built now if need be (minutes the first time). NotBuildable when that cannot be done."""
    folder = _folder()
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _alone(folder.parent / "lock"):
        if not folder.is_dir():
            _build_into(folder)
    return folder


def kubernetes_version() -> str:
    """The pinned version of Kubernetes, for example v1.36.3."""
    return _pinned("k8s.io/kubernetes")


def _build_into(folder: Path) -> None:
    started = time.monotonic()
    print(f"building {', '.join(PROGRAMS)} into {folder} (some minutes, once)", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="building-") as scratch:
        for name, package in PROGRAMS.items():
            _compile(Path(scratch) / name, package)
            print(f"  {name}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
        finished = Path(scratch) / "finished"
        finished.mkdir()
        for name in PROGRAMS:
            (Path(scratch) / name).rename(finished / name)
        finished.rename(folder)


def _compile(output: Path, package: str) -> None:
    command = [_go(), "build", "-p", "2", "-trimpath", "-buildvcs=false", "-ldflags", _ldflags(), "-o", str(output), package]
    if nice := shutil.which("nice"):
        command = [nice, "-n", "19", *command]
    done = subprocess.run(command, cwd=HERE, env={**os.environ, "CGO_ENABLED": "0"}, capture_output=True, text=True)
    if done.returncode:
        raise NotBuildable(f"{package} does not build:\n{done.stderr[-4000:]}")


def _ldflags() -> str:
    version = kubernetes_version()
    major, minor, _ = version.removeprefix("v").split(".")
    told = {"gitVersion": version, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    stamps = [f"{place}.{name}={value}" for place in _VERSION_PACKAGES for name, value in told.items()]
    stamps.append(f"sigs.k8s.io/kwok/pkg/consts.Version={_pinned('sigs.k8s.io/kwok')}")
    return " ".join(["-s", "-w", *(f"-X {stamp}" for stamp in stamps)])


_VERSION_PACKAGES = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")


def _pinned(module: str) -> str:
    found = re.search(rf"^\s*{re.escape(module)} (v[\d.]+)", (HERE / "go.mod").read_text(), re.MULTILINE)
    if found is None:
        raise NotBuildable(f"tests/real/go.mod does not require {module}")
    return found[1]


@cache
def _folder() -> Path:
    sources = [(HERE / name).read_bytes() for name in ("go.mod", "go.sum")]
    digest = hashlib.sha256(b"\0".join([*sources, _go_version(), _ldflags().encode()]))
    return cache_folder() / digest.hexdigest()[:20]


def cache_folder() -> Path:
    """Where everything that was built is kept."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "cutover-cockpit" / "real"


def _go() -> str:
    found = shutil.which("go")
    if found is None:
        raise NotBuildable(NO_GO)
    return found


def _go_version() -> bytes:
    done = subprocess.run([_go(), "env", "GOVERSION"], cwd=HERE, capture_output=True)
    if done.returncode:
        raise NotBuildable(f"{NO_GO}\n{done.stderr.decode(errors='replace').strip()}")
    return done.stdout.strip()


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def main() -> int:
    """Build, and print where to; 1 with the reason on stderr when that cannot be done."""
    try:
        print(build())
    except NotBuildable as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
