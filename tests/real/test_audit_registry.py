"""The audit's image rows against a real registry (Debian's docker-registry): right images, and every wrong one that it takes."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from cockpit.connections.registry.audit import image_facts
from cockpit.connections.registry.client import RegistryClient
from cockpit.connections.registry.patience import MOST_SECONDS, Patience
from cockpit.model.arch import Arch
from cockpit.model.audit import Mark, Row
from cockpit.rules.portability.images import rows_of_image
from tests.layers import AMD64, ARM64, elf, layer
from tests.real.gate import HastyClock, gate
from tests.real.pushing import MANIFEST, SCHEMA_1, Pusher, claim, described, digest_of, schema_1
from tests.real.test_registry import PASSWORD, USER, Registry

TODAY = date(2026, 11, 22)
MADE = {"created": "2026-10-23T09:12:44Z"}
BASE = "sha256:" + "b" * 64
LABELS = {"org.opencontainers.image.base.name": "registry.example.com/base:12", "org.opencontainers.image.base.digest": BASE}
HOSTILE = {
    "org.opencontainers.image.base.name": "\x1b]52;c;x\x07\u202e" + "x" * 5000,
    "org.opencontainers.image.base.digest": "\x1b[2J",
}


@pytest.fixture(scope="module")
def pusher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pusher]:
    folder = tmp_path_factory.mktemp("registry")
    registry = Registry(folder, compatibility={"schema1": {"enabled": True}})
    with httpx.Client(base_url=f"http://{registry.host}", timeout=120.0) as client:
        yield Pusher(registry.host, folder, client)
    registry.stop()


@pytest.fixture(scope="module")
def matrix(pusher: Pusher) -> dict[str, tuple[str, Mark, str]]:
    return push_all(pusher)


@pytest.fixture(autouse=True)
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    return tmp_path


@asynccontextmanager
async def asking(**how: Any) -> AsyncIterator[tuple[RegistryClient, Patience, HastyClock]]:
    clock = HastyClock()
    client = RegistryClient(**how)
    try:
        yield client, Patience(clock), clock
    finally:
        await client.aclose()


async def row_of(reference: str, **how: Any) -> Row:
    async with asking(**how) as (client, patience, _):
        (row,) = rows_of_image(await image_facts(client, reference, Arch.ARM64, patience), Arch.ARM64, TODAY)
    assert row.component == f"image/{reference}"
    return row


def push_all(to: Pusher) -> dict[str, tuple[str, Mark, str]]:
    """Every image of the matrix: its version, and the mark and words that are right."""
    program = {name: layer({"app": elf(machine)}) for name, machine in (("amd64", AMD64), ("arm64", ARM64))}
    x86, arm = [program["amd64"]], [program["arm64"]]

    def both(name: str, **more: Any) -> list[dict[str, Any]]:
        return [claim(to.image(name, arch, [program[arch]], **more), arch) for arch in ("amd64", "arm64")]

    multi = both("multi", **MADE, config={"Labels": LABELS})
    to.index("multi", "1", [*multi, *(to.attestation("multi", child["digest"]) for child in multi)])
    single = to.image("x86", "amd64", x86, "1")
    to.index("x86-index", "1", [claim(to.image("x86-index", "amd64", x86), "amd64")])
    to.index("liar", "1", [claim(to.image("liar", "amd64", x86), "arm64")])
    to.image("elf-liar", "arm64", x86, "1")
    to.index("attested", "1", [to.attestation("attested", digest_of(b"gone"))])
    to.index("nested", "1", [to.index("nested", "inner", both("nested"))])
    config = to.image("no-config", "arm64", arm, "1", only="here")
    to.lose(_config_of(to, "no-config", config["digest"]))
    lost = layer({"lost": elf(ARM64)})
    to.index("no-layer", "1", [claim(to.image("no-layer", "arm64", [*arm, lost]), "arm64")])
    to.lose(digest_of(lost))
    children = both("no-child", only="there")
    to.index("no-child", "1", children)
    to.lose(children[1]["digest"])
    to.put("old", "1", schema_1("old", "1", to.blob("old", program["arm64"])), SCHEMA_1)
    pinned = to.index("pinned", "1", both("pinned"))
    to.index("hostile", "1", both("hostile", created="\x1b[31m", config={"Labels": HOSTILE}))
    to.index("odd", "1", both("odd", created=7, config={"Labels": {"a": 5}}))
    chart = {"config": described(b"{}", "application/vnd.cncf.helm.config.v1+json"), "layers": []}
    to.blob("chart", b"{}")
    to.manifest("chart", chart, MANIFEST, "1")
    return {
        "multi": (":1", Mark.PASS, "linux/arm64 and 1 other"),
        "x86": (
            ":1",
            Mark.FIX,
            "no linux/arm64 build, only linux/amd64: there it fails (exec format error), or runs under slow emul",
        ),
        "x86-index": (":1", Mark.FIX, "no linux/arm64 build"),
        "liar": (":1", Mark.FIX, "claims linux/arm64, and the build behind that is linux/amd64"),
        "elf-liar": (":1", Mark.PASS, "a single build, linux/arm64"),
        "attested": (":1", Mark.FIX, "holds no image, only an attestation"),
        "nested": (":1", Mark.PASS, "linux/arm64 and 1 other"),
        "no-config": (":1", Mark.FIX, "its configuration sha256:"),
        "no-layer": (":1", Mark.FIX, f"lacks 1 of 2 layers of linux/arm64: {digest_of(lost)}"),
        "no-child": (":1", Mark.FIX, "its index lists linux/arm64, which registry"),
        "old": (":1", Mark.FIX, "schema 1"),
        "pinned": (f"@{pinned['digest']}", Mark.PASS, "linux/arm64 and 1 other"),
        "x86 ": (f"@{single['digest']}", Mark.FIX, "pinned to one build, linux/amd64"),
        "hostile": (":1", Mark.PASS, "linux/arm64"),
        "odd": (":1", Mark.PASS, "linux/arm64"),
        "chart": (":1", Mark.FIX, "no container image"),
        "multi ": (":2", Mark.FIX, "does not have"),
        "absent": (":1", Mark.FIX, "does not have"),
    }


def _config_of(to: Pusher, name: str, digest: str) -> str:
    found = to.client.get(f"/v2/{name}/manifests/{digest}", headers={"Accept": MANIFEST}).json()
    return str(found["config"]["digest"])


async def test_the_matrix_is_right_on_every_row(pusher: Pusher, matrix: dict[str, tuple[str, Mark, str]]) -> None:
    expected = matrix
    rows = {name: await row_of(f"{pusher.host}/{name.strip()}{how[0]}") for name, how in expected.items()}
    got = {
        name: (row.mark, how[2] in row.status or row.status)
        for (name, how), row in zip(expected.items(), rows.values(), strict=True)
    }
    assert got == {name: (how[1], True) for name, how in expected.items()}
    assert all(bool(row.action) == row.mark.red for row in rows.values())
    assert rows["multi"].notes == (
        "not pinned by digest: its tag may name another image tomorrow",
        "2 attestations skipped",
        "created: 2026-10-23, 30 days ago",
        f"base image: registry.example.com/base:12@{BASE}",
    )
    assert "pinned by digest" in rows["pinned"].notes
    assert any("holds an index" in note for note in rows["nested"].notes)
    assert any("no linux/amd64 build" in note for note in rows["elf-liar"].notes)
    shown = " ".join(" ".join((row.component, row.status, row.action, *row.notes)) for row in rows.values())
    assert shown.isprintable()
    assert max(len(note) for row in rows.values() for note in row.notes) < 400
    assert any("\\u202e" in note for note in rows["hostile"].notes), "made visible, not left out"


@pytest.mark.usefixtures("matrix")
async def test_a_private_registry_with_tokens(pusher: Pusher, docker: Path) -> None:
    async with gate(pusher.host) as at:
        host = at.url.removeprefix("http://")
        row = await row_of(f"{host}/multi:1")
        assert (row.mark, "log in" in row.action) == (Mark.UNKNOWN, True)
        auth = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        (docker / "config.json").write_text(json.dumps({"auths": {host: {"auth": auth}}}))
        assert (await row_of(f"{host}/multi:1")).mark is Mark.PASS
        (docker / "config.json").unlink()
        at.anonymous = True
        assert (await row_of(f"{host}/multi:1")).mark is Mark.PASS
    gone = await row_of(f"{host}/multi:1")
    assert (gone.mark, "connection refused" in gone.status) == (Mark.UNKNOWN, True)


@pytest.mark.usefixtures("matrix")
async def test_a_registry_that_limits_is_waited_for_and_then_given_up(pusher: Pusher) -> None:
    async with gate(pusher.host, anonymous=True, refusals=2) as at, asking() as (client, patience, clock):
        host = at.url.removeprefix("http://")
        facts = await image_facts(client, f"{host}/multi:1", Arch.ARM64, patience)
        assert facts.fault == "" and facts.platforms and sum(clock.slept) == 14.0
        count = len(at.asked)
        await image_facts(client, f"{host}/multi@{facts.digest}", Arch.ARM64, patience)
        assert len(at.asked) == count, "what a digest names is asked for once"
        at.refusals, at.retry_after = 1000, ""
        names = ("x86", "liar", "nested")
        rows = [
            rows_of_image(await image_facts(client, f"{host}/{n}:1", Arch.ARM64, patience), Arch.ARM64, TODAY)[0] for n in names
        ]
        assert [(row.mark, "asks to wait" in row.status) for row in rows] == [(Mark.UNKNOWN, True)] * 3
        assert len(at.asked) == count + 5, "one that has given up is left alone by the others"
        assert sum(clock.slept) - 14.0 <= MOST_SECONDS
