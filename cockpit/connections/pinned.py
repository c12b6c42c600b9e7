"""One cluster for a whole run: a write leaves only on a connection whose other end has just said that it is that cluster.

An address is no identity: a tunnel, a proxy or a name may lead elsewhere from one moment to the next. So a pinned client asks
for the UID of kube-system before each write, and the write itself may open no connection: it goes where the answer came from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cockpit.connections.tidy import Trace
from cockpit.errors import CockpitError, Refused, Throttled, Unreachable
from cockpit.text import clean

KUBE_SYSTEM = "/api/v1/namespaces/kube-system"
TRIES = 3
"""Times that a connection may break between the answer and the write before nothing is sent."""
HURRIED_SECONDS = 1.0
"""How long (wall time) a way back waits to hear where it is."""


class Reconnecting(Exception):
    """A write would have opened a connection of its own. It was not sent."""


class _Metadata(msgspec.Struct):
    uid: str


class _Namespace(msgspec.Struct):
    metadata: _Metadata


def uid_of(raw: bytes, what: str) -> str:
    """The UID in a namespace's body, cleaned. Unreachable when it is something else, as a proxy's page is."""
    try:
        return clean(msgspec.json.decode(raw, type=_Namespace).metadata.uid, 80)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        words = f"its answer cannot be read ({clean(str(error), 200)}): is a proxy in between?"
        raise Unreachable(f"{what}: {words}") from error


def another(what: str, pinned: str, found: str) -> Refused:
    """The error for a cluster that is not the pinned one."""
    return Refused(
        f"{what} leads to another cluster now: its kube-system namespace has UID {found}, this run is for {pinned}; "
        "nothing was sent; look at the tunnel, the proxy or the name that leads there"
    )


def unasked(error: Exception) -> CockpitError:
    """The error for a write that was not sent, as it is not known where it would go. Throttled stays what it is."""
    if isinstance(error, Throttled):
        return error
    return Refused(f"nothing was sent, as it is not known whether this is still the same cluster: {error}")


def sealed(extensions: Mapping[str, Trace]) -> dict[str, Trace]:
    """Extensions for a request of httpx that may not open a connection: it is not sent then, Reconnecting."""

    async def watching(event: str, info: Mapping[str, Any]) -> None:
        if event == "connection.connect_tcp.started":
            raise Reconnecting
        await extensions["trace"](event, info)

    return {"trace": watching}
