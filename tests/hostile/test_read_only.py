"""A context that the settings call read-only gets no request that changes anything, whatever is typed."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web

from cockpit import cli
from cockpit.assembly import Connections, Options, connect
from cockpit.errors import Exit, Refused, UsageError
from cockpit.model.share import Rule
from cockpit.playbook import loads
from tests.contract.small_api import kubeconfig, serving
from tests.unit.playbook.base import BASE

Sent = list[str]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], object]:
    """Writes the settings file."""
    path = tmp_path / "settings.yaml"
    monkeypatch.setenv("COCKPIT_CONFIG", str(path))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    return path.write_text


def counting(sent: Sent) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        sent.append(f"{request.method} {request.path}")
        return web.json_response({"metadata": {"name": "x", "uid": "u"}})

    return answer


async def attempts(servers: Connections) -> list[bool]:
    """Whether each way to change something was refused."""
    assert servers.kube
    assert servers.elb
    rule = Rule("arn:aws:elasticloadbalancing:ap-south-1:1:listener/app/pay/1/2", True, (), {})
    tries: tuple[Awaitable[object], ...] = (
        servers.kube.patch("/apis/apps/v1/namespaces/n/deployments/d", []),
        servers.kube.post("/api/v1/namespaces/n/configmaps", {}),
        servers.kube.execute("n", "p", "c", ["true"]),
        servers.elb.modify(rule, []),
        servers.elb.tag(rule.arn, {"a": "b"}),
        servers.elb.untag(rule.arn, ["a"]),
    )
    found = []
    for one in tries:
        try:
            await one
        except Refused as error:
            found.append("read-only" in str(error))
    return found


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("read_only_contexts: [stag*]", Options(context="here")),
        ("", Options(context="here", observe=True)),
    ],
)
async def test_no_request_leaves(tmp_path: Path, settings: Callable[[str], object], text: str, options: Options) -> None:
    settings(text.replace("stag*", "he*"))
    sent: Sent = []
    async with serving(counting(sent)) as url:
        playbook = loads(BASE.replace("    region: ap-south-1\n", f"    region: ap-south-1\n    endpoint_url: {url}\n"), "p.yaml")
        config = kubeconfig(tmp_path, url)
        servers = await connect(playbook, Options(options.context, config, observe=options.observe))
        try:
            assert await attempts(servers) == [True] * 6
        finally:
            await servers.aclose()
    assert sent == []


@pytest.mark.parametrize("text", ["", "read_only_contexts: [prod-*]"])
async def test_other_contexts_may_be_written_to(tmp_path: Path, settings: Callable[[str], object], text: str) -> None:
    settings(text)
    sent: Sent = []
    async with serving(counting(sent)) as url:
        servers = await connect(loads(BASE, "p.yaml"), Options("here", kubeconfig(tmp_path, url)))
        assert not servers.read_only
        assert servers.kube
        await servers.kube.patch("/api/v1/x", [])
        await servers.aclose()
    assert any(one.startswith("PATCH") for one in sent)


async def test_a_context_that_nobody_can_name_may_be_a_read_only_one(tmp_path: Path, settings: Callable[[str], object]) -> None:
    settings(json.dumps({"read_only_contexts": ["prod-*"]}))
    playbook = loads(BASE.replace("  context: staging\n", ""), "p.yaml")
    servers = await connect(playbook, Options(kubeconfig=tmp_path / "none"))
    assert "prod-*" in servers.read_only
    await servers.aclose()


BROKEN = "read_only_contexts: prod-*"


async def test_settings_that_cannot_be_read_keep_everybody_from_writing_but_whoever_goes_home(
    tmp_path: Path, settings: Callable[[str], object]
) -> None:
    settings(BROKEN)
    sent: Sent = []
    async with serving(counting(sent)) as url:
        playbook, config = loads(BASE, "p.yaml"), kubeconfig(tmp_path, url)
        with pytest.raises(UsageError):
            await connect(playbook, Options("here", config))
        servers = await connect(playbook, Options("here", config, going_home=True))
        assert not servers.read_only
        await servers.aclose()


def test_a_rollback_says_that_it_goes_without_the_settings(
    tmp_path: Path, settings: Callable[[str], object], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings(BROKEN)
    path = tmp_path / "p.yaml"
    here = "    region: ap-south-1\n    endpoint_url: http://127.0.0.1:1\n"
    path.write_text(BASE.replace("    region: ap-south-1\n", here))
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path, "http://127.0.0.1:1")))
    monkeypatch.setenv("COCKPIT_HOME", str(tmp_path / "home"))
    assert cli.run(["rollback", str(path), "--context", "here", "--give-up-after", "1"]) == Exit.ENDED
    said = capsys.readouterr()
    assert "going on without the settings" in said.err
    assert "settings.yaml:1:21" in said.err
    assert "rolling back" in said.out
    assert cli.run(["run", str(path), "--context", "here", "--headless"]) == Exit.USAGE
