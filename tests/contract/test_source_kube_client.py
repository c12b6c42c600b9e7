"""The API server's client over real sockets: credentials, refusals, time-outs, TLS."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from cockpit.connections import kube, loader
from cockpit.connections.kube import KubeClient
from cockpit.connections.lanes import WARM
from cockpit.connections.plugins import CONSENT
from cockpit.errors import (
    CockpitError,
    Conflict,
    Forbidden,
    Gone,
    NotFound,
    Rejected,
    Throttled,
    Unauthorized,
    Unreachable,
    UsageError,
)
from tests.contract.small_api import connected, kubeconfig, serving, status

NAMESPACE = "/api/v1/namespaces/default"


async def fine(request: web.Request) -> web.StreamResponse:
    return web.json_response({"kind": "Namespace", "token": request.headers.get("Authorization", "")})


@pytest.fixture(autouse=True)
def _allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a plugin may run is another test's subject."""
    monkeypatch.setattr(CONSENT, "everything", True)


def plugin(folder: Path, script: str) -> dict[str, Any]:
    path = folder / "get-token"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(path), "args": ["--cluster", "prod"]}}


def credential(token: str, seconds: float = 3600) -> str:
    expires = (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential"}
    return json.dumps({**body, "status": {"token": token, "expirationTimestamp": expires}})


async def test_the_context_and_server_are_the_kubeconfigs_and_its_token_is_sent(tmp_path: Path) -> None:
    async with connected(tmp_path, fine) as client:
        answer = json.loads(await client.get(NAMESPACE))
    assert client.context == "here"
    assert client.server.startswith("http://127.0.0.1:")
    assert answer["token"] == "Bearer secret-token"


async def test_an_unknown_context_names_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no context prod.*here, there"):
        await KubeClient.connect("prod", kubeconfig(tmp_path, "http://127.0.0.1:1"))


async def test_no_kubeconfig_says_where_it_looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "missing"))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(UsageError, match="missing"):
        await KubeClient.connect()


@pytest.mark.parametrize("text", ["{", "just words", "[]", "", "contexts: 3\n", "users: [{name: u, token: s3cret\n"])
async def test_a_broken_kubeconfig_is_a_usage_error_without_its_content(tmp_path: Path, text: str) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        await KubeClient.connect(kubeconfig=path)
    assert "kubeconfig" in str(caught.value)
    assert "s3cret" not in str(caught.value)


async def test_a_kubeconfig_that_lacks_a_part_does_not_show_the_others(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path, "http://127.0.0.1:1", {"token": "s3cret"})
    document = json.loads(path.read_text())
    document["clusters"] = []
    path.write_text(json.dumps(document))
    with pytest.raises(CockpitError) as caught:
        await KubeClient.connect(kubeconfig=path)
    assert "object with name c" in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("script", "word"),
    [
        ("echo my-s3cret >&2; exit 3", "exit code 3"),
        ("echo my-s3cret", "no ExecCredential"),
        ('echo \'{"status": {"nothing": "my-s3cret"}}\'', "neither a token"),
    ],
)
async def test_a_failing_exec_plugin_is_named_and_its_output_is_not(
    tmp_path: Path, script: str, word: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    path = kubeconfig(tmp_path, "http://127.0.0.1:1", plugin(tmp_path, script))
    with caplog.at_level(logging.DEBUG), pytest.raises(Unauthorized, match=word) as caught:
        await KubeClient.connect(kubeconfig=path)
    assert "get-token" in str(caught.value)
    written = capfd.readouterr()
    assert "s3cret" not in str(caught.value) + caplog.text + written.out + written.err


async def test_a_plugin_that_hangs_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "PLUGIN_SECONDS", 0.2)
    path = kubeconfig(tmp_path, "http://127.0.0.1:1", plugin(tmp_path, "exec sleep 60"))
    with pytest.raises(Unauthorized, match="get-token"):
        await KubeClient.connect(kubeconfig=path)


async def test_a_missing_plugin_is_named(tmp_path: Path) -> None:
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "/nowhere/aws"}}
    with pytest.raises(Unauthorized, match="aws is not installed"):
        await KubeClient.connect(kubeconfig=kubeconfig(tmp_path, "http://127.0.0.1:1", user))


