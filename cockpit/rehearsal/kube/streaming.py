"""Lists that are too long to be held: their bytes are made while they are sent."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterator
from datetime import datetime

from aiohttp import web

from cockpit.rehearsal.kube.errors import KubeError, Obj
from cockpit.rehearsal.kube.history import Held
from cockpit.rehearsal.kube.negotiate import As, Form, encode
from cockpit.rehearsal.kube.resources import Resource
from cockpit.rehearsal.kube.table import columns, partial, table_row

_CHUNK = 256 * 1024
"""Bytes that are made before they are sent, and others get their turn."""


def pieces(kind: Resource, objects: Iterator[Held], form: Form, now: datetime, meta: Obj) -> Iterator[bytes]:
    """A list in this form, piece by piece. KubeError 410 in the middle of it when its version is forgotten meanwhile."""
    listed = "items"
    head: Obj = {"kind": f"{kind.kind}List", "apiVersion": kind.api_version, "metadata": meta}
    if form.kind is not As.PLAIN:
        head |= {
            "kind": (As.TABLE if form.kind is As.TABLE else As.PARTIAL_LIST).value,
            "apiVersion": f"meta.k8s.io/{form.version}",
        }
    if form.kind is As.TABLE:
        listed, head = "rows", head | {"columnDefinitions": columns(kind.name)}
    yield encode(head)[:-1] + b',"' + listed.encode() + b'":['
    between = b""
    for held in objects:
        yield between + _item(kind, held, form, now)
        between = b","
    yield b"]}"


def _item(kind: Resource, held: Held, form: Form, now: datetime) -> bytes:
    if form.kind is As.PLAIN:
        return held.body
    quick = held.quick(now) if form.include != "Object" else None
    if quick is None:
        table = form.kind is As.TABLE
        shown = table_row(kind.name, held.obj, now, version=form.version, include=form.include) if table else None
        return encode(shown or partial(held.obj, form.version))
    head = b'{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/%b","metadata":' % form.version.encode()
    if form.kind is not As.TABLE:
        return head + quick.metadata + b"}"
    about = b"null" if form.include == "None" else head + quick.metadata + b"}"
    return b'{"cells":' + encode(quick.cells) + b',"object":' + about + b"}"


async def stream(request: web.Request, body: Iterator[bytes]) -> web.StreamResponse:
    """Send a body in chunks, gzipped when the client takes that; cut the connection where it cannot go on."""
    packer = zlib.compressobj(1, wbits=31) if "gzip" in request.headers.get("Accept-Encoding", "") else None
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Cache-Control": "no-cache, private"})
    if packer is not None:
        response.headers.update({"Content-Encoding": "gzip", "Vary": "Accept-Encoding"})
    await response.prepare(request)
    try:
        for chunk in _chunks(body):
            packed = await asyncio.to_thread(packer.compress, chunk) if packer is not None else chunk
            if packed:
                await response.write(packed)
            await asyncio.sleep(0)
        if packer is not None:
            await response.write(packer.flush())
        await response.write_eof()
    except ConnectionError:
        pass  # the client went away
    except KubeError:
        if request.transport is not None:
            request.transport.abort()
    return response


def _chunks(body: Iterator[bytes]) -> Iterator[bytes]:
    parts: list[bytes] = []
    size = 0
    for piece in body:
        parts.append(piece)
        size += len(piece)
        if size >= _CHUNK:
            yield b"".join(parts) + b"\n"
            parts, size = [], 0
    yield b"".join(parts) + b"\n"
