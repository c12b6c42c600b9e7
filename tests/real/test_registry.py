"""The registry client against a real registry (Debian's docker-registry): images pushed over HTTP, then asked about."""

from __future__ import annotations

import base64
import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from cockpit.connections.registry.client import RegistryClient
from cockpit.connections.registry.documents import digest_of
from cockpit.errors import CockpitError, NotFound, Rejected, Unauthorized
from cockpit.model.image import Image
from cockpit.rehearsal.images import MULTI_ARCH, X86_INDEX, X86_ONLY, Build
from cockpit.rehearsal.registry_content import DIGEST_OF, INDEX, MANIFEST, Pushed, pushed
from tests.real.processes import Process, free_ports

MISSING = "no docker-registry on the PATH (Debian: apt-get install docker-registry)"
REQUIRED = os.environ.get("COCKPIT_REAL") == "required"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
USER, PASSWORD = "robot", "hunter2"
HTPASSWD = "robot:$2y$05$abcdefghijklmnopqrstuuoXuKqgZXLiJqzfmMXDDhSFPIvxV7t8."
"""USER with PASSWORD, hashed with bcrypt: the one form that the registry takes."""
STARTS_WITHIN = 20.0

if not shutil.which("docker-registry") and not REQUIRED:
    pytest.skip(MISSING, allow_module_level=True)


class Registry:
    """A registry process with a storage folder of its own, on a loopback port."""

    def __init__(self, folder: Path, auth: dict[str, object] | None = None, **more: object) -> None:
        if not shutil.which("docker-registry"):
            pytest.fail(MISSING)
        self.host = f"127.0.0.1:{free_ports(1)[0]}"
        config = {
            "version": 0.1,
            "log": {"level": "error"},
            "storage": {"filesystem": {"rootdirectory": str(folder / "storage")}},
            "http": {"addr": self.host},
            **({"auth": auth} if auth else {}),
            **more,
        }
        path = folder / "config.yml"
        path.write_text(yaml.safe_dump(config))
        self._process = Process("registry", ["docker-registry", "serve", str(path)], folder)
        self._wait(time.monotonic() + STARTS_WITHIN)

    def stop(self) -> None:
        self._process.stop(5.0)

    def push(self, name: str, tag: str, made: Pushed) -> str:
        """Push blobs, then manifests, children before what lists them; returns the digest under the tag."""
        with self.client() as client:
            for digest, (_, body) in made.blobs.items():
                _blob(client, name, digest, body)
            for digest, (media, body) in made.manifests.items():
                if not _attests(body):
                    _manifest(client, name, tag if digest == made.digest else digest, media, body)
        return made.digest

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=f"http://{self.host}", auth=(USER, PASSWORD), timeout=10.0)

    def _wait(self, deadline: float) -> None:
        while True:
            try:
                httpx.get(f"http://{self.host}/v2/", timeout=2.0)
                return
            except httpx.TransportError:
                if not self._process.alive or time.monotonic() > deadline:
                    pytest.fail(f"docker-registry did not start: {self._process.last_words()}")
                time.sleep(0.05)


def _attests(body: bytes) -> bool:
    return DIGEST_OF in json.loads(body).get("annotations", {})


def _blob(client: httpx.Client, name: str, digest: str, body: bytes) -> None:
    began = client.post(f"/v2/{name}/blobs/uploads/")
    began.raise_for_status()
    url = httpx.URL(began.headers["Location"]).copy_merge_params({"digest": digest})
    client.put(url, content=body, headers={"Content-Type": "application/octet-stream"}).raise_for_status()


def _manifest(client: httpx.Client, name: str, version: str, media: str, body: bytes) -> str:
    done = client.put(f"/v2/{name}/manifests/{version}", content=body, headers={"Content-Type": media})
    assert done.status_code == 201, done.text
    return str(done.headers["Docker-Content-Digest"])


def _plain(build: Build, name: str) -> Pushed:
    """As pushed by a tool that adds no attestations: a registry takes an index only with all of its children."""
    made = pushed(name, build)
    if not build.index:
        return made
    top = json.loads(made.manifests[made.digest][1])
    children = [c for c in top["manifests"] if c["platform"]["os"] != "unknown"]
    body = json.dumps({**top, "manifests": children}).encode()
    held = {k: v for k, v in made.manifests.items() if k != made.digest and not _attests(v[1])}
    return Pushed(digest_of(body), {**held, digest_of(body): (INDEX, body)}, made.blobs)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    made = Registry(tmp_path_factory.mktemp("registry"))
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    return tmp_path


