"""Made-up traffic for a kind cluster: requests go where the Ready pods are, and are counted by architecture for Prometheus.

It needs Python alone. In the cluster it finds the API server and its own credentials as every pod does; outside, name them:
`traffic.py --server https://127.0.0.1:6443 --ca ca.crt --token-file token`. Nothing is sent to any pod.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import ssl
import sys
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

CREDENTIALS = Path("/var/run/secrets/kubernetes.io/serviceaccount")
BUCKETS = (0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2, 0.3, 0.5, 1.0, 2.5)
"""Upper bounds in seconds."""
TICK_SECONDS = 0.25
LOOK_SECONDS = 1.0
SPREAD = 0.35
"""The sigma of the log-normal latencies: p99 is about 2.3 times the median."""


@dataclass(frozen=True)
class App:
    """What the pods with the label `traffic: name` serve: `rate` requests a second together, in `median` seconds each."""

    name: str
    rate: float
    median: float
    durations: str
    total: str
    outcome: str
    good: str
    bad: str


APPS = (
    App("payments", 120.0, 0.040, "http_request_duration_seconds", "http_requests_total", "code", "200", "500"),
    App("ledger-worker", 40.0, 0.060, "job_duration_seconds", "jobs_total", "outcome", "ok", "error"),
)


@dataclass
class Tally:
    """What one architecture has done for one app since the start."""

    buckets: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    seconds: float = 0.0
    good: int = 0
    bad: int = 0

    def add(self, seconds: float, failed: bool) -> None:
        """One request."""
        self.buckets[bisect_left(BUCKETS, seconds)] += 1
        self.seconds += seconds
        self.good += not failed
        self.bad += failed


class Traffic:
    """Requests in proportion to the Ready pods of each architecture; the counts are Prometheus' text format."""

    def __init__(self, slower: Mapping[str, float], errors: Mapping[str, float], rng: random.Random) -> None:
        self._slower = slower
        self._errors = errors
        self._rng = rng
        self._lock = threading.Lock()
        self._tallies: dict[tuple[App, str], Tally] = {}
        self._due: dict[App, float] = dict.fromkeys(APPS, 0.0)

    def flow(self, seconds: float, ready: Mapping[tuple[str, str], int]) -> None:
        """The requests of so many seconds; `ready` counts pods by app and architecture. Without a pod there is no traffic."""
        with self._lock:
            for app in APPS:
                pods = {arch: count for (name, arch), count in ready.items() if name == app.name}
                if not pods:
                    continue
                self._due[app] += app.rate * seconds
                count, self._due[app] = int(self._due[app]), self._due[app] % 1
                for arch in self._rng.choices(list(pods), weights=list(pods.values()), k=count):
                    self._serve(app, arch)

    def _serve(self, app: App, arch: str) -> None:
        tally = self._tallies.setdefault((app, arch), Tally())
        seconds = app.median * self._slower.get(arch, 1.0) * self._rng.lognormvariate(0.0, SPREAD)
        tally.add(seconds, self._rng.random() < self._errors.get(arch, 0.0))

    def exposition(self) -> str:
        """Everything, in the text format 0.0.4."""
        lines = []
        with self._lock:
            for app in APPS:
                mine = [(arch, tally) for (other, arch), tally in self._tallies.items() if other is app]
                lines += [f"# TYPE {app.durations} histogram", *(line for m in mine for line in _histogram(app, *m))]
                lines += [f"# TYPE {app.total} counter", *(line for m in mine for line in _counter(app, *m))]
        return "\n".join(lines) + "\n"


def _histogram(app: App, arch: str, tally: Tally) -> list[str]:
    labels, so_far, lines = f'app="{app.name}",arch="{arch}"', 0, []
    for bound, count in zip([*map(str, BUCKETS), "+Inf"], tally.buckets, strict=True):
        so_far += count
        lines.append(f'{app.durations}_bucket{{{labels},le="{bound}"}} {so_far}')
    return [*lines, f"{app.durations}_sum{{{labels}}} {tally.seconds!r}", f"{app.durations}_count{{{labels}}} {so_far}"]


