"""Latency, errors and requests from histograms and counters of HTTP requests.

Counters end so that zero is zero and no data is no data: a side without a series of its own is 0 only while the metric has
series of either side; where it has none at all, nothing was scraped and the query gives nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from cockpit.model.arch import Arch
from cockpit.model.signal import ARCH_PLACE, Measure
from cockpit.playbook.presets.scope import Matcher, Scope, either, selector

QUANTILES = {Measure.LATENCY_P50: "0.5", Measure.LATENCY_P95: "0.95", Measure.LATENCY_P99: "0.99"}
MEASURES = (*QUANTILES, Measure.ERROR_RATE, Measure.REQUESTS)

Sides: TypeAlias = Callable[[Scope, Arch | None], list[Matcher]]
"""The matchers of one architecture's series; of both together without one."""


@dataclass(frozen=True, slots=True)
class Family:
    """The metrics of one source. `millis` says that its histogram is in milliseconds; `failed` matches what is an error."""

    histogram: str
    requests: str
    responses: str
    failed: Matcher
    sides: Sides
    millis: bool = False

    def query(self, measure: Measure, scope: Scope, arch: Arch) -> str:
        """The PromQL of a measure for one architecture: one series without labels, or none."""
        mine, both = self.sides(scope, arch), self.sides(scope, None)
        if measure in QUANTILES:
            buckets = f"sum by (le) ({_rate(f'{self.histogram}_bucket', mine, scope)})"
            quantile = f"histogram_quantile({QUANTILES[measure]}, {buckets})"
            return f"{quantile} / 1000" if self.millis else quantile
        if measure is Measure.REQUESTS:
            return f"sum({_rate(self.requests, mine, scope)}) or 0 * sum({_rate(self.requests, both, scope)})"
        every = f"sum({_rate(self.responses, mine, scope)})"
        return f"(sum({_rate(self.responses, [*mine, self.failed], scope)}) or 0 * {every}) / {every}"


def _rate(metric: str, matchers: list[Matcher], scope: Scope) -> str:
    return f"rate({metric}{selector(matchers)}[{scope.window}])"


def http_histogram(measure: Measure, scope: Scope, arch: Arch) -> str:
    """A histogram as client libraries export it; an `arch` label tells the sides apart unless another one is named."""
    name = scope.metric or "http_request_duration_seconds"
    failed = (scope.status_label or "code", "=~", "5..")
    return Family(name, f"{name}_count", f"{name}_count", failed, _by_label).query(measure, scope, arch)


def _by_label(scope: Scope, arch: Arch | None) -> list[Matcher]:
    own: list[Matcher] = [] if ARCH_PLACE in scope.labels.values() or arch is None else [("arch", "=", arch.value)]
    return [*own, *scope.matchers(arch)]


def _named(label: str, scope: Scope, arch: Arch | None) -> Matcher:
    if arch is None:
        return label, "=~", either(list(scope.workloads.values()))
    return label, "=", scope.workloads[arch]


def _istio(scope: Scope, arch: Arch | None) -> list[Matcher]:
    place = ("destination_workload_namespace", "=", scope.namespace)
    return [("reporter", "=", "destination"), place, _named("destination_workload", scope, arch), *scope.matchers(arch)]


def _linkerd(scope: Scope, arch: Arch | None) -> list[Matcher]:
    place = ("namespace", "=", scope.namespace)
    return [("direction", "=", "inbound"), place, _named("deployment", scope, arch), *scope.matchers(arch)]


def _nginx(scope: Scope, arch: Arch | None) -> list[Matcher]:
    """The controller says `ingress` of the main Ingress for both sides, and `canary` (empty or - without one) of which side."""
    side: list[Matcher] = [] if arch is None else [("canary", "=~" if arch is scope.from_arch else "!~", "-?")]
    # Scraped without honor_labels, the target's own namespace label takes the name and this one is moved.
    named = {"namespace", "exported_namespace"} & scope.labels.keys()
    place: list[Matcher] = [] if named else [("exported_namespace", "=", scope.namespace)]
    return [("ingress", "=", scope.ingress), *place, *side, *scope.matchers(arch)]


ISTIO = Family(
    "istio_request_duration_milliseconds",
    "istio_requests_total",
    "istio_requests_total",
    ("response_code", "=~", "5.."),
    _istio,
    millis=True,
)
LINKERD = Family(
    "response_latency_ms", "request_total", "response_total", ("classification", "=", "failure"), _linkerd, millis=True
)
NGINX = Family(
    "nginx_ingress_controller_request_duration_seconds",
    "nginx_ingress_controller_requests",
    "nginx_ingress_controller_requests",
    ("status", "=~", "5.."),
    _nginx,
)