async def test_a_plugin_gets_neither_the_terminal_nor_is_it_asked_for_every_request(tmp_path: Path) -> None:
    ticks = tmp_path / "ticks"
    script = f"[ -t 0 ] && exit 9; echo x >> {ticks}; echo '{credential('good')}'"
    async with serving(fine) as url:
        client = await KubeClient.connect(kubeconfig=kubeconfig(tmp_path, url, plugin(tmp_path, script)))
        for _ in range(5):
            assert json.loads(await client.get(NAMESPACE))["token"] == "Bearer good"
        await client.aclose()
    assert ticks.read_text().count("x") == 1


async def test_a_refused_token_is_renewed_once_and_the_request_sent_again(tmp_path: Path) -> None:
    count = tmp_path / "count"
    script = f"echo x >> {count}; n=$(wc -l < {count}); echo '{credential('TOKEN')}' | sed s/TOKEN/token-$(echo $n)/"

    async def picky(request: web.Request) -> web.StreamResponse:
        good = request.headers["Authorization"] == "Bearer token-2"
        return await fine(request) if good else status(401, "Unauthorized", "Unauthorized")

    async with serving(picky) as url:
        client = await KubeClient.connect(kubeconfig=kubeconfig(tmp_path, url, plugin(tmp_path, script)))
        answer = json.loads(await client.patch(NAMESPACE, [{"op": "test", "path": "/x", "value": 1}]))
        await client.aclose()
    assert answer["token"] == "Bearer token-2"


@pytest.mark.parametrize(
    ("code", "reason", "message", "expected"),
    [
        (401, "Unauthorized", "Unauthorized", Unauthorized),
        (403, "Forbidden", 'deployments.apps "x" is forbidden: cannot patch resource in namespace "payments"', Forbidden),
        (404, "NotFound", 'deployments.apps "x" not found', NotFound),
        (409, "Conflict", "the object has been modified", Conflict),
        (410, "Expired", "too old", Gone),
        (422, "Invalid", "the server rejected our request due to an error in our request", Conflict),
        (422, "Invalid", "testing value /metadata/uid failed: test failed", Conflict),
        (422, "Invalid", 'Deployment.apps "x" is invalid: spec.replicas: Invalid value: -1', Rejected),
        (429, "TooManyRequests", "slow down", Throttled),
        (500, "InternalError", "boom", Rejected),
    ],
)
async def test_each_refusal_has_its_error(
    tmp_path: Path, code: int, reason: str, message: str, expected: type[CockpitError]
) -> None:
    async def refuse(request: web.Request) -> web.StreamResponse:
        return status(code, reason, message, {"Retry-After": "7"} if code == 429 else None)

    async with connected(tmp_path, refuse) as client:
        with pytest.raises(expected) as caught:
            await client.patch(NAMESPACE, [])
    assert type(caught.value) is expected
    if code not in (401, 403):
        assert isinstance(caught.value, Rejected)
        assert (caught.value.status, caught.value.reason) == (code, reason)
    if code == 403:
        assert "cannot patch" in str(caught.value)
        assert "payments" in str(caught.value)
    if isinstance(caught.value, Throttled):
        assert caught.value.retry_after == 7


async def test_a_busy_server_that_says_when_to_come_back_is_throttling(tmp_path: Path) -> None:
    async def refuse(request: web.Request) -> web.StreamResponse:
        return status(503, "ServiceUnavailable", "apiserver is shutting down", {"Retry-After": "3"})

    async with connected(tmp_path, refuse) as client:
        with pytest.raises(Throttled) as caught:
            await client.get("/readyz")
    assert caught.value.retry_after == 3


async def test_writes_say_what_they_are(tmp_path: Path) -> None:
    seen: list[tuple[str, str, object, str]] = []

    async def note(request: web.Request) -> web.StreamResponse:
        seen.append((request.method, request.content_type, await request.json(), request.query_string))
        return web.json_response({})

    async with connected(tmp_path, note) as client:
        await client.patch("/a", [{"op": "remove", "path": "/x"}], params={"dryRun": "All"})
        await client.patch("/a", {"x": None}, "application/merge-patch+json")
        await client.post("/b", {"kind": "Lease"})
    assert seen == [
        ("PATCH", "application/json-patch+json", [{"op": "remove", "path": "/x"}], "dryRun=All"),
        ("PATCH", "application/merge-patch+json", {"x": None}, ""),
        ("POST", "application/json", {"kind": "Lease"}, ""),
    ]


