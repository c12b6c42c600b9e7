"""The API server on a loopback port."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from cockpit.rehearsal.kube.tls import Certificates, make_certificates


@dataclass(frozen=True, slots=True)
class Serving:
    """A running server: its URL, the authority to trust (PEM) and how to stop it."""

    url: str
    authority: bytes
    runner: web.AppRunner

    async def stop(self) -> None:
        """End all watches and close the port."""
        await self.runner.cleanup()


async def serve(app: web.Application, folder: Path, port: int = 0, certificates: Certificates | None = None) -> Serving:
    """Serve over TLS on 127.0.0.1 (port 0: a free one); `folder` is private scratch space for the key."""
    made = certificates or make_certificates()
    runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, ssl_context=made.context(folder))
    await site.start()
    chosen = runner.addresses[0][1]
    return Serving(f"https://127.0.0.1:{chosen}", made.authority, runner)