def _counter(app: App, arch: str, tally: Tally) -> list[str]:
    labels = f'app="{app.name}",arch="{arch}",{app.outcome}='
    return [f'{app.total}{{{labels}"{word}"}} {count}' for word, count in ((app.good, tally.good), (app.bad, tally.bad))]


class Cluster:
    """The API server, asked as a service account. The token is read anew each time: Kubernetes renews it."""

    def __init__(self, server: str, authority: Path, token: Path) -> None:
        parts = urlsplit(server)
        self._address = (parts.hostname or "", parts.port or 443)
        self._tls = ssl.create_default_context(cafile=authority)
        self._token = token

    def ready(self) -> dict[tuple[str, str], int]:
        """Ready pods by their label `traffic` and the architecture of their node. OSError or HTTPException without an answer."""
        nodes = self._items("/api/v1/nodes")
        arches = {n["metadata"]["name"]: n["metadata"]["labels"].get("kubernetes.io/arch", "") for n in nodes}
        found: dict[tuple[str, str], int] = {}
        for pod in self._items("/api/v1/pods?labelSelector=traffic"):
            arch = arches.get(pod["spec"].get("nodeName"))
            if arch and _is_ready(pod):
                key = (pod["metadata"]["labels"]["traffic"], arch)
                found[key] = found.get(key, 0) + 1
        return found

    def _items(self, path: str) -> list[dict[str, Any]]:
        connection = HTTPSConnection(*self._address, timeout=5.0, context=self._tls)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {self._token.read_text().strip()}"})
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise HTTPException(f"{path}: {answer.status} {body[:300].decode(errors='replace')}")
        items: list[dict[str, Any]] = json.loads(body)["items"]
        return items


def _is_ready(pod: Mapping[str, Any]) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    going = "deletionTimestamp" in pod["metadata"]
    return not going and any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def flow_for_ever(traffic: Traffic, look: Callable[[], Mapping[tuple[str, str], int]]) -> None:
    """Make traffic. While the API server does not answer, it goes where it went."""
    ready: Mapping[tuple[str, str], int] = {}
    before = looked = time.monotonic() - LOOK_SECONDS
    while True:
        now = time.monotonic()
        if now - looked >= LOOK_SECONDS:
            looked = now
            try:
                ready = look()
            except (OSError, HTTPException, ValueError, KeyError) as error:
                sys.stderr.write(f"traffic: the pods cannot be listed: {error}\n")
        traffic.flow(min(now - before, 5.0), ready)
        before = now
        time.sleep(TICK_SECONDS)


def server(host: str, port: int, traffic: Traffic) -> ThreadingHTTPServer:
    """The server of /metrics; run it with `serve_forever`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.path.partition("?")[0] == "/metrics"
            body = traffic.exposition().encode() if known else b"look at /metrics\n"
            self.send_response(200 if known else 404)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Scrapes are not worth a line each."""

    return ThreadingHTTPServer((host, port), Handler)


def main() -> None:
    """Make traffic until stopped."""
    environ = os.environ
    home = f"https://{environ.get('KUBERNETES_SERVICE_HOST', '127.0.0.1')}:{environ.get('KUBERNETES_SERVICE_PORT', '6443')}"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="", help="the address to listen on (default: all)")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--server", default=home)
    parser.add_argument("--ca", type=Path, default=CREDENTIALS / "ca.crt")
    parser.add_argument("--token-file", type=Path, default=CREDENTIALS / "token")
    options = parser.parse_args()
    slower = {"arm64": float(environ.get("ARM64_SLOWER", "1"))}
    errors = {"amd64": 0.0002, "arm64": float(environ.get("ARM64_ERRORS", "0.0002"))}
    traffic = Traffic(slower, errors, random.Random())  # noqa: S311 (it guards nothing)
    cluster = Cluster(options.server, options.ca, options.token_file)
    threading.Thread(target=flow_for_ever, args=(traffic, cluster.ready), daemon=True).start()
    server(options.host, options.port, traffic).serve_forever()


if __name__ == "__main__":
    main()
