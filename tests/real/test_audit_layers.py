"""The layer scan against a real registry: what the layers of images show, and what memory a large one takes."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from cockpit.clock import WallClock
from cockpit.connections.registry.audit import deep_scan
from cockpit.connections.registry.client import RegistryClient
from cockpit.connections.registry.patience import Patience
from cockpit.model.arch import Arch
from cockpit.model.audit import Mark, Row
from cockpit.rules.portability.libraries import rows_of_scan
from tests.layers import AMD64, ARM64, elf, jar, layer
from tests.real.pushing import CONFIG, LAYER, MANIFEST, Pusher, described, digest_of
from tests.real.test_registry import Registry
from tests.thorough import figure

LARGE_MB = figure(2048, 256, 40)
MEMORY_MB = 150
GROWTH_MB = 24
"""How much more memory a large layer may take than a small one: what is under way, never the layer."""


@pytest.fixture(scope="module")
def pusher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pusher]:
    folder = tmp_path_factory.mktemp("registry")
    registry = Registry(folder)
    with httpx.Client(base_url=f"http://{registry.host}", timeout=120.0) as client:
        yield Pusher(registry.host, folder, client)
    registry.stop()


@pytest.fixture(autouse=True)
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))


async def rows_deep(reference: str) -> list[Row]:
    client = RegistryClient()
    try:
        return list(rows_of_scan(await deep_scan(client, reference, Arch.ARM64, Patience(WallClock())), Arch.ARM64))
    finally:
        await client.aclose()


NATIVE = {
    "jvm": {
        "app/one.jar": jar({"META-INF/MANIFEST.MF": b"", "native/Linux/x86_64/libone.so": elf(AMD64)}),
        "app/two.jar": jar({"linux-x86_64/libtwo.so": elf(AMD64), "linux-aarch_64/libtwo.so": elf(ARM64)}, streamed=False),
        "app/fat.jar": jar({"BOOT-INF/lib/in.jar": jar({"linux64/libin.so": elf(AMD64)})}, stored=True, streamed=False),
    },
    "python": {
        "venv/a.cpython-312-x86_64-linux-gnu.so": elf(AMD64),
        "usr/lib/b.cpython-312-aarch64-linux-gnu.so": elf(ARM64),
        "usr/lib/c.cpython-312-x86_64-linux-gnu.so": elf(ARM64),
    },
    "node": {
        "node_modules/re2/build/Release/re2.node": elf(AMD64),
        "p/linux-x64/u.node": elf(AMD64),
        "p/linux-arm64/u.node": elf(ARM64),
    },
}


async def test_layers_show_what_manifests_do_not(pusher: Pusher) -> None:
    many = {f"usr/bin/tool-{n}": elf(AMD64) for n in range(9)}
    for name, files in {**NATIVE, "many": many, "clean": {"bin/sh": elf(ARM64), "etc/passwd": b"root"}}.items():
        pusher.image(name, "arm64", [layer({"bin/base": elf(ARM64)}), layer(files)], "1")
    pusher.image("removed", "arm64", [layer({"opt/old/x": elf(AMD64)}), layer({"opt/.wh.old": b""})], "1")
    pusher.image("lying", "arm64", [layer({"app": elf(AMD64)})], "1")

    async def told(name: str) -> dict[str, Mark]:
        prefix = f"library/{pusher.host}/{name}:1"
        return {row.component.removeprefix(prefix): row.mark for row in await rows_deep(f"{pusher.host}/{name}:1")}

    assert await told("jvm") == {
        "//app/one.jar!/native/Linux/x86_64/libone.so": Mark.FIX,
        "//app/fat.jar!/BOOT-INF/lib/in.jar!/linux64/libin.so": Mark.FIX,
    }
    assert await told("python") == {
        "//venv/a.cpython-312-x86_64-linux-gnu.so": Mark.FIX,
        "//usr/lib/c.cpython-312-x86_64-linux-gnu.so": Mark.FIX,
    }
    assert await told("node") == {"//node_modules/re2/build/Release/re2.node": Mark.FIX}
    assert await told("many") == {"": Mark.FIX}
    assert await told("clean") == {"": Mark.PASS}
    assert await told("removed") == {"": Mark.PASS}
    assert await told("lying") == {"//app": Mark.FIX}
    (summed,) = await rows_deep(f"{pusher.host}/many:1")
    assert summed.status.startswith("9 of 10 native files are not for arm64 (9 amd64): /usr/bin/tool-0, ")


async def test_layers_that_are_not_what_their_digest_says_are_not_believed(pusher: Pusher) -> None:
    good = layer({"bin/sh": elf(ARM64), "bin/other": elf(ARM64, 2)})
    pusher.image("swapped", "arm64", [good], "1")
    path = pusher.folder / "storage/docker/registry/v2/blobs/sha256" / digest_of(good)[7:9] / digest_of(good)[7:] / "data"
    path.write_bytes(layer({"bin/sh": elf(ARM64), "bin/other": elf(ARM64, 3)}))
    (row,) = await rows_deep(f"{pusher.host}/swapped:1")
    assert row.mark is Mark.UNKNOWN and ("digest" in row.status or "longer" in row.status)


CHILD = """
import asyncio, sys
from cockpit.clock import WallClock
from cockpit.connections.registry.audit import deep_scan
from cockpit.connections.registry.client import RegistryClient
from cockpit.connections.registry.patience import Patience
from cockpit.model.arch import Arch

