"""A small API server with as many nodes and pods as asked for, which counts what is asked of it and what it sends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.contract.small_api import bookmark, line, listing, node, pod, status, stream

Object = dict[str, Any]
END = {"k8s.io/initial-events-end": "true"}


def initial_end(version: str = "50") -> bytes:
    """The bookmark that ends a watch-list."""
    return line("BOOKMARK", {"kind": "Node", "metadata": {"resourceVersion": version, "annotations": END}})


def refused() -> web.Response:
    """How a server answers that has the feature switched off."""
    return status(422, "Invalid", "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch")


@dataclass
class Api:
    """`version` is the server's; `how` answers a watch-list: None streams it."""

    nodes: int = 3
    pods: int = 0
    version: str = "v1.34.1"
    how: Callable[[], web.Response | bytes] | None = None
    tail: bytes = b""
    """What a watch has to tell after the list."""
    pad: str = ""
    """What nobody reads of a pod."""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    encodings: list[str] = field(default_factory=list)

    @property
    def streams(self) -> list[dict[str, str]]:
        """The watch-lists that were asked for."""
        return [query for _, query in self.asked if "sendInitialEvents" in query]

    @property
    def lists(self) -> list[dict[str, str]]:
        """The pages that were asked for, those of a count left out."""
        return [
            query for path, query in self.asked if not query.get("watch") and path != "/version" and query.get("limit") != "1"
        ]

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        query = dict(request.query)
        self.asked.append((request.path, query))
        if request.path == "/version":
            return web.json_response({"gitVersion": self.version})
        if query.get("watch"):
            return await self._watch(request, query)
        self.encodings.append(request.headers.get("Accept-Encoding", ""))
        return self._page(request.path, query)

    def _objects(self, path: str) -> Iterator[Object]:
        if path.endswith("/nodes"):
            return (node(f"n{number}") for number in range(self.nodes))
        return ({**pod(f"p{number}", node_name=f"n{number % 7}"), "pad": self.pad} for number in range(self.pods))

    def _page(self, path: str, query: dict[str, str]) -> web.Response:
        begin, limit = int(query.get("continue", "0")), int(query["limit"])
        found = list(self._objects(path))
        left = len(found) - begin - limit
        answer = listing(found[begin : begin + limit], "10", str(begin + limit) if left > 0 else "")
        body = json.loads(answer.text or "")
        if left > 0 and not ({"labelSelector", "fieldSelector"} & query.keys()):
            body["metadata"]["remainingItemCount"] = left
        return web.json_response(body)

    async def _watch(self, request: web.Request, query: dict[str, str]) -> web.StreamResponse:
        if "sendInitialEvents" not in query:
            return await stream(request, self.tail, hold=True)
        if self.how is None:
            return await self._streamed(request)
        answer = self.how()
        return answer if isinstance(answer, web.Response) else await stream(request, answer, hold=True)

    async def _streamed(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        lines: list[bytes] = []
        for found in self._objects(request.path):
            lines.append(line("ADDED", found))
            if len(lines) == 100:
                await response.write(b"".join(lines))
                lines.clear()
        await response.write(b"".join([*lines, initial_end()]))
        return await self._rest(response)

    async def _rest(self, response: web.StreamResponse) -> web.StreamResponse:
        if self.tail:
            await response.write(self.tail)
        await response.write(bookmark("60"))
        await asyncio.sleep(60)
        return response