async def test_a_write_does_not_wait_for_reads_and_finds_its_connection_open(tmp_path: Path) -> None:
    ports: dict[str, set[int]] = {}
    warmed, held = asyncio.Event(), asyncio.Event()
    greeted = 0

    async def note(request: web.Request) -> web.StreamResponse:
        nonlocal greeted
        assert request.transport
        ports.setdefault(request.path, set()).add(request.transport.get_extra_info("peername")[1])
        if request.path == "/slow":
            held.set()
            await asyncio.sleep(30)
        if request.path == "/version":
            greeted += 1
        if greeted == WARM:
            warmed.set()
        return web.json_response({})

    async with connected(tmp_path, note) as client:
        reads = [asyncio.create_task(client.get("/slow")) for _ in range(30)]
        client.keep_warm()
        await asyncio.wait_for(asyncio.gather(warmed.wait(), held.wait()), 5)
        await asyncio.wait_for(client.patch("/write", []), 5)
        for read in reads:
            read.cancel()
        await asyncio.gather(*reads, return_exceptions=True)
    assert len(ports["/version"]) == WARM
    assert ports["/write"] < ports["/version"]
    assert not ports["/write"] & ports["/slow"]


async def test_a_black_hole_is_unreachable_in_bounded_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def swallow(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(30)
        return web.json_response({})

    monkeypatch.setattr(kube, "READ_SECONDS", 0.2)
    async with connected(tmp_path, swallow) as client:
        with pytest.raises(Unreachable, match="no answer in time"):
            await client.get("/version")


async def test_a_trickle_is_unreachable_in_bounded_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def trickle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(1000):
            await response.write(b" ")
            await asyncio.sleep(0.02)
        return response

    monkeypatch.setattr(kube, "REQUEST_SECONDS", 0.3)
    async with connected(tmp_path, trickle) as client:
        with pytest.raises(Unreachable, match="no answer in time"):
            await client.get("/version")


async def test_a_refused_connection_and_an_unknown_name_are_said_in_plain_words(tmp_path: Path) -> None:
    for server, words in (("http://127.0.0.1:1", "connection refused"), ("http://nowhere.invalid:1", "cannot be resolved")):
        client = await KubeClient.connect(kubeconfig=kubeconfig(tmp_path, server))
        with pytest.raises(Unreachable, match=words) as caught:
            await client.get("/version")
        await client.aclose()
        assert server in str(caught.value)


def authority(folder: Path, name: str) -> tuple[ssl.SSLContext, str]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    (folder / "server.pem").write_bytes(
        pem + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context, base64.b64encode(pem).decode()


async def test_tls_verifies_the_server_by_the_name_that_the_kubeconfig_gives(tmp_path: Path) -> None:
    context, trusted = authority(tmp_path, "api.example.com")
    async with serving(fine, context) as url:
        path = kubeconfig(tmp_path, url, cluster={"certificate-authority-data": trusted, "tls-server-name": "api.example.com"})
        client = await KubeClient.connect(kubeconfig=path)
        assert await client.get("/version")
        await client.aclose()
        for cluster in ({"certificate-authority-data": trusted}, {}):
            client = await KubeClient.connect(kubeconfig=kubeconfig(tmp_path, url, cluster=cluster))
            with pytest.raises(Unreachable, match="certificate is not trusted"):
                await client.get("/version")
            await client.aclose()


async def test_a_handshake_that_is_cancelled_leaves_no_socket_open(tmp_path: Path) -> None:
    greeted, hung_up = asyncio.Event(), asyncio.Event()

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        greeted.set()
        while await reader.read(4096):
            pass
        hung_up.set()
        writer.close()

    async with await asyncio.start_server(mute, "127.0.0.1", 0) as server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        client = await KubeClient.connect(kubeconfig=kubeconfig(tmp_path, url))
        asking = asyncio.create_task(client.get("/version"))
        await asyncio.wait_for(greeted.wait(), 5)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await asyncio.wait_for(hung_up.wait(), 5)
        await client.aclose()
