"""Decodes the pages in a folder in one way, keeps every object, and prints seconds, peak memory and the count as JSON.

Run as `python -m tests.bench.decode_child WAY KIND FOLDER`. Nothing but what WAY needs is imported, so that the peak is its own;
`-held` ways import the same and read the same bytes without decoding them: what is to be subtracted.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Decode = Callable[[bytes], list[Any]]


def cockpit(kind: str) -> Decode:
    """As the cockpit's sources decode a page."""
    from cockpit.connections import decode

    codec: Any = {"pods": decode.PODS, "nodes": decode.NODES}[kind]
    return lambda raw: codec.page(raw).items


def official(kind: str) -> Decode:
    """As the official client makes its models of the same page."""
    from kubernetes import client

    api, model = client.ApiClient(), {"pods": "V1PodList", "nodes": "V1NodeList"}[kind]
    return lambda raw: api.deserialize(raw.decode(), model, "application/json").items


WAYS: dict[str, Callable[[str], Decode]] = {"cockpit": cockpit, "official": official}


def held(raw: bytes) -> list[Any]:
    """The page was read, and that is all."""
    return [] if raw else [raw]


def peak_bytes() -> int:
    """The most memory that this process has had. Linux hands getrusage's figure on from the parent, so its own is preferred."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main(way: str, kind: str, folder: str) -> None:
    """Decode, and say what it took."""
    name, _, only_held = way.partition("-")
    decode = WAYS[name](kind)
    if only_held:
        decode = held
    seconds, kept = 0.0, []
    for page in sorted(Path(folder).glob(f"{kind}-*.json")):
        raw = page.read_bytes()
        start = time.perf_counter()
        kept.append(decode(raw))
        seconds += time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "peak": peak_bytes(), "count": sum(map(len, kept))}))


if __name__ == "__main__":
    main(*sys.argv[1:])
