"""The audit's questions to a registry over real sockets: what is missing or hidden, who has to wait, what is streamed."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from aiohttp import web

from cockpit.clock import ManualClock
from cockpit.connections.registry.audit import deep_scan, image_facts
from cockpit.connections.registry.documents import CONFIGS, INDEXES, MANIFESTS, details, digest_of
from cockpit.connections.registry.layers import reading
from cockpit.connections.registry.layers.chains import Seen
from cockpit.connections.registry.layers.source import Budget, Source
from cockpit.connections.registry.patience import AT_ONCE, MOST_SECONDS, Patience
from cockpit.errors import Throttled
from cockpit.model.arch import Arch
from cockpit.model.builds import Fault, ImageFacts
from cockpit.model.layers import Scan
from cockpit.rehearsal.images import MULTI_ARCH, X86_ONLY
from tests.contract.registry_bench import HOST, NAME, SECRETS, Bench, bench, client
from tests.contract.small_api import serving
from tests.layers import AMD64, ARM64, elf, layer, tar


@pytest.fixture(autouse=True)
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))


async def facts(at: Bench, version: str = ":1") -> ImageFacts:
    async with client(at) as registry:
        return await image_facts(registry, f"{HOST}/{NAME}{version}", Arch.ARM64, Patience(ManualClock()))


async def scanned(at: Bench, version: str = ":1") -> Scan:
    async with client(at) as registry:
        return await deep_scan(registry, f"{HOST}/{NAME}{version}", Arch.ARM64, Patience(ManualClock()))


def put(at: Bench, layers: Iterable[bytes], tag: str = "1", arch: str = "arm64", size: int | None = None) -> str:
    """Push an image of these layers; returns its manifest's digest."""
    config = json.dumps({"os": "linux", "architecture": arch}).encode()
    described = []
    for body in layers:
        at.blobs[f"{NAME}/{digest_of(body)}"] = "x", body
        described.append({"mediaType": "x", "digest": digest_of(body), "size": len(body) if size is None else size})
    at.blobs[f"{NAME}/{digest_of(config)}"] = "x", config
    named = {"mediaType": CONFIGS[0], "digest": digest_of(config), "size": len(config)}
    return at.put(NAME, tag, {"schemaVersion": 2, "mediaType": MANIFESTS[0], "config": named, "layers": described}, MANIFESTS[0])


