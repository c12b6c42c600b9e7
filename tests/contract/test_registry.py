"""The registry client over real sockets: what it makes of images, who it says it is, and what it never believes or tells."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from cockpit.connections.registry import credentials as registry_credentials
from cockpit.connections.registry import http as registry_http
from cockpit.connections.registry.auth import challenge
from cockpit.connections.registry.client import RegistryClient
from cockpit.connections.registry.credentials import Credentials
from cockpit.connections.registry.documents import INDEXES, MANIFESTS, document, platform
from cockpit.errors import CockpitError, NotFound, Rejected, Throttled, Unauthorized, Unreachable
from cockpit.model.image import Image
from cockpit.rehearsal.images import MULTI_ARCH, X86_INDEX, X86_ONLY, Build
from tests.contract.registry_bench import HOST, IDENTITY, NAME, PASSWORD, SECRETS, USER, Bench, bench, client
from tests.contract.small_api import serving


@pytest.fixture(autouse=True)
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Docker's configuration, empty until written."""
    folder = tmp_path / "docker"
    folder.mkdir()
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))

    def write(**config: Any) -> None:
        (folder / "config.json").write_text(json.dumps(config))

    return write


def helper(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    path = folder / f"docker-credential-{name}"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


async def asked(at: Bench, version: str = ":1") -> Image:
    async with client(at) as registry:
        return await registry.image(f"{HOST}/{NAME}{version}")


async def refused(at: Bench, kind: type[CockpitError], version: str = ":1") -> str:
    """The words of a refusal, which hold no secret."""
    with pytest.raises(kind) as caught:
        await asked(at, version)
    words = str(caught.value)
    assert not any(secret in words for secret in SECRETS)
    assert words.isprintable()
    return words


@pytest.mark.parametrize(
    ("build", "platforms", "index"),
    [
        (MULTI_ARCH, ("linux/amd64", "linux/arm64"), True),
        (X86_ONLY, ("linux/amd64",), False),
        (X86_INDEX, ("linux/amd64",), True),
        (Build(("linux/arm64/v8", "linux/ppc64le", "windows/amd64")), ("linux/arm64/v8", "linux/ppc64le", "windows/amd64"), True),
    ],
)
async def test_platforms_come_from_the_configurations(build: Build, platforms: tuple[str, ...], index: bool) -> None:
    async with bench() as at:
        digest = at.push(NAME, "1", build)
        found = await asked(at)
        assert (found.platforms, found.index, found.digest, found.why) == (platforms, index, digest, "")
        again = await asked(at, f"@{digest}")
        assert again.platforms == platforms


async def test_a_digest_is_asked_for_once_a_session() -> None:
    async with bench() as at, client(at) as registry:
        digest = at.push(NAME, "1", MULTI_ARCH)
        await registry.image(f"{HOST}/{NAME}@{digest}")
        count = len(at.requests)
        assert count == 5, "the index, then a manifest and a configuration for each architecture"
        await registry.image(f"{HOST}/{NAME}@{digest}")
        assert len(at.requests) == count
        await registry.image(f"{HOST}/{NAME}:1")
        assert len(at.requests) == count + 1


async def test_an_index_that_lies_is_found_out() -> None:
    async with bench() as at:
        at.push(NAME, "x86", X86_ONLY)
        media, body = at.manifests[f"{NAME}/x86"]
        child = {"mediaType": media, "digest": "sha256:" + hashlib.sha256(body).hexdigest(), "size": len(body)}
        claim = {"os": "linux", "architecture": "arm64"}
        at.put(NAME, "1", {"schemaVersion": 2, "mediaType": INDEXES[0], "manifests": [{**child, "platform": claim}]}, INDEXES[0])
        assert (await asked(at)).platforms == ("linux/amd64",)


async def test_a_child_that_is_missing_leaves_the_image_unknown() -> None:
    async with bench() as at:
        digest = at.push(NAME, "1", MULTI_ARCH)
        for key in [k for k in at.manifests if k not in (f"{NAME}/1", f"{NAME}/{digest}")]:
            del at.manifests[key]
        assert "its index lists linux/" in await refused(at, Rejected)


def _manifest(**changes: Any) -> dict[str, Any]:
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": "sha256:" + "0" * 64, "size": 2}
    return {"schemaVersion": 2, "mediaType": MANIFESTS[0], "config": config, "layers": [], **changes}


@pytest.mark.parametrize(
    ("document", "media", "words"),
    [
        (b"<html>", "text/html", "cannot be read"),
        (b"[" * 100_000, INDEXES[0], "cannot be read"),
        ({"schemaVersion": 1, "architecture": "arm64"}, "application/vnd.docker.distribution.manifest.v1+prettyjws", "schema 1"),
        ({"schemaVersion": 2, "mediaType": INDEXES[0], "manifests": []}, INDEXES[0], "holds no image"),
        (_manifest(manifests=[]), INDEXES[0], "neither an index nor"),
        ({"schemaVersion": 2, "mediaType": INDEXES[0], "manifests": [], "layers": []}, INDEXES[0], "neither an index nor"),
        ({"schemaVersion": 2, "mediaType": MANIFESTS[0], "manifests": []}, INDEXES[0], "another type"),
        (_manifest(config={"mediaType": "application/vnd.cncf.helm.config.v1+json"}), MANIFESTS[0], "no container image"),
        (
            _manifest(config={"mediaType": "application/vnd.oci.image.config.v1+json", "digest": "sha256:../x"}),
            MANIFESTS[0],
            "digest",
        ),
        ({"schemaVersion": 2, "manifests": [{"digest": f"sha256:{i:064}"} for i in range(101)]}, INDEXES[0], "larger than any"),
        ({"schemaVersion": 2, "manifests": [{"digest": "\x1b]52;c;x\x07"}]}, INDEXES[0], "no digest"),
        ({"schemaVersion": 2, "manifests": [{"digest": "sha256:../../x"}]}, INDEXES[0], "no digest"),
    ],
)
async def test_documents_that_cannot_be_believed_are_refused(document: Any, media: str, words: str) -> None:
    async with bench() as at:
        at.put(NAME, "1", document, media)
        assert words in await refused(at, CockpitError)


async def test_bytes_that_do_not_have_their_digest_are_refused() -> None:
    async with bench() as at:
        digest = at.push(NAME, "1", X86_ONLY)
        media, body = at.manifests[f"{NAME}/{digest}"]
        at.manifests[f"{NAME}/{digest}"] = media, body + b" "
        assert "do not have the digest" in await refused(at, Rejected, f"@{digest}")
        for key in at.blobs:
            at.blobs[key] = "x", b'{"architecture":"arm64","os":"linux"}'
        assert "do not have the digest" in await refused(at, Rejected)


async def test_a_configuration_without_an_architecture_says_nothing() -> None:
    async with bench() as at:
        config = b'{"os": "linux"}'
        digest = "sha256:" + hashlib.sha256(config).hexdigest()
        at.blobs[f"{NAME}/{digest}"] = "x", config
        at.put(NAME, "1", _manifest(config={**_manifest()["config"], "digest": digest}), MANIFESTS[0])
        assert "names no architecture" in await refused(at, Rejected)


async def test_answers_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry_http, "MANIFEST_BYTES", 1 << 20)
    async with bench() as at:
        at.put(NAME, "1", b" " * ((1 << 20) + 1), INDEXES[0])
        assert "over 1 MB" in await refused(at, Rejected)


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (lambda _: web.Response(status=404), NotFound, "does not have"),
        (lambda _: web.Response(status=429, headers={"Retry-After": "7"}), Throttled, "asks to wait"),
        (lambda _: web.Response(status=503, headers={"Retry-After": "7"}), Throttled, "asks to wait"),
        (lambda _: web.Response(status=500), Unreachable, "HTTP 500"),
        (lambda _: web.Response(status=403), Unauthorized, "docker login"),
        (lambda _: web.Response(status=401), Unauthorized, "wants credentials"),
        (lambda _: web.Response(status=302, headers={"Location": "/v2/"}), Unreachable, "from one place to the next"),
        (lambda _: web.Response(status=302, headers={"Location": "ftp://x/y?X-Sig=signature-secret"}), Unreachable, "not safe"),
        (lambda _: web.Response(status=302, headers={"Location": "http://[signature-secret"}), Unreachable, ""),
        (lambda _: web.Response(status=400, text='{"errors":[{"code":"\\u001b[2J","message":"\\u202e"}]}'), Rejected, ""),
        (lambda _: web.Response(body=b"x", headers={"Content-Encoding": "gzip"}), Rejected, "compressed"),
    ],
)
async def test_refusals_say_what_is_wrong(answer: Any, kind: type[CockpitError], words: str) -> None:
    async with bench(fault=answer) as at:
        assert words in await refused(at, kind)


