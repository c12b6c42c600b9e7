"""All presets: what each measures, in which unit, what it must be told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from cockpit.model.arch import Arch
from cockpit.model.signal import Measure, Unit
from cockpit.playbook.presets import http, pods
from cockpit.playbook.presets.scope import Scope

Build: TypeAlias = Callable[[Measure, Scope, Arch], str]
Better: TypeAlias = Literal["lower", "higher"]

SHAPES: Mapping[Measure, tuple[Unit, Better]] = {
    Measure.LATENCY_P50: (Unit.SECONDS, "lower"),
    Measure.LATENCY_P95: (Unit.SECONDS, "lower"),
    Measure.LATENCY_P99: (Unit.SECONDS, "lower"),
    Measure.ERROR_RATE: (Unit.RATIO, "lower"),
    Measure.REQUESTS: (Unit.REQUESTS_PER_SECOND, "higher"),
    Measure.CPU: (Unit.RATIO, "lower"),
    Measure.THROTTLING: (Unit.RATIO, "lower"),
    Measure.REQUESTS_PER_POD: (Unit.REQUESTS_PER_SECOND, "higher"),
}
"""Unit and good direction of every measure."""


@dataclass(frozen=True, slots=True)
class Preset:
    """One source of signals. `build` makes the PromQL; without it CloudWatch is asked.

    `options` are the keys of a signal that it takes, `needs` those that it cannot do without. `by_name` tells the sides apart
    by the names of two workloads.
    """

    name: str
    measures: tuple[Measure, ...]
    build: Build | None = None
    options: tuple[str, ...] = ("labels", "window")
    needs: tuple[str, ...] = ()
    by_name: bool = False

    def measure(self, signal: str, of: str | None) -> Measure | None:
        """What a signal of this name measures: what `of` says, else its name; None when that is nothing of this preset's."""
        if of is None and len(self.measures) == 1:
            return self.measures[0]
        return next((m for m in self.measures if m == (of or signal)), None)


PRESETS: Mapping[str, Preset] = {
    p.name: p
    for p in (
        Preset("alb", http.MEASURES, options=()),
        Preset("http-histogram", http.MEASURES, http.http_histogram, ("labels", "window", "metric", "status_label")),
        Preset("istio", http.MEASURES, http.ISTIO.query, by_name=True),
        Preset("linkerd", http.MEASURES, http.LINKERD.query, by_name=True),
        Preset("nginx-ingress", http.MEASURES, http.NGINX.query, ("labels", "window", "ingress"), needs=("ingress",)),
        Preset("cpu", (Measure.CPU,), pods.cpu),
        Preset("throttling", (Measure.THROTTLING,), pods.throttling),
        Preset("rps-per-pod", (Measure.REQUESTS_PER_POD,), pods.requests_per_pod),
    )
}
