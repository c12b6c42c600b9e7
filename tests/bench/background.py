"""An asyncio server on a thread of its own, for measurements that themselves block."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
_PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class Background:
    """Its loopback port, and the loop that it runs on."""

    port: int
    loop: asyncio.AbstractEventLoop


@contextmanager
def background(serve: Serve, tls: ssl.SSLContext | None = None) -> Iterator[Background]:
    """Serve connections until left; then every one of them is cut."""
    loop = asyncio.new_event_loop()

    async def until_left(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(asyncio.CancelledError, ConnectionError):  # nobody is left to be told
                await serve(reader, writer)
        finally:
            writer.close()

    thread = threading.Thread(target=loop.run_forever, name="bench-server", daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(asyncio.start_server(until_left, "127.0.0.1", 0, ssl=tls), loop).result()
    try:
        yield Background(int(server.sockets[0].getsockname()[1]), loop)
    finally:
        with suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(_end(server), loop).result(_PATIENCE)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_PATIENCE)
        if not thread.is_alive():
            loop.close()


async def both(*ways: Awaitable[None], writers: tuple[asyncio.StreamWriter, ...]) -> None:
    """Run both directions of a connection until one of them ends, then end it all."""
    tasks = [asyncio.ensure_future(way) for way in ways]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in writers:
            writer.close()


async def _end(server: asyncio.Server) -> None:
    server.close()
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.sleep(_LAST)  # what was closed is let go of by the loop, over TLS after a word or two


_LAST = 0.05
