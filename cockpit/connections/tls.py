"""TLS towards an API server."""

from __future__ import annotations

import ssl
from typing import Any


class NamedHost(ssl.SSLContext):
    """A context that verifies the server as `name` (tls-server-name) whatever address was dialled, also through a proxy."""

    name: str | None = None

    def wrap_bio(
        self, incoming: Any, outgoing: Any, server_side: bool = False, server_hostname: Any = None, session: Any = None
    ) -> Any:
        """As the base class, with the name exchanged."""
        return super().wrap_bio(incoming, outgoing, server_side, self.name or server_hostname, session)


def context_for(name: str | None) -> ssl.SSLContext:
    """A context for a client; with `name` the certificate must be for that, whatever address is dialled."""
    if name is None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # anyio gives any other class a thread for each handshake
    else:
        context = NamedHost(ssl.PROTOCOL_TLS_CLIENT)
        context.name = name
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
