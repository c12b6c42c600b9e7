"""Reading what a server answered to a preflight."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from cockpit.connections.kube import KubeClient
from cockpit.errors import Unreachable
from cockpit.text import clean

T = TypeVar("T")


def decoded(raw: bytes, kind: type[T], kube: KubeClient) -> T:
    """An answer's body. Unreachable when it is something else, as a proxy's page is."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        words = f"its answer cannot be read ({clean(str(error), 200)}): is a proxy in between?"
        raise Unreachable(f"API server {kube.server}: {words}") from error
