"""The optional exec probe: over a real websocket against the embedded world, and against servers that misbehave."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from cockpit.connections import kube_exec
from cockpit.connections.kube import KubeClient
from cockpit.connections.ran import Ran
from cockpit.errors import CockpitError, NotFound, Refused, Rejected, Unauthorized, Unreachable
from cockpit.model.arch import Arch
from cockpit.model.cluster import Container, Pod
from cockpit.model.playbook import Probes
from cockpit.preflight import permissions, preflight
from cockpit.rehearsal.images import X86_ONLY, Images, Start
from cockpit.rehearsal.kube.api import make_app
from cockpit.rehearsal.kube.kubeconfig import write_kubeconfig
from cockpit.rehearsal.kube.server import serve
from cockpit.rehearsal.logs import PodHooks
from cockpit.rehearsal.world import World
from cockpit.sources.probing import ELF, UNAME, ExecProbe, elf_arch
from tests.contract.small_api import connected, serving
from tests.factories import PLAYBOOK, pod
from tests.unit.rehearsal.worlds import CANARY, pods, world

APP = "registry.example.com/payments/payments-api:2.14.0"


@asynccontextmanager
async def embedded(made: World, folder: Path, context: str = "rehearsal") -> AsyncIterator[KubeClient]:
    serving = await serve(make_app(made.storage, hooks=PodHooks(made.cluster)), folder)
    path = folder / "kubeconfig"
    write_kubeconfig(path, serving.url, serving.authority, "payments")
    client = await KubeClient.connect(context, path)
    try:
        yield client
    finally:
        await client.aclose()
        await serving.stop()


def canary(made: World) -> Pod:
    return pod(pods(made, CANARY)[0]["metadata"]["name"], "a0", containers=(Container("payments-api-arm64", APP),))


async def test_a_native_and_an_emulated_container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = world()
    where = canary(made)
    async with embedded(made, tmp_path) as client:
        probe = ExecProbe(client.execute, Arch.ARM64)
        arch, words = await probe(where, where.containers[0])
        assert arch == "arm64"
        assert "uname -m: aarch64, process 1: arm64" in words
        made.cluster.images.publish(APP, X86_ONLY)
        monkeypatch.setattr(Images, "start", lambda *_, **__: Start.EMULATED)
        arch, words = await probe(where, where.containers[0])
        assert arch == "amd64", "uname tells what is emulated although process 1 is the emulator"
        assert "uname -m: x86_64, process 1: arm64" in words
        ran = await client.execute("payments", where.name, "payments-api-arm64", ["rm", "-rf", "/"])
        assert (ran.code, ran.stdout) == (127, b"")


async def test_an_observer_may_not_and_a_container_may_be_gone(tmp_path: Path) -> None:
    made = world()
    where = canary(made)
    async with embedded(made, tmp_path, "rehearsal-observer") as client:
        with pytest.raises(Unauthorized, match="pods/exec"):
            await client.execute("payments", where.name, "payments-api-arm64", UNAME)
        assert (await ExecProbe(client.execute, Arch.ARM64)(where, where.containers[0]))[0] == ""
    (tmp_path / "again").mkdir()
    async with embedded(made, tmp_path / "again") as client:
        with pytest.raises(Rejected):
            await client.execute("payments", where.name, "absent", UNAME)
        with pytest.raises(NotFound):
            await client.execute("payments", "absent", "main", UNAME)


Talk = Callable[[web.WebSocketResponse], Awaitable[None]]


async def _never(socket: web.WebSocketResponse) -> None:
    await asyncio.sleep(30)


async def _cut(socket: web.WebSocketResponse) -> None:
    await socket.send_bytes(b"\x01half")


async def _flood(socket: web.WebSocketResponse) -> None:
    for _ in range(100):
        await socket.send_bytes(b"\x01" + b"x" * 1000)
    await socket.send_bytes(b"\x03" + json.dumps({"status": "Success"}).encode())


async def _nonsense(socket: web.WebSocketResponse) -> None:
    await socket.send_bytes(b"")
    await socket.send_str("text")
    await socket.send_bytes(b"\x03not json")


async def _huge(socket: web.WebSocketResponse) -> None:
    await socket.send_bytes(b"\x01" + b"x" * (1 << 20))


async def _rude(socket: web.WebSocketResponse) -> None:
    words = {
        "status": "Failure",
        "message": "\x1b]52;c;x\x07 no such file",
        "details": {"causes": [{"reason": "ExitCode", "message": "x"}]},
    }
    await socket.send_bytes(b"\x03" + json.dumps(words).encode())


@pytest.mark.parametrize(
    ("talk", "kept", "code"),
    [(_cut, 4, None), (_flood, kube_exec.BYTES, 0), (_nonsense, 0, None), (_huge, 0, None), (_rude, 0, None)],
)
async def test_what_a_container_says_is_bounded_and_cleaned(talk: Talk, kept: int, code: int | None, tmp_path: Path) -> None:
    ran = await _against(talk, tmp_path)
    assert (len(ran.stdout), ran.code) == (kept, code)
    assert ran.why.isprintable()


async def test_a_server_that_never_ends_is_unreachable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kube_exec, "SECONDS", 0.3)
    with pytest.raises(Unreachable):
        await _against(_never, tmp_path)


async def _against(talk: Talk, folder: Path) -> Ran:
    async def handle(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=kube_exec.PROTOCOLS)
        await socket.prepare(request)
        await talk(socket)
        await socket.close()
        return socket

    async with connected(folder, handle) as client:
        return await client.execute("payments", "p", "main", UNAME)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(status: int, tmp_path: Path) -> None:
    reached: list[str] = []

    async def elsewhere(request: web.Request) -> web.StreamResponse:
        reached.append(request.path)
        return web.Response(status=404)

    async with serving(elsewhere) as other:

        async def handle(_: web.Request) -> web.StreamResponse:
            return web.Response(status=status, headers={"Location": f"{other}/stolen"})

        async with connected(tmp_path, handle) as client:
            with pytest.raises(Rejected, match=f"redirected .HTTP {status}"):
                await client.execute("payments", "p", "main", UNAME)
    assert not reached


async def test_an_end_of_endless_depth_cannot_be_read(tmp_path: Path) -> None:
    async def deep(socket: web.WebSocketResponse) -> None:
        await socket.send_bytes(b"\x03" + b'{"x":' + b"[" * 30_000)

    assert (await _against(deep, tmp_path)).code is None


@pytest.mark.parametrize(("status", "kind"), [(403, Unauthorized), (404, NotFound), (400, Rejected), (500, Rejected)])
async def test_refusals_of_the_upgrade(status: int, kind: type[CockpitError], tmp_path: Path) -> None:
    async def handle(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status)

    async with connected(tmp_path, handle) as client:
        with pytest.raises(kind):
            await client.execute("payments", "p", "main", UNAME)


@pytest.mark.parametrize(
    ("uname", "header", "arch"),
    [
        (b"aarch64\n", b"", "arm64"),
        (b"", bytes(20), ""),
        (b"\xff\x1b[2J", b"\x7fELF", ""),
        (b"aarch64\n", b"\x7fELF\x02\x01" + bytes(12) + b"\x3e\x00", "amd64"),
        (b"x86_64\n", b"\x7fELF\x02\x01" + bytes(12) + b"\xb7\x00", "amd64"),
        (b"riscv64", b"\x7fELF\x02\x02" + bytes(12) + b"\x00\xb7", ""),
    ],
)
async def test_what_is_not_the_targets_counts(uname: bytes, header: bytes, arch: str) -> None:
    async def execute(namespace: str, pod: str, container: str, command: Sequence[str]) -> Ran:
        return Ran(uname if command == UNAME else header)

    where = pod("p", "a0")
    found, words = await ExecProbe(execute, Arch.ARM64)(where, where.containers[0])
    assert found == arch
    assert words.isprintable()
    assert elf_arch(b"") == "" and ELF[0] == "head"


def test_preflight_asks_for_exec_only_where_the_playbook_and_the_flight_allow_it() -> None:
    wanted = {str(p) for p in permissions(PLAYBOOK, writes=True)}
    probing = replace(PLAYBOOK, probes=Probes(exec=True))
    more = {f"{verb} pods/exec in namespace payments" for verb in ("get", "create")}
    assert {str(p) for p in permissions(probing, writes=True)} - wanted == more
    assert not any("exec" in str(p) for p in (*permissions(PLAYBOOK, writes=True), *permissions(probing, writes=False)))


async def test_preflight_refuses_who_may_not(tmp_path: Path) -> None:
    made = world()
    probing = replace(made.playbook, probes=Probes(exec=True))
    async with embedded(made, tmp_path, "rehearsal-observer") as client:
        with pytest.raises(Refused, match="create pods/exec in namespace payments"):
            await preflight(probing, client, None)