class TestFacts:
    """What a registry tells, and what it does not."""

    async def test_everything_of_an_index(self) -> None:
        async with bench() as at:
            digest = at.push(NAME, "1", MULTI_ARCH)
            found = await facts(at)
            assert (found.digest, found.index, found.nested, found.attestations, found.fault) == (digest, True, False, 2, "")
            assert [(b.claimed, b.platform, b.lies, b.missing) for b in found.builds] == [
                ("linux/amd64", "linux/amd64", False, ()),
                ("linux/arm64", "linux/arm64", False, ()),
            ]
            assert not found.pinned
            assert (await facts(at, f"@{digest}")).pinned

    @pytest.mark.parametrize(
        ("answer", "fault"),
        [
            (lambda _: web.json_response({"errors": [{"code": "MANIFEST_UNKNOWN"}]}, status=404), Fault.ABSENT),
            (lambda _: web.json_response({"errors": [{"code": "NAME_UNKNOWN"}]}, status=404), Fault.HIDDEN),
            (lambda _: web.Response(status=404), Fault.HIDDEN),
            (lambda _: web.Response(status=403), Fault.UNAUTHORIZED),
            (lambda _: web.Response(status=500), Fault.UNREACHABLE),
            (lambda _: web.Response(status=429, headers={"Retry-After": "3600"}), Fault.THROTTLED),
            (lambda _: web.json_response({"errors": [{"code": "schema 1\x1b"}]}, status=418), Fault.BROKEN),
            (lambda _: web.Response(body=b"<html>"), Fault.BROKEN),
        ],
    )
    async def test_what_is_not_told_says_why(self, answer: Callable[[web.Request], web.Response], fault: Fault) -> None:
        async with bench(fault=answer) as at:
            found = await facts(at)
        assert (found.fault, found.builds, found.digest) == (fault, (), "")
        assert found.why and found.why.isprintable() and not any(secret in found.why for secret in SECRETS)

    async def test_what_is_no_reference(self) -> None:
        async with bench() as at, client(at) as registry:
            found = await image_facts(registry, "Not/A Ref\x1b", Arch.ARM64, Patience(ManualClock()))
        assert found.fault is Fault.REFERENCE and found.reference.isprintable()

    @pytest.mark.parametrize(("status", "missing", "unchecked"), [(404, 1, 0), (405, 0, 1), (307, 0, 0), (200, 0, 0)])
    async def test_layers_are_looked_for(self, status: int, missing: int, unchecked: int) -> None:
        def answer(request: web.Request) -> web.Response | None:
            headers = {"Location": "https://storage.example.com/x?X-Sig=signature-secret"} if status == 307 else {}
            bare = request.method == "HEAD" or (request.headers.get("Accept") == "*/*" and status == 405 and base in request.path)
            return web.Response(status=status, headers=headers) if bare else None

        base = digest_of(layer({"a": elf(ARM64)}))
        async with bench(fault=answer) as at:
            put(at, [layer({"a": elf(ARM64)})])
            (build,) = (await facts(at)).builds
        assert (len(build.missing), build.unchecked, len(build.layers)) == (missing, unchecked, 1)

    @pytest.mark.parametrize(("there", "missing"), [(True, 0), (False, 1)])
    async def test_a_registry_that_refuses_head_is_asked_by_get(self, there: bool, missing: int) -> None:
        async with bench(fault=lambda r: web.Response(status=405) if r.method == "HEAD" else None) as at:
            body = layer({"a": elf(ARM64)})
            put(at, [body])
            if not there:
                del at.blobs[f"{NAME}/{digest_of(body)}"]
            (build,) = (await facts(at)).builds
        assert (len(build.missing), build.unchecked) == (missing, 0)

    async def test_only_the_layers_of_the_build_that_is_chosen_are_looked_for(self) -> None:
        bodies = [layer({name: b""}) for name in "abc"]
        async with bench() as at:
            made = [put(at, [body], arch=arch) for body, arch in zip(bodies, ("amd64", "arm64", "arm64"), strict=True)]
            entries = [{"mediaType": MANIFESTS[0], "digest": digest, "size": 1} for digest in made]
            at.put(NAME, "1", {"schemaVersion": 2, "mediaType": INDEXES[0], "manifests": entries}, INDEXES[0])
            assert len((await facts(at)).builds) == 3
            asked = [any(digest_of(body) in path for path, _ in at.requests) for body in bodies]
        assert asked == [False, True, False]

    async def test_a_layer_that_was_seen_is_not_asked_for_again(self) -> None:
        async with bench() as at, client(at) as registry:
            for tag in ("1", "2"):
                put(at, [layer({"base": elf(ARM64)}), layer({tag: b""})], tag)
                await image_facts(registry, f"{HOST}/{NAME}:{tag}", Arch.ARM64, Patience(ManualClock()))
            heads = [path for path, _ in at.requests if "/blobs/" in path]
            base = digest_of(layer({"base": elf(ARM64)}))
            assert sum(base in path for path in heads) == 1

    async def test_one_broken_build_says_nothing_against_the_others(self) -> None:
        async with bench() as at:
            at.push(NAME, "1", MULTI_ARCH)
            media, body = at.manifests[f"{NAME}/1"]
            x86 = json.loads(body)["manifests"][0]["digest"]
            at.manifests[f"{NAME}/{x86}"] = media, b"something else"
            broken, good = (await facts(at)).builds
        assert (broken.fault, broken.claimed, broken.platform) == (Fault.BROKEN, "linux/amd64", "")
        assert good.platform == "linux/arm64" and not good.fault

    async def test_a_claim_on_an_index_in_an_index_is_not_taken_for_a_lie(self) -> None:
        async with bench() as at:
            inner = at.push(NAME, "inner", MULTI_ARCH)
            entry = {"mediaType": INDEXES[0], "digest": inner, "size": 1, "platform": {"os": "linux", "architecture": "arm64"}}
            at.put(NAME, "1", {"schemaVersion": 2, "mediaType": INDEXES[0], "manifests": [entry]}, INDEXES[0])
            found = await facts(at)
        assert found.nested and not any(build.lies for build in found.builds) and len(found.builds) == 2

    @pytest.mark.parametrize(
        "body", [b"{}", b"[", b'{"created": "9999-12-31T23:59:59-14:00", "config": {"Labels": null}}', b'{"config": 5}']
    )
    def test_odd_configurations_say_nothing(self, body: bytes) -> None:
        found = details(body)
        assert (found.created, found.base, found.base_digest) == (None, "", "")


