"""A command in a container, through the exec subresource over a websocket. Imports aiohttp: load it when it is first needed.

Source: Kubernetes' `remotecommand` sub-protocols v4 and v5: the first byte of each message is its channel.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ssl import SSLContext

import aiohttp
import msgspec

from cockpit.connections.failures import cause
from cockpit.connections.ran import Ran
from cockpit.errors import CockpitError, NotFound, Rejected, Unauthorized, Unreachable
from cockpit.redact import told
from cockpit.text import clean

SECONDS = 10.0
"""Wall seconds for the whole of it."""
BYTES = 4096
"""What is kept of stdout and of stderr; no message may be larger than 16 times that."""
PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
_STDOUT, _STDERR, _ERROR = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Door:
    """How a server is reached, and who asks."""

    server: str
    headers: Mapping[str, str]
    tls: SSLContext | None = None
    proxy: str | None = None


class _Cause(msgspec.Struct):
    reason: str | None = ""
    message: str | None = ""


class _Details(msgspec.Struct):
    causes: list[_Cause] | None = None


class _Status(msgspec.Struct):
    status: str | None = ""
    reason: str | None = ""
    message: str | None = ""
    details: _Details | None = None


async def execute(door: Door, path: str, container: str, command: Sequence[str]) -> Ran:
    """Run `command` in a container, without input. Unauthorized, NotFound, Rejected, Unreachable."""
    asked = [*(("command", word) for word in command), ("container", container), ("stdout", "true"), ("stderr", "true")]
    what = f"API server {door.server}"
    try:
        async with asyncio.timeout(SECONDS), aiohttp.ClientSession(headers=door.headers, trace_configs=[_staying()]) as session:
            tls, proxy, most = door.tls if door.tls is not None else True, door.proxy, 16 * BYTES
            upgrade = session.ws_connect(
                door.server + path, params=asked, protocols=PROTOCOLS, ssl=tls, proxy=proxy, max_msg_size=most
            )
            async with upgrade as socket:
                return await _read(socket)
    except aiohttp.WSServerHandshakeError as error:
        raise _refusal(error.status, path) from None
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise Unreachable(f"{what}: {cause(error)}") from None


def _staying() -> aiohttp.TraceConfig:
    """No redirect is followed: the credentials in the headers, and the certificate, are for this server alone."""
    found = aiohttp.TraceConfig()
    found.on_request_redirect.append(_refuse_redirect)
    return found


async def _refuse_redirect(session: aiohttp.ClientSession, _: object, asked: aiohttp.TraceRequestRedirectParams) -> None:  # noqa: ARG001 (aiohttp's shape)
    status = asked.response.status
    asked.response.close()
    raise Rejected(f"exec in {clean(asked.url.path, 200)} is redirected (HTTP {status}): it is not followed", status=status)


async def _read(socket: aiohttp.ClientWebSocketResponse) -> Ran:
    kept = bytearray()
    async for message in socket:
        if message.type is not aiohttp.WSMsgType.BINARY or not message.data:
            continue
        channel, data = message.data[0], message.data[1:]
        if channel == _STDOUT:
            kept += data[: max(0, BYTES - len(kept))]
        elif channel == _ERROR:
            return _ended(bytes(kept), data)
    return Ran(bytes(kept), None, "the connection ended before the command did")


def _ended(stdout: bytes, said: bytes) -> Ran:
    try:
        status = msgspec.json.decode(said, type=_Status)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Ran(stdout, None, "its end cannot be read")
    if status.status == "Success":
        return Ran(stdout)
    codes = [c.message for c in (status.details.causes if status.details else None) or () if c.reason == "ExitCode"]
    code = int(codes[0]) if codes and codes[0] and codes[0].isdigit() else None
    return Ran(stdout, code, told(status.message or status.reason or "it failed", 200))


def _refusal(status: int, path: str) -> CockpitError:
    what = clean(path, 200)
    if status in (401, 403):
        return Unauthorized(f"not allowed: exec in {what} (HTTP {status}): it needs get and create on pods/exec")
    if status == 404:
        return NotFound(f"there is no {what}", status=status)
    return Rejected(f"exec in {what} is refused (HTTP {status})", status=status)