async def test_a_server_that_is_not_there_is_unreachable() -> None:
    async with bench() as at:
        pass
    assert "connection refused" in await refused(at, Unreachable)


@pytest.mark.parametrize("text", ["xn--a.example.com/foo:1", "[::::]:5/x:1"])
async def test_a_name_that_is_no_address_is_refused(text: str) -> None:
    registry = RegistryClient()
    with pytest.raises(Rejected, match="has no address"):
        await registry.image(text)
    await registry.aclose()


@pytest.mark.parametrize("place", ["https://xn--a.example.com/x", "https://[::::]/x", "//xn--a.example.com/x"])
async def test_a_redirect_to_what_is_no_address_is_not_followed(place: str) -> None:
    async with bench(fault=lambda _: web.Response(status=307, headers={"Location": place})) as at:
        await refused(at, Unreachable)
        assert len(at.requests) == 1


async def test_a_throttling_registry_says_for_how_long() -> None:
    async with bench(fault=lambda _: web.Response(status=429, headers={"Retry-After": "7"})) as at, client(at) as registry:
        with pytest.raises(Throttled) as caught:
            await registry.image(f"{HOST}/{NAME}:1")
        assert caught.value.retry_after == 7.0


class TestCredentials:
    """Who we say we are."""

    async def test_a_token_for_anybody(self) -> None:
        async with bench(wants="bearer") as at, client(at) as registry:
            at.push(NAME, "1", MULTI_ARCH)
            assert (await registry.image(f"{HOST}/{NAME}:1")).known
            assert [path for path, _ in at.requests].count("/token") == 1, "one token does for a repository"

    async def test_a_token_server_that_answers_nonsense_gives_no_token(self) -> None:
        deep = b'{"x":' + b"[" * 50_000
        fault = lambda request: web.Response(body=deep) if request.path == "/token" else None  # noqa: E731
        async with bench(wants="bearer", fault=fault) as at:
            assert "gave no token" in await refused(at, Unreachable)

    async def test_a_token_that_has_expired_is_asked_for_again(self) -> None:
        async with bench(wants="bearer", expires_in=0) as at, client(at) as registry:
            at.push(NAME, "1", X86_ONLY)
            assert (await registry.image(f"{HOST}/{NAME}:1")).known
            assert [path for path, _ in at.requests].count("/token") == 2

    @pytest.mark.parametrize("wants", ["basic", "bearer"])
    async def test_a_password_from_dockers_file(self, wants: str, docker: Callable[..., None]) -> None:
        async with bench(wants=wants, anonymous=False) as at:
            at.push(NAME, "1", MULTI_ARCH)
            await refused(at, Unauthorized)
            auth = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            docker(auths={at.url: {"auth": auth}, "other.example.com": {"auth": "eDp5"}})
            assert (await asked(at)).known
            docker(auths={at.url: {"auth": base64.b64encode(b"robot:wrong").decode()}})
            await refused(at, Unauthorized)

    async def test_a_password_that_changes_is_looked_up_again(self, docker: Callable[..., None]) -> None:
        async with bench(wants="basic") as at, client(at) as registry:
            at.push(NAME, "1", X86_ONLY)
            docker(auths={at.url: {"username": USER, "password": "old"}})
            with pytest.raises(Unauthorized):
                await registry.image(f"{HOST}/{NAME}:1")
            docker(auths={at.url: {"username": USER, "password": PASSWORD}})
            assert (await registry.image(f"{HOST}/{NAME}:1")).known

    async def test_an_identity_token(self, docker: Callable[..., None]) -> None:
        async with bench(wants="bearer", anonymous=False) as at:
            at.push(NAME, "1", MULTI_ARCH)
            docker(auths={at.url: {"identitytoken": IDENTITY}})
            assert (await asked(at)).known

    @pytest.mark.parametrize("key", ["credHelpers", "credsStore"])
    async def test_a_helper_program(
        self, key: str, docker: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        said = json.dumps({"Username": USER, "Secret": PASSWORD})
        helper(tmp_path / "bin", monkeypatch, "safe", f"read -r server; echo \"$server\" > {tmp_path}/asked; echo '{said}'")
        async with bench(wants="basic") as at:
            at.push(NAME, "1", MULTI_ARCH)
            host = at.url.removeprefix("http://")
            docker(**{key: {host: "safe"} if key == "credHelpers" else "safe"})
            assert (await asked(at)).known
            assert (tmp_path / "asked").read_text().strip() == host

    @pytest.mark.parametrize(
        ("script", "words"),
        [
            ("echo 'credentials not found in native keychain'; exit 1", "wants credentials"),
            (f"echo {PASSWORD}; exit 3", "exit code 3"),
            (f"echo {PASSWORD}", "printed no credentials"),
            ("sleep 60 & wait", "did not answer within"),
        ],
    )
    async def test_a_helper_that_fails(
        self, script: str, words: str, docker: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(registry_credentials, "HELPER_SECONDS", 0.5 if "sleep" in script else 20.0)
        helper(tmp_path / "bin", monkeypatch, "safe", script)
        docker(credsStore="safe")
        async with bench(wants="basic") as at:
            assert words in await refused(at, Unauthorized)

    @pytest.mark.parametrize("name", ["../../bin/sh", "absent", "a b", ""])
    async def test_a_helper_that_is_no_program(self, name: str, docker: Callable[..., None]) -> None:
        docker(credsStore=name)
        async with bench(wants="basic") as at:
            await refused(at, Unauthorized)

    async def test_a_file_that_is_no_json_is_an_error_without_its_content(self, tmp_path: Path) -> None:
        (tmp_path / "docker" / "config.json").write_text(f'{{"auths": {PASSWORD}')
        async with bench(wants="basic") as at:
            assert "config.json cannot be read" in await refused(at, Unauthorized)

    async def test_a_file_of_endless_depth_is_an_error_too(self, tmp_path: Path) -> None:
        (tmp_path / "docker" / "config.json").write_text("[" * 100_000)
        async with bench(wants="basic") as at:
            assert "config.json cannot be read" in await refused(at, Unauthorized)

    async def test_blobs_elsewhere_get_no_credentials(self, docker: Callable[..., None]) -> None:
        async with bench(wants="basic") as at, bench() as elsewhere:
            at.push(NAME, "1", MULTI_ARCH)
            elsewhere.blobs, at.storage = at.blobs, elsewhere.url
            docker(auths={at.url: {"username": USER, "password": PASSWORD}})
            assert (await asked(at)).known
            assert elsewhere.requests and not any(sent for _, sent in elsewhere.requests)

    @pytest.mark.parametrize(
        "realm", ["http://registry-tokens.example.com/token", "ftp://x", "::", "https://u:p@x/", "https://xn--a/"]
    )
    async def test_passwords_go_to_no_token_server_without_tls(self, realm: str, docker: Callable[..., None]) -> None:
        async with bench(wants="bearer", realm=realm) as at:
            docker(auths={at.url: {"username": USER, "password": PASSWORD}})
            assert "without https" in await refused(at, Unauthorized)

    async def test_a_mirror_gets_the_credentials_of_its_own_name_only(self, docker: Callable[..., None]) -> None:
        async with bench(wants="basic") as at:
            docker(auths={HOST: {"username": USER, "password": PASSWORD}})
            await refused(at, Unauthorized)
            assert not any(sent for _, sent in at.requests)

    async def test_ecr_by_the_credentials_of_aws(self, monkeypatch: pytest.MonkeyPatch) -> None:
        token = base64.b64encode(f"AWS:{PASSWORD}".encode()).decode()
        calls: list[str] = []

        async def ecr(request: web.Request) -> web.Response:
            calls.append(request.headers["X-Amz-Target"])
            return web.json_response({"authorizationData": [{"authorizationToken": token, "expiresAt": 4e9}]})

        async with serving(ecr) as url:
            for name, value in (("ENDPOINT_URL_ECR", url), ("ACCESS_KEY_ID", "testing"), ("SECRET_ACCESS_KEY", "testing")):
                monkeypatch.setenv(f"AWS_{name}", value)
            host = "111122223333.dkr.ecr.ap-south-1.amazonaws.com"
            credentials = Credentials()
            for _ in range(2):
                login = await asyncio.to_thread(credentials.login, host)
                assert (login.user, login.password) == ("AWS", PASSWORD)
            assert calls == ["AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken"]
            assert PASSWORD not in repr(login)


@pytest.mark.parametrize(
    ("headers", "scheme", "realm"),
    [
        (['Bearer realm="https://a/t",service="s",scope="repository:x:pull"'], "bearer", "https://a/t"),
        (['Basic realm="r", Bearer realm="https://a/t"'], "bearer", "https://a/t"),
        (["Basic realm=x", "Bearer realm=https://a/t"], "bearer", "https://a/t"),
        (["basic"], "basic", ""),
        (['BEARER realm = "https://a/\\"t"'], "bearer", 'https://a/"t'),
    ],
)
def test_challenges_are_read(headers: list[str], scheme: str, realm: str) -> None:
    found = challenge(headers)
    assert found is not None and (found.scheme, found.realm) == (scheme, realm)


@pytest.mark.parametrize("headers", [[], ["Negotiate"], ["Bearer"], ['Bearer service="s"'], ["\x00" * 50]])
def test_other_challenges_are_not_answered(headers: list[str]) -> None:
    assert challenge(headers) is None


_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
_KEYS = st.sampled_from(
    ["schemaVersion", "mediaType", "manifests", "config", "layers", "digest", "platform", "os", "architecture"]
)
_JSON = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=5), max_leaves=12
)


@given(st.binary(max_size=40) | _JSON.map(lambda value: json.dumps(value).encode()), st.sampled_from([*INDEXES, *MANIFESTS, "x"]))
def test_no_bytes_break_the_reader(body: bytes, media: str) -> None:
    for read in (lambda: document(body, media), lambda: platform(body)):
        with suppress(Rejected):
            read()