async def asked(reference: str) -> Image:
    client = RegistryClient()
    try:
        return await client.image(reference)
    finally:
        await client.aclose()


@pytest.mark.parametrize(
    ("build", "platforms"),
    [(MULTI_ARCH, ("linux/amd64", "linux/arm64")), (X86_ONLY, ("linux/amd64",)), (X86_INDEX, ("linux/amd64",))],
)
async def test_pushed_images_are_read_by_tag_and_by_digest(build: Build, platforms: tuple[str, ...], registry: Registry) -> None:
    name = f"payments/{'-'.join(platforms).replace('/', '-')}-{build.index}".lower()
    digest = registry.push(name, "1", _plain(build, name))
    for version in (":1", f"@{digest}", f":1@{digest}"):
        found = await asked(f"{registry.host}/{name}{version}")
        assert (found.platforms, found.digest, found.index) == (platforms, digest, build.index)


async def test_a_docker_list_is_not_taken_for_a_single_image(registry: Registry) -> None:
    """The registry gives a schema 2 manifest, with 200, to whoever does not accept lists."""
    made = pushed("payments/list:1", MULTI_ARCH)
    children = []
    with registry.client() as client:
        for digest, (_, body) in made.blobs.items():
            _blob(client, "payments/list", digest, body)
        for body in [b for m, b in made.manifests.values() if m == MANIFEST and not _attests(b)]:
            document = json.loads(body)
            document |= {"mediaType": DOCKER_MANIFEST, "config": {**document["config"], "mediaType": DOCKER_CONFIG}}
            document["layers"] = [{**layer, "mediaType": DOCKER_LAYER} for layer in document["layers"]]
            whole = json.dumps(document).encode()
            arch = json.loads(made.blobs[document["config"]["digest"]][1])["architecture"]
            digest = _manifest(client, "payments/list", f"child-{arch}", DOCKER_MANIFEST, whole)
            platform = {"os": "linux", "architecture": arch}
            children.append({"mediaType": DOCKER_MANIFEST, "digest": digest, "size": len(whole), "platform": platform})
        top = json.dumps({"schemaVersion": 2, "mediaType": DOCKER_LIST, "manifests": children}).encode()
        _manifest(client, "payments/list", "1", DOCKER_LIST, top)
        careless = client.get("/v2/payments/list/manifests/1", headers={"Accept": DOCKER_MANIFEST})
        assert careless.status_code == 200 and "config" in careless.json(), "this is the trap"
    found = await asked(f"{registry.host}/payments/list:1")
    assert found.index and sorted(found.platforms) == ["linux/amd64", "linux/arm64"]


async def test_what_is_no_image_and_what_is_not_there(registry: Registry) -> None:
    with registry.client() as client:
        config = b"{}"
        _blob(client, "payments/chart", digest_of(config), config)
        described = {"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": digest_of(config), "size": 2}
        chart = {"schemaVersion": 2, "mediaType": MANIFEST, "config": described, "layers": []}
        _manifest(client, "payments/chart", "1", MANIFEST, json.dumps(chart).encode())
    with pytest.raises(Rejected, match="no container image"):
        await asked(f"{registry.host}/payments/chart:1")
    for missing in ("payments/absent:1", "payments/chart:2", "payments/chart@sha256:" + "0" * 64):
        with pytest.raises(NotFound):
            await asked(f"{registry.host}/{missing}")


async def test_a_registry_with_a_password(tmp_path_factory: pytest.TempPathFactory, docker: Path) -> None:
    folder = tmp_path_factory.mktemp("locked")
    (folder / "htpasswd").write_text(HTPASSWD + "\n")
    locked = Registry(folder, {"htpasswd": {"realm": "cockpit", "path": str(folder / "htpasswd")}})
    try:
        locked.push("payments/api", "1", _plain(MULTI_ARCH, "payments/api"))
        reference = f"{locked.host}/payments/api:1"
        for config in ({}, {"auths": {locked.host: {"auth": base64.b64encode(b"robot:wrong").decode()}}}):
            (docker / "config.json").write_text(json.dumps(config))
            with pytest.raises(Unauthorized) as refused:
                await asked(reference)
            assert "wrong" not in str(refused.value)
        auth = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        (docker / "config.json").write_text(json.dumps({"auths": {locked.host: {"auth": auth}}}))
        assert (await asked(reference)).runs_on("arm64")
    finally:
        locked.stop()


async def test_a_registry_that_has_stopped_leaves_everything_unknown(tmp_path: Path) -> None:
    gone = Registry(tmp_path)
    gone.stop()
    with pytest.raises(CockpitError, match="connection refused"):
        await asked(f"{gone.host}/payments/api:1")
