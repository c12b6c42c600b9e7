"""List and watch over real sockets, against a server that fails in every way a server fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from aiohttp import web

from cockpit.connections import kube
from cockpit.connections.kube import KubeClient
from cockpit.sources.base import Kind, Observation
from cockpit.sources.cluster import nodes_source
from cockpit.sources.watched import WatchedSource
from tests.contract.small_api import Handler, bookmark, collect, connected, fast_clock, line, listing, node, status, stream


def source_of(client: KubeClient) -> WatchedSource:
    return nodes_source(client, fast_clock(), Random(1))


def seen(kind: Kind, key: object = None, times: int = 1) -> Callable[[list[Observation]], bool]:
    def enough(told: list[Observation]) -> bool:
        return sum(1 for o in told if o.kind is kind and key in (None, o.key)) >= times

    return enough


class Script:
    """Answers lists and watches in turn; the last watch stays silent. Remembers what was asked."""

    def __init__(self, lists: list[Handler], watches: list[Handler]) -> None:
        self.lists = lists
        self.watches = watches
        self.listed: list[dict[str, str]] = []
        self.watched: list[dict[str, str]] = []

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/version":
            return web.json_response({"gitVersion": "v1.26.9"})
        asked, turns = (self.watched, self.watches) if request.query.get("watch") else (self.listed, self.lists)
        asked.append(dict(request.query))
        turn = turns[min(len(asked), len(turns)) - 1]
        return await turn(request)


def says(answer: Callable[[], web.Response]) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        return answer()

    return handle


def flows(*chunks: bytes, hold: bool = False, cut: bool = False) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await stream(request, *chunks, hold=hold, cut=cut)

    return handle


def one_list() -> Handler:
    return says(lambda: listing([node("n1")], "10"))


async def test_pages_are_listed_then_changes_watched_from_the_version_of_the_list(tmp_path: Path) -> None:
    script = Script(
        [says(lambda: listing([node("n1")], "10", "token-2")), says(lambda: listing([node("n2")], "10"))],
        [flows(line("ADDED", node("n3", version="11")), line("DELETED", node("n1", version="12")), bookmark("40"), hold=True)],
    )
    async with connected(tmp_path, script) as client:
        told = await collect(source_of(client), seen(Kind.HEARD))
    assert [(o.kind, o.key) for o in told] == [
        (Kind.UPSERT, "n1"),
        (Kind.UPSERT, "n2"),
        (Kind.LISTED, None),
        (Kind.UPSERT, "n3"),
        (Kind.DELETE, "n1"),
        (Kind.HEARD, None),
    ]
    assert told[2].keys == {"n1", "n2"}
    assert script.listed[1]["continue"] == "token-2"
    assert script.watched[0]["resourceVersion"] == "10"
    assert script.watched[0]["allowWatchBookmarks"] == "true"
    assert int(script.watched[0]["timeoutSeconds"]) > 0


async def test_a_clean_end_resumes_from_the_newest_version_without_listing(tmp_path: Path) -> None:
    script = Script([one_list()], [flows(bookmark("77")), flows(line("MODIFIED", node("n1", version="78")), hold=True)])
    async with connected(tmp_path, script) as client:
        told = await collect(source_of(client), seen(Kind.UPSERT, "n1", 2))
    assert script.watched[1]["resourceVersion"] == "77"
    assert len(script.listed) == 1
    assert Kind.FAULT not in {o.kind for o in told}


@pytest.mark.parametrize("where", ["status", "stream"])
async def test_an_expired_version_is_listed_again_and_never_resumed_from(tmp_path: Path, where: str) -> None:
    gone = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version: 10 (99)"}
    first = says(lambda: status(410, "Expired", "too old")) if where == "status" else flows(line("ERROR", gone), hold=True)
    script = Script([one_list(), says(lambda: listing([node("n2")], "100"))], [first, flows(bookmark("101"), hold=True)])
    async with connected(tmp_path, script) as client:
        told = await collect(source_of(client), seen(Kind.HEARD))
    assert [w["resourceVersion"] for w in script.watched] == ["10", "100"]
    assert [o.keys for o in told if o.kind is Kind.LISTED] == [{"n1"}, {"n2"}]


async def test_a_list_that_expires_half_way_starts_again(tmp_path: Path) -> None:
    script = Script(
        [says(lambda: listing([node("n1")], "10", "t")), says(lambda: status(410, "Expired", "continue expired")), one_list()],
        [flows(hold=True)],
    )
    async with connected(tmp_path, script) as client:
        told = await collect(source_of(client), seen(Kind.LISTED))
    assert told[-1].keys == {"n1"}
    assert "continue" not in script.listed[2]


@pytest.mark.parametrize(
    "broken",
    [
        flows(line("ADDED", node("n3"))[:25], cut=True),
        flows(line("ADDED", node("n3"))[:25]),
        flows(b"<html>a proxy's error page</html>\n"),
        flows(line("ADDED", {"metadata": "no object"})),
        flows(line("ERROR", {"kind": "Status", "code": 500, "message": "etcd leader changed"})),
        says(lambda: status(500, "InternalError", "boom")),
        says(lambda: status(429, "TooManyRequests", "slow down", {"Retry-After": "1"})),
        says(lambda: status(403, "Forbidden", 'nodes is forbidden: User "x" cannot watch resource "nodes"')),
    ],
    ids=["reset-mid-line", "half-line", "html", "garbage-object", "error-event", "500", "429", "403"],
)
async def test_a_fault_of_the_watch_is_told_and_then_recovered_from(tmp_path: Path, broken: Handler) -> None:
    script = Script([one_list()], [broken, flows(bookmark("12"), line("ADDED", node("late", version="13")), hold=True)])
    async with connected(tmp_path, script) as client:
        told = await collect(source_of(client), seen(Kind.UPSERT, "late"))
    fault = next(o for o in told if o.kind is Kind.FAULT)
    assert fault.why
    assert told.index(fault) < len(told) - 1


@pytest.mark.parametrize(
    ("broken", "word"),
    [
        (says(lambda: web.Response(text="<html>")), "answer"),
        (says(lambda: web.json_response({"metadata": {"resourceVersion": "1"}, "items": [{"metadata": 3}]})), "answer"),
        (says(lambda: status(401, "Unauthorized", "Unauthorized")), "credentials"),
        (says(lambda: status(503, "ServiceUnavailable", "starting")), "starting"),
        (flows(b'{"metadata":', cut=True), "broke off"),
    ],
    ids=["html", "garbage", "401", "503", "reset"],
)
async def test_a_fault_of_the_list_is_told_and_then_recovered_from(tmp_path: Path, broken: Handler, word: str) -> None:
    script = Script([broken, one_list()], [flows(hold=True)])
    async with connected(tmp_path, script) as client:
        # A 401 is asked again with renewed credentials first.
        script.lists = [broken, broken, one_list()] if word == "credentials" else script.lists
        told = await collect(source_of(client), seen(Kind.LISTED))
    assert word in next(o.why for o in told if o.kind is Kind.FAULT)
    assert told[-1].keys == {"n1"}


async def test_a_black_hole_is_a_fault_after_the_socket_time_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kube, "WATCH_READ_SECONDS", 0.2)
    script = Script([one_list()], [flows(hold=True), flows(bookmark("12"), hold=True)])
    async with connected(tmp_path, script) as client:
        told = await collect(source_of(client), seen(Kind.HEARD))
    assert [o.kind for o in told] == [Kind.UPSERT, Kind.LISTED, Kind.FAULT, Kind.HEARD]
    assert "no answer in time" in told[2].why
    assert client.server in told[2].why


async def test_a_server_that_is_not_there_is_named_in_the_fault(tmp_path: Path) -> None:
    async with connected(tmp_path, Script([one_list()], [flows(hold=True)])) as client:
        inner = client._reader._client
        inner.base_url = inner.base_url.copy_with(port=1)
        told = await collect(source_of(client), seen(Kind.FAULT, times=3))
    assert {o.kind for o in told} == {Kind.FAULT}
    assert "connection refused" in told[0].why


async def test_hostile_text_never_reaches_the_model(tmp_path: Path) -> None:
    evil = node("n\x1b]52;c;ZXZpbA==\x07")
    evil["metadata"]["labels"] = {"kubernetes.io/arch": "arm64\u202e", "x": "\x9b31m"}
    evil["spec"] = {"taints": [{"key": "k\x1b[2J", "effect": "NoSchedule", "value": "\u2066v"}]}
    async with connected(tmp_path, Script([says(lambda: listing([evil]))], [flows(hold=True)])) as client:
        told = await collect(source_of(client), seen(Kind.LISTED))
    text = repr(told[0].value) + str(told[0].key)
    assert not {"\x1b", "\x9b", "\x07", "\u202e", "\u2066"} & set(text)
    assert "␛]52;c;ZXZpbA==" in text


async def test_a_hostile_error_message_is_cleaned(tmp_path: Path) -> None:
    script = Script([says(lambda: status(500, "\x1bx", "boom\x1b]52;c;ZXZpbA==\x07"))], [])
    async with connected(tmp_path, script) as client:
        told = await collect(source_of(client), seen(Kind.FAULT))
    assert "boom␛]52" in told[0].why
    assert "\x1b" not in told[0].why


async def test_cancelling_closes_the_connection(tmp_path: Path) -> None:
    watching, closed = asyncio.Event(), asyncio.Event()

    async def handle(request: web.Request) -> web.StreamResponse:
        if request.path == "/version":
            return web.json_response({"gitVersion": "v1.26.9"})
        if not request.query.get("watch"):
            return listing([])
        watching.set()
        try:
            return await stream(request, hold=True)
        finally:
            closed.set()

    async with connected(tmp_path, handle) as client:
        task = asyncio.create_task(collect(source_of(client), seen(Kind.DELETE)))
        await asyncio.wait_for(watching.wait(), 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(closed.wait(), 5)
