"""The model's traffic as a service would export it: real counters and histograms, played from a tape."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import accumulate

from cockpit.clock import ManualClock
from cockpit.model.arch import Arch
from cockpit.playbook import find, load
from cockpit.rehearsal.traffic import WARM_UP
from cockpit.rehearsal.windows import Windows
from cockpit.rehearsal.world import World

APP = "payments"
BOUNDS = (0.025, 0.05, 0.075, 0.1, 0.125, 0.15, 0.175, 0.2, 0.225, 0.25, 0.3, 0.4, 0.5, 1.0, 2.5)
SHARE = 25
"""Per cent of the traffic on arm64."""
SECONDS = 1200
"""Length of a tape after its warm-up."""


@dataclass(frozen=True)
class Tape:
    """Running sums by second, from `first` (relative to the tape's zero): what counters show."""

    requests: tuple[float, ...]
    errors: tuple[float, ...]
    buckets: tuple[tuple[float, ...], ...]
    """For each of BOUNDS the requests that took no longer."""

    def at(self, sums: tuple[float, ...], second: float) -> float:
        """The sum at a moment between two seconds."""
        place = min(max(second - WARM_UP, 0.0), len(sums) - 1.001)
        low = int(place)
        return sums[low] + (sums[low + 1] - sums[low]) * (place - low)


@cache
def recorded() -> tuple[dict[Arch, Tape], dict[Arch, Windows]]:
    """The shipped rehearsal's traffic with SHARE on arm64: as counters, and as the embedded Prometheus sees it."""
    world = World(load(find("rehearsal")), ManualClock(), seed=1)
    alb = world.playbook.alb
    assert alb is not None
    for arn in (*alb.listeners, *alb.rules):
        world.set_weights(arn, {Arch.AMD64: 100 - SHARE, Arch.ARM64: SHARE})
    world.begin()
    for step in range(1, SECONDS):
        world.traffic.step(step, world.scenario)
    windows = world.traffic.windows
    return {arch: _tape(windows[arch]) for arch in Arch}, windows


def _tape(windows: Windows) -> Tape:
    requests, errors, weighted = windows._requests, windows._errors, windows._weighted
    buckets = []
    for bound in BOUNDS:
        steps = (_within(bound, i, requests[i] - requests[i - 1], weighted) for i in range(1, len(requests)))
        buckets.append(tuple(accumulate(steps, initial=0.0)))
    return Tape(tuple(requests), tuple(errors), tuple(buckets))


def _within(bound: float, i: int, requests: float, weighted: Sequence[float]) -> float:
    """Of one second's requests those that took no longer than `bound`, spread exponentially about the second's p99."""
    p99 = (weighted[i] - weighted[i - 1]) / requests
    return requests * (1.0 - math.pow(0.01, bound / p99))


class Exporter:
    """Plays the tape whose zero is at `zero` (epoch seconds) on a port of loopback; `arches` are those that it shows."""

    def __init__(self, zero: float, arches: tuple[Arch, ...] = (Arch.AMD64, Arch.ARM64), fails: bool = True) -> None:
        self.zero = zero
        self.arches = arches
        self.fails = fails
        """Some requests fail; without that there is no series of errors at all."""
        self.restarted = float("-inf")
        self.port = 0
        self._server: ThreadingHTTPServer | None = None

    def samples(self, at: float) -> Iterator[tuple[str, str, float]]:
        """Name, labels and value of every series at a moment (epoch seconds)."""
        for arch in self.arches:
            tape = recorded()[0][arch]
            labels = f'app="{APP}",arch="{arch}"'
            total, errors = self._count(tape, tape.requests, at), self._count(tape, tape.errors, at)
            yield "http_requests_total", f'{labels},code="200"', total - (errors if self.fails else 0.0)
            if self.fails:
                yield "http_requests_total", f'{labels},code="500"', errors
            for bound, sums in zip(BOUNDS, tape.buckets, strict=True):
                yield "http_request_duration_seconds_bucket", f'{labels},le="{bound}"', self._count(tape, sums, at)
            yield "http_request_duration_seconds_bucket", f'{labels},le="+Inf"', total

    def _count(self, tape: Tape, sums: tuple[float, ...], at: float) -> float:
        since = tape.at(sums, self.restarted - self.zero) if self.restarted <= at and self.restarted > 0 else 0.0
        return tape.at(sums, at - self.zero) - since

    def page(self) -> bytes:
        """What a scrape gets now."""
        return "".join(f"{name}{{{labels}}} {value!r}\n" for name, labels, value in self.samples(time.time())).encode()

    def history(self, end: float, start: float, every: float, target: str) -> str:
        """The same in OpenMetrics with times, for `promtool tsdb create-blocks-from`; `target` are the scrape's own labels."""
        count = int((end - start) / every)
        moments = [start + every * i for i in range(count + 1)]
        families: dict[str, dict[str, list[str]]] = {}
        for at in moments:
            for name, labels, value in self.samples(at):
                lines = families.setdefault(name, {}).setdefault(labels, [])
                lines.append(f"{name}{{{labels},{target}}} {value!r} {at:.3f}")
        return "\n".join(line for series in families.values() for lines in series.values() for line in lines) + "\n# EOF\n"

    def start(self) -> None:
        exporter = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = exporter.page()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
