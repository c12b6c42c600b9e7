"""Image registries that are reached elsewhere than by their name."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from cockpit.playbook.view import Finding, View

_HUB = ("index.docker.io", "registry-1.docker.io")


def registries(root: View) -> Iterator[Finding]:
    """Checks of `registries`: an endpoint is a server, not a page of it, and Docker Hub goes by one name."""
    for name, registry in root.get("registries").entries:
        if name in _HUB:
            yield registry.wrong(f"images of Docker Hub are not looked up under {name}", "write docker.io")
        endpoint = registry.get("endpoint")
        parts = _parts(endpoint.text or "")
        if parts is not None and (parts.path not in ("", "/") or parts.query or parts.fragment):
            right = f"write {parts.scheme}://{parts.netloc}"
            yield endpoint.wrong("a registry answers at the root of a server, below /v2/", right)


def _parts(url: str) -> SplitResult | None:
    try:
        return urlsplit(url) if url else None
    except ValueError:
        return None
