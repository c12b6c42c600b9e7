"""A Prometheus that says what it is told to: every figure is well until the errors of arm64 are asked to rise."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

WELL, BAD = 0.0002, 0.08
LATENCY, REQUESTS = 0.118, 480.0


class Metrics:
    """Answers queries with one series each, as of `now()` (seconds of the epoch, as its cockpit's clock has it)."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.breached = 0.0
        """Since when the errors are too many, on the machine's monotonic clock; 0: they are not."""
        self.port = 0

    def breach(self) -> float:
        """From this moment on."""
        self.breached = time.monotonic()
        return self.breached

    def value(self, query: str) -> float:
        """By what the rehearsal playbook's three queries look like."""
        if "histogram_quantile" in query:
            return LATENCY
        if 'code=~"5' in query:
            return BAD if self.breached and 'arch="arm64"' in query else WELL
        return REQUESTS * (0.05 if 'arch="arm64"' in query else 0.95)

    def answer(self, path: str, form: dict[str, list[str]]) -> dict[str, object]:
        """The body of an answer."""
        query = form.get("query", [""])[0]
        if path.endswith("query_range"):
            start, end, step = (float(form[name][0]) for name in ("start", "end", "step"))
            times = [start + n * step for n in range(int((end - start) / step) + 1)]
            # The past is well: what is too bad is so only from its moment on.
            value = LATENCY if "histogram_quantile" in query else WELL if "code=~" in query else self.value(query)
            series: dict[str, object] = {"metric": {}, "values": [[moment, str(value)] for moment in times]}
            return {"status": "success", "data": {"resultType": "matrix", "result": [series]}}
        one = {"metric": {}, "value": [self.now(), str(self.value(query))]}
        return {"status": "success", "data": {"resultType": "vector", "result": [one]}}


@contextmanager
def metrics(now: Callable[[], float]) -> Iterator[Metrics]:
    """Serve, on a loopback port, until left."""
    made = Metrics(now)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._say({"status": "success", "data": {}})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0"))).decode()
            self._say(made.answer(self.path.partition("?")[0], parse_qs(body)))

        def _say(self, told: dict[str, object]) -> None:
            body = json.dumps(told).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