def peak():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))

async def main():
    client, patience = RegistryClient(), Patience(WallClock())
    for reference in sys.argv[1:]:
        scan = await deep_scan(client, reference, Arch.ARM64, patience)
        print(peak(), len(scan.natives), scan.size >> 20, scan.why, scan.unread)
    await client.aclose()

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's own record of a process' largest size")
def test_a_large_layer_takes_no_memory(pusher: Pusher, tmp_path: Path) -> None:
    pusher.image("small", "arm64", [layer({"bin/sh": elf(ARM64)})], "1")
    packed = tmp_path / "layer"
    _large(packed, LARGE_MB)
    digest = hashlib.sha256()
    with packed.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    size = packed.stat().st_size
    with packed.open("rb") as file:
        pusher.stream("large", f"sha256:{digest.hexdigest()}", iter(lambda: file.read(1 << 20), b""), size)
    config = json.dumps({"os": "linux", "architecture": "arm64"}).encode()
    pusher.blob("large", config)
    whole = {"mediaType": LAYER, "digest": f"sha256:{digest.hexdigest()}", "size": size}
    pusher.manifest("large", {"config": described(config, CONFIG), "layers": [whole]}, MANIFEST, "1")
    references = [f"{pusher.host}/{name}:1" for name in ("small", "large")]
    done = subprocess.run([sys.executable, "-c", CHILD, *references], capture_output=True, text=True, check=False, env=os.environ)
    assert done.returncode == 0, done.stderr
    (before, *_), (after, natives, megabytes, *rest) = (line.split(" ") for line in done.stdout.splitlines())
    print(f"layer of {megabytes} MB: {after} MB of memory at most, {before} MB with a small one")
    assert (int(natives), rest) == (2, ["", "()"])
    assert int(megabytes) >= LARGE_MB
    assert int(after) < MEMORY_MB
    assert int(after) - int(before) < GROWTH_MB


def _large(path: Path, megabytes: int) -> None:
    """A layer that packs to about its own size: a few large files, a jar among them, and native code at its end."""
    block = os.urandom(1 << 20)

    class Blocks:
        """The same noise over and over, at distances at which gzip has forgotten it."""

        at = 0

        def read(self, size: int) -> bytes:
            self.at = (self.at + size) % (len(block) - size)
            return block[self.at : self.at + size]

    with gzip.open(path, "wb", 1) as out, tarfile.open(fileobj=out, mode="w|") as file:
        for number in range(4):
            info = tarfile.TarInfo(f"data/{number}")
            info.size = megabytes * (1 << 20) // 4
            file.addfile(info, Blocks())  # type: ignore[arg-type]
        for name, body in (("a.jar", jar({"x/liba.so": elf(ARM64), "data": bytes(50 << 20)})), ("bin/sh", elf(ARM64))):
            held = path.with_name(name.replace("/", "-"))
            held.write_bytes(body)
            with held.open("rb") as inner:
                info = tarfile.TarInfo(name)
                info.size = len(body)
                file.addfile(info, inner)