class TestPatience:
    """Waiting for registries that ask to."""

    async def test_it_waits_as_long_as_it_is_told_and_no_longer(self) -> None:
        clock, asked = ManualClock(), []

        async def call() -> str:
            asked.append(clock.monotonic())
            if len(asked) < 3:
                raise Throttled("wait", status=429, retry_after=10.0 if len(asked) == 1 else None)
            return "answer"

        task = asyncio.create_task(Patience(clock).ask("r", call))
        await clock.advance(0.0)
        for _ in range(30):
            await clock.advance(1.0)
        assert await task == "answer"
        assert asked == [0.0, 10.0, 12.0]

    async def test_nobody_waits_for_an_hour_and_the_others_do_not_even_ask(self) -> None:
        patience, asked = Patience(ManualClock()), []

        async def call() -> None:
            asked.append(1)
            raise Throttled("wait", status=429, retry_after=3600.0)

        for _ in range(3):
            with pytest.raises(Throttled):
                await patience.ask("r", call)
        assert len(asked) == 1
        with pytest.raises(Throttled):
            await patience.ask("another", call)
        assert len(asked) == 2

    async def test_one_that_waits_makes_the_others_wait(self) -> None:
        clock, asked = ManualClock(), []

        async def call() -> None:
            asked.append(clock.monotonic())
            if clock.monotonic() < MOST_SECONDS / 2:
                raise Throttled("wait", status=429, retry_after=MOST_SECONDS / 2)

        patience = Patience(clock)
        tasks = [asyncio.create_task(patience.ask("r", call)) for _ in range(AT_ONCE * 3)]
        await clock.advance(1.0)
        assert len(asked) <= AT_ONCE
        await clock.advance(MOST_SECONDS)
        await asyncio.gather(*tasks)
        assert sum(at == 0.0 for at in asked) <= AT_ONCE


