"""Is this the right cluster and account? Asked of servers that refuse, sit behind a proxy or answer with tricks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from cockpit.assembly import Connections
from cockpit.connections.aws import Elb
from cockpit.connections.kube import KubeClient
from cockpit.errors import CockpitError, Forbidden, Refused, Unreachable
from cockpit.playbook import loads
from cockpit.preflight import doubts, preflight
from tests.contract.small_api import Handler, connected, kubeconfig, serving, status
from tests.unit.playbook.base import BASE

UID = "6f0c2f7e-3b0a-4d53-9b1c-5c8f6f6f2a10"
PLAYBOOK = loads(BASE.replace("  context: staging\n", f"  context: staging\n  cluster_uid: {UID}\n"), "p.yaml")


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, "testing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def says(text: str, kind: str = "application/json") -> Handler:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(text=text, content_type=kind)

    return answer


async def forbidden(_: web.Request) -> web.StreamResponse:
    return status(403, "Forbidden", 'namespaces "kube-system" is forbidden')


def uid(text: str) -> str:
    return f'{{"metadata": {{"uid": "{text}"}}}}'


def caller(account: str) -> str:
    return f"<R><GetCallerIdentityResult><Account>{account}</Account></GetCallerIdentityResult></R>"


@asynccontextmanager
async def balancer(handler: Handler) -> AsyncIterator[Elb]:
    assert PLAYBOOK.alb
    async with serving(handler) as url:
        elb = await Elb.connect(replace(PLAYBOOK.alb, endpoint_url=url))
        try:
            yield elb
        finally:
            elb.close()


async def found(folder: Path, kube: Handler, aws: Handler) -> dict[str, CockpitError]:
    async with connected(folder, kube) as client, balancer(aws) as elb:
        return dict(await doubts(PLAYBOOK, client, elb))


async def test_the_right_cluster_and_account_leave_no_doubt(tmp_path: Path) -> None:
    assert await found(tmp_path, says(uid(UID)), says(caller("111122223333"), "text/xml")) == {}


async def test_two_servers_that_cannot_be_asked_are_two_doubts_and_no_refusal(tmp_path: Path) -> None:
    doubtful = await found(tmp_path, forbidden, says("<html>log in</html>", "text/html"))
    assert {lever: type(error) for lever, error in doubtful.items()} == {"affinity": Forbidden, "weights": Unreachable}


async def test_another_cluster_is_refused_alone_and_its_words_are_cleaned(tmp_path: Path) -> None:
    evil = uid("x\\u001b]52;c;ZXZpbA==\\u0007\\u202e")
    doubtful = await found(tmp_path, says(evil), says(caller("999988887777"), "text/xml"))
    assert {lever: type(error) for lever, error in doubtful.items()} == {"affinity": Refused, "weights": Refused}
    assert "has UID x␛]52;c;ZXZpbA==␇\\u202e," in str(doubtful["affinity"])


@pytest.mark.parametrize(
    "body", ["<html>log in</html>", "", "[]", "{}", '{"metadata": null}', '{"metadata": {"uid": 5}}', "[" * 5000, "\udcff"]
)
async def test_what_is_no_answer_is_unreachable_and_says_so_in_the_preflight_too(tmp_path: Path, body: str) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body.encode(errors="surrogateescape"), content_type="application/json")

    async with connected(tmp_path, answer) as client:
        doubtful = await doubts(PLAYBOOK, client, None)
        assert isinstance(doubtful["affinity"], Unreachable)
        assert client.server in str(doubtful["affinity"])
        with pytest.raises(CockpitError, match="is a proxy in between"):
            await preflight(PLAYBOOK, client, None)


async def test_an_answer_without_an_account_is_no_other_account(tmp_path: Path) -> None:
    doubtful = await found(tmp_path, says(uid(UID)), says("<R><GetCallerIdentityResult/></R>", "text/xml"))
    assert {lever: type(error) for lever, error in doubtful.items()} == {"weights": Unreachable}


async def test_a_dropped_connection_is_closed_and_named_as_missing(tmp_path: Path) -> None:
    async with serving(says(uid(UID))) as url, balancer(says("")) as elb:
        servers = Connections(await KubeClient.connect(kubeconfig=kubeconfig(tmp_path, url)), elb)
        kube = servers.kube
        assert kube
        await servers.drop("affinity", Refused("another cluster"))
        assert servers.kube is None
        assert servers.elb is elb
        assert str(servers.failures["affinity"]) == "another cluster"
        with pytest.raises(RuntimeError, match="closed"):
            await kube.get("/version")
