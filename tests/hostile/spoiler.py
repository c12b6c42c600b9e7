"""Fronts that put a payload into every free text of every answer that passes through them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from html import escape
from typing import Any

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from tests.fuzz.front import HOP, REVIEWS, Front

FREE = frozenset(
    {"message", "manager", "note", "description", "reportingInstance", "by", "operator", "warnings", "gitVersion", "detail"}
)
"""Texts that decide nothing: after a payload in one of them a flight still reaches its end."""
STEERING = frozenset(
    {"reason", "holderIdentity", "acquireTime", "record.json", "intents.json", "originals.json", "holder", "stage"}
)
"""Texts that decide something: who comes upon a payload there must stop, and say so."""
_XML_TEXT = re.compile(r"<(Description|Message|Reason|State)>([^<]*)</\1>")
_XML_TAGS = re.compile(r"<Tags>|<Tags ?/>")
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Spoiler(Front):
    """A front with `payloads`; `steering` also puts one where it decides something, `refuses` answers nothing else."""

    payloads: Iterator[str] = iter(())
    steering = False
    refuses = 0
    """A status with which every answer is refused; 0: none."""
    placed = 0
    """Payloads that were put somewhere, of all fronts of this kind."""

    async def _pass(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self._count(request, body)
        if "upgrade" in request.headers.get("Connection", "").lower():
            return web.Response(status=403, text=self.payload())
        if self.refuses and not request.path.endswith("/kube-system"):
            return self._refusal()
        assert self._session
        headers = {k: v for k, v in request.headers.items() if k.lower() not in (*HOP, "accept-encoding")}
        headers["Accept-Encoding"] = "identity"
        target = URL(self._upstream + request.raw_path, encoded=True)
        async with self._session.request(request.method, target, headers=headers, data=body, allow_redirects=False) as got:
            mine = CIMultiDict({k: v for k, v in got.headers.items() if k.lower() not in HOP})
            answer = web.StreamResponse(status=got.status, headers=mine, reason=_line(self.payload()))
            await answer.prepare(request)
            with suppress(ConnectionResetError):  # whoever asked has gone
                async for chunk in self._chunks(request, got):
                    await answer.write(chunk)
                await answer.write_eof()
            return answer

    async def _chunks(self, request: web.Request, got: aiohttp.ClientResponse) -> Any:
        if request.method == "HEAD" or request.path.endswith(REVIEWS):
            yield await got.read()
        elif "watch" in request.query:
            async for line in got.content:
                yield self._json(line) + b"\n"
        else:
            whole = await got.read()
            yield self._xml(whole) if self.name == "aws" else self._json(whole)

    def _refusal(self) -> web.Response:
        words = self.payload()
        text = json.dumps(
            {"kind": "Status", "status": "error", "errorType": words, "error": words, "reason": words, "message": words}
        )
        if self.name == "aws":
            text = f"<ErrorResponse><Error><Code>Oops</Code><Message>{_plain(words)}</Message></Error></ErrorResponse>"
        elif self.name == "registry":
            text = json.dumps({"errors": [{"code": words, "message": words, "detail": words}]})
        return web.Response(status=self.refuses, reason=_line(words), body=text.encode(errors="surrogatepass"))

    def _json(self, data: bytes) -> bytes:
        try:
            value = json.loads(data)
        except ValueError:
            return data
        return json.dumps(self._spoiled(value, "")).encode()

    def _spoiled(self, value: Any, key: str) -> Any:
        if isinstance(value, dict):
            # What is written back whole, as a Lease is, a server would refuse for its names.
            plain = isinstance(value.get("metadata"), dict) and "holderIdentity" in value.get("spec", {})
            if plain and not self.steering:
                return value
            more = {self.payload(): self.payload()} if key in ("annotations", "labels") else {}
            return {k: self._spoiled(one, k) for k, one in value.items()} | more
        if isinstance(value, list):
            return [self._spoiled(one, key) for one in value]
        wanted = key in FREE or (self.steering and key in STEERING)
        return value + self.payload() if wanted and isinstance(value, str) else value

    def _xml(self, data: bytes) -> bytes:
        text = _XML_TEXT.sub(lambda m: f"<{m[1]}>{m[2]}{self._in(m[1])}</{m[1]}>", data.decode())
        tag = "<member><Key>{0}</Key><Value>{0}</Value></member>"
        return _XML_TAGS.sub(lambda m: m[0] if "/" in m[0] else m[0] + tag.format(_plain(self.payload())), text).encode()

    def _in(self, name: str) -> str:
        return "" if name == "State" and not self.steering else _plain(self.payload())

    def payload(self) -> str:
        """The next one."""
        Spoiler.placed += 1
        return next(Spoiler.payloads)


def _plain(text: str) -> str:
    """As much of a text as an XML document can hold."""
    return escape(_NO_XML.sub("", text))


def _line(text: str) -> str:
    """As much of a text as a status line can hold, for whoever writes one."""
    return re.sub(r"[\x00-\x1f\x7f]", "", text)[:200]
