"""What may go wrong on the way to the API server: the door through which scenarios reach in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """A request as the authorizer sees it. `resource` is empty for paths such as /version; `verb` is then get, post..."""

    verb: str
    path: str
    user: str
    group: str = ""
    version: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    dry_run: bool = False
    query: Mapping[str, str] = field(default_factory=dict)


class Dropped(Exception):
    """Raised by a fault: the connection is cut without an answer."""


class Faults(Protocol):
    """Asked before each authenticated request is served."""

    async def before(self, request: RequestInfo) -> None:
        """May wait, raise KubeError (becomes the answer) or Dropped."""
        ...


class NoFaults:
    """Nothing goes wrong."""

    async def before(self, request: RequestInfo) -> None:
        """Let the request through."""