class TestScan:
    """Layers, streamed."""

    async def test_blobs_elsewhere_are_read_without_credentials(self) -> None:
        async with bench(wants="bearer") as at, bench() as storage:
            at.storage, at.blobs = storage.url, storage.blobs
            put(at, [layer({"a": elf(AMD64)}), tar({"b": elf(ARM64)})])
            found = await scanned(at)
        assert [(n.path, n.arch) for n in found.natives] == [("/a", "amd64"), ("/b", "arm64")]
        assert (found.layers, found.why, found.unread) == (2, "", ())
        stored = [sent for _, sent in storage.requests]
        assert len(stored) == 3 and not any(stored)

    async def test_images_share_what_was_read_of_their_lower_layers(self) -> None:
        base = layer({"a": elf(AMD64)})
        async with bench() as at, client(at) as registry:
            for tag, body in {"1": {"b": elf(ARM64)}, "2": {".wh.a": b""}}.items():
                put(at, [base, layer(body)], tag)
            first, second = [
                await deep_scan(registry, f"{HOST}/{NAME}:{tag}", Arch.ARM64, Patience(ManualClock())) for tag in ("1", "2")
            ]
            assert ({n.path for n in first.natives}, {n.path for n in second.natives}) == ({"/a", "/b"}, set())
            assert sum(digest_of(base) in path for path, _ in at.requests) == 1

    async def test_without_a_build_there_is_nothing_to_read(self) -> None:
        async with bench() as at:
            at.push(NAME, "1", X86_ONLY)
            assert "no build for linux/arm64" in (await scanned(at)).why

    @pytest.mark.parametrize("size", [10, None])
    async def test_bytes_that_are_not_those_of_the_manifest_are_not_believed(self, size: int | None) -> None:
        async with bench() as at:
            body = layer({"a": elf(ARM64)})
            put(at, [body], size=size)
            at.blobs[f"{NAME}/{digest_of(body)}"] = "x", gzip.compress(tar({"a": elf(ARM64)}), 9, mtime=1)[: len(body)]
            found = await scanned(at)
        assert not found.natives and ("digest" in found.why or "longer" in found.why)

    async def test_a_layer_that_is_missing_says_so(self) -> None:
        async with bench() as at:
            body = layer({"a": elf(ARM64)})
            put(at, [body])
            del at.blobs[f"{NAME}/{digest_of(body)}"]
            assert "does not have" in (await scanned(at)).why

    async def test_what_is_scanned_when_it_is_called_off_comes_to_its_end(self) -> None:
        """No thread goes on, and nothing is read from what was closed."""
        arrived = asyncio.Event()
        body = layer({"a": elf(ARM64), "b": bytes(1 << 20)})

        async def trickle(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            await response.write(body[:400])
            arrived.set()
            await asyncio.Event().wait()
            return response

        class Slow(Bench):
            async def __call__(self, request: web.Request) -> web.StreamResponse:
                return await (trickle(request) if digest_of(body) in request.path else super().__call__(request))

        at = Slow()
        async with serving(at) as at.url, client(at) as registry:
            put(at, [body])
            task = asyncio.create_task(deep_scan(registry, f"{HOST}/{NAME}:1", Arch.ARM64, Patience(ManualClock())))
            await arrived.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    async def test_a_chunk_that_unpacks_for_ever_does_not_hold_up_whoever_calls_it_off(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nothing further is asked of the registry then, so only the work itself can come to see it."""
        loop, begun, wake, ended = asyncio.get_running_loop(), asyncio.Event(), threading.Event(), []

        def unpack(_source: Source, below: Seen, room: Budget) -> Seen:
            loop.call_soon_threadsafe(begun.set)
            try:
                for _ in range(500):
                    room.spend(1)
                    wake.wait(0.01)
            except InterruptedError:
                ended.append("interrupted")
                raise
            return below

        monkeypatch.setattr(reading, "scan_layer", unpack)
        async with bench() as at:
            put(at, [layer({"a": elf(ARM64)})])
            task = asyncio.create_task(scanned(at))
            await begun.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert ended == ["interrupted"]

    async def test_a_layer_larger_than_any_is_not_begun(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(reading, "LAYER_BYTES", 100)
        async with bench() as at:
            put(at, [layer({"a": elf(ARM64) * 9, "b": elf(ARM64)})])
            assert "a layer of it is over" in (await scanned(at)).why

    async def test_a_scan_that_unpacks_to_too_much_is_not_clean(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(reading, "MOST_BYTES", 1 << 20)
        async with bench() as at:
            put(at, [layer({"a": elf(AMD64), "zeros": bytes(4 << 20), "b": elf(AMD64)}), layer({"c": elf(AMD64)})])
            found = await scanned(at)
        assert [n.path for n in found.natives] == ["/a"]
        assert all("more bytes" in words for words in found.unread) and len(found.unread) == 2
