"""A package index over a real socket: PEP 691 by default, PEP 503 on request, and misbehaving."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from tests.contract.small_api import serving

JSON = "application/vnd.pypi.simple.v1+json"


def sha256(filename: str) -> str:
    """The digest that the index tells for a file."""
    return hashlib.sha256(filename.encode()).hexdigest()


@dataclass
class Index:
    """Files by package. `answer` may give another answer than the list."""

    files: dict[str, list[str]] = field(default_factory=dict)
    yanked: frozenset[str] = frozenset()
    html: bool = False
    url: str = ""
    asked: list[str] = field(default_factory=list)
    answer: Callable[[web.Request], web.StreamResponse | None] = lambda _: None

    async def project(self, request: web.Request) -> web.StreamResponse:
        """The list of a package's files."""
        name = request.path.strip("/").removeprefix("simple/")
        self.asked.append(name)
        if (given := self.answer(request)) is not None:
            return given
        if name not in self.files:
            return web.Response(status=404)
        return self._page(self.files[name]) if self.html else self._json(name)

    def _json(self, name: str) -> web.Response:
        files = [
            {"filename": one, "url": f"/files/{one}", "hashes": {"sha256": sha256(one)}, "yanked": one in self.yanked}
            for one in self.files[name]
        ]
        body = {"meta": {"api-version": "1.0"}, "name": name, "files": files}
        return web.json_response(body, content_type=JSON)

    def _page(self, names: list[str]) -> web.Response:
        links = "".join(f'<a href="/files/{one}#sha256={sha256(one)}">{one}</a><br>' for one in names)
        return web.Response(text=f"<!DOCTYPE html><html><body>{links}</body></html>", content_type="text/html")


@asynccontextmanager
async def served(index: Index) -> AsyncIterator[Index]:
    """The index, listening."""
    async with serving(index.project) as url:
        index.url = f"{url}/simple"
        yield index
