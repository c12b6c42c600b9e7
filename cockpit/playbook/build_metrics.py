"""The metrics of a playbook that passed every check -> sources, signals with the queries of their presets, prices."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources

from cockpit.model import playbook as model
from cockpit.model import signal
from cockpit.model.arch import Arch
from cockpit.playbook import schema, units
from cockpit.playbook.presets import PRESETS, SHAPES, Preset, Scope
from cockpit.playbook.presets.scope import WINDOW
from cockpit.playbook.schema_metrics import CloudWatch, Metrics, Prices, Prometheus, Signal
from cockpit.text import clean

_REQUESTS = "requests"
_ALB_WORDS = {
    signal.Measure.ERROR_RATE: ": 5xx of targets and failed connections to them, over requests"
    " (without the load balancer's own 5xx: a broken response, a time-out)"
}
"""What a reader of the plan must know of a measure that CloudWatch is asked for."""


def prometheus(part: Prometheus) -> signal.Prometheus:
    """The server that PromQL goes to."""
    return signal.Prometheus(
        url=part.url,
        bearer_token_file=part.bearer_token_file,
        every=units.duration(part.every),
        stale_after=units.duration(part.stale_after),
    )


def cloudwatch(part: CloudWatch, alb: schema.Alb) -> signal.CloudWatch:
    """CloudWatch for the load balancer `alb`, whose ARNs name what the playbook leaves out."""
    named = next(iter([*alb.listeners, *alb.rules]), "")
    return signal.CloudWatch(
        region=part.region or alb.region,
        load_balancer=part.load_balancer or "/".join(named.split("/")[1:4]),
        target_groups={
            arch: arn.rpartition(":")[2]
            for arch, arn in ((Arch.AMD64, alb.target_groups.amd64), (Arch.ARM64, alb.target_groups.arm64))
        },
        every=units.duration(part.every),
        stale_after=units.duration(part.stale_after),
        endpoint_url=part.endpoint_url,
    )


def signals(metrics: Metrics, target: model.Target) -> dict[str, signal.Signal]:
    """All signals by name. `requests` comes first, since others divide it; the order stays the playbook's."""
    found: dict[str, signal.Signal] = {}
    for name in sorted(metrics.signals, key=lambda name: name != _REQUESTS):
        found[name] = _signal(name, metrics.signals[name], target, found.get(_REQUESTS))
    return {name: found[name] for name in metrics.signals}


def _signal(name: str, spec: Signal, target: model.Target, requests: signal.Signal | None) -> signal.Signal:
    if spec.query is not None and spec.unit is not None:
        return signal.Signal(name, signal.Unit(spec.unit), spec.query.strip(), spec.better)
    preset = PRESETS[spec.preset or "alb"]
    measure = preset.measure(name, spec.of)
    if measure is None:
        raise ValueError(f"the preset of {name} is not checked")
    unit, better = SHAPES[measure]
    if preset.build is None:
        words = f"CloudWatch {measure} by target group{_ALB_WORDS.get(measure, '')}"
        return signal.Signal(name, unit, words, better, measure=measure, preset=preset.name)
    queries = _queries(preset, measure, _scope(spec, target, requests))
    return signal.Signal(name, unit, _template(queries), better, queries, preset=preset.name)


def _queries(preset: Preset, measure: signal.Measure, scope: Scope) -> dict[Arch, str]:
    if preset.build is None:
        return {}
    return {arch: preset.build(measure, scope, arch) for arch in Arch}


def _template(queries: Mapping[Arch, str]) -> str:
    """One text for both where they differ in the architecture's name only; else that of arm64, one of `queries`."""
    arm = queries[Arch.ARM64].replace(f'"{Arch.ARM64}"', f'"{signal.ARCH_PLACE}"')
    amd = queries[Arch.AMD64].replace(f'"{Arch.AMD64}"', f'"{signal.ARCH_PLACE}"')
    return arm if arm == amd else queries[Arch.ARM64]


def _scope(spec: Signal, target: model.Target, requests: signal.Signal | None) -> Scope:
    workloads = {target.from_arch: target.baseline.name, target.to_arch: (target.canary or target.baseline).name}
    return Scope(
        namespace=target.namespace,
        workloads=workloads,
        from_arch=target.from_arch,
        labels=dict(spec.labels or {}),
        metric=spec.metric or "",
        status_label=spec.status_label or "",
        ingress=spec.ingress or "",
        window=spec.window or WINDOW,
        requests={arch: requests.query_for(arch) for arch in Arch} if requests else {},
    )


def prices(part: Prices | None) -> model.Prices:
    """The shipped table with the playbook's own prices over it; only those where they are in another currency."""
    table = json.loads(resources.files("cockpit").joinpath("prices.json").read_text(encoding="utf-8"))
    shipped = f"{table['basis']}, {table['region']}, {table['as_of']}"
    if part is None:
        return model.Prices(table["per_hour"], {}, table["currency"], shipped)
    foreign = part.currency != table["currency"]
    own = {name: float(value) for name, value in part.per_hour.items()}
    return model.Prices({} if foreign else table["per_hour"], own, part.currency, shipped, clean(part.label))
