"""Lists as an API server sends them: pages of compact JSON, the metadata before the items."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from tests.bench.nodes import nodes
from tests.bench.parts import Object
from tests.bench.pods import pods

PAGE = 500
"""Objects in a page: what the cockpit's sources ask for."""
BUILDERS: dict[str, Callable[[int], Iterator[Object]]] = {"pods": pods, "nodes": nodes}
KINDS = {"pods": "PodList", "nodes": "NodeList"}


def pages(kind: str, count: int, size: int = PAGE) -> Iterator[bytes]:
    """The list as the API server sends it in pages, compact JSON with the metadata before the items."""
    made, left = BUILDERS[kind](count), count
    while left:
        items = [next(made) for _ in range(min(size, left))]
        left -= len(items)
        meta: Object = {"resourceVersion": "48151623"}
        if left:
            meta |= {"continue": f"token-{left}", "remainingItemCount": left}
        whole = {"kind": KINDS[kind], "apiVersion": "v1", "metadata": meta, "items": items}
        yield json.dumps(whole, separators=(",", ":")).encode()
