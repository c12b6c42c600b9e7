"""Signals: each is a query of its own with its unit, or a preset that has all that it needs and somebody to ask."""

from __future__ import annotations

from collections.abc import Iterator

from cockpit.model.signal import ARCH_PLACE, Unit
from cockpit.playbook import units
from cockpit.playbook.issue import listed
from cockpit.playbook.presets import PRESETS, SHAPES, Preset
from cockpit.playbook.view import Finding, View

OPTIONS = ("of", "labels", "window", "metric", "status_label", "ingress")
"""Keys that only a preset takes."""
_SHORTEST = 10.0
REQUESTS = "requests"


def preset_of(signal: View) -> Preset | None:
    """The preset that a signal names; `source: cloudwatch` alone is that of the load balancer."""
    name = signal.get("preset").text or ("alb" if signal.get("source").text == "cloudwatch" else "")
    return PRESETS.get(name)


def is_cloudwatch(signal: View) -> bool:
    """The signal is asked of CloudWatch."""
    preset = preset_of(signal)
    return preset is not None and preset.build is None


def unit_of(root: View, name: str) -> Unit | None:
    """A signal's unit: its own, or that of what its preset measures."""
    signal = root.get("metrics", "signals", name)
    if preset := preset_of(signal):
        measure = preset.measure(name, signal.get("of").text)
        return SHAPES[measure][0] if measure else None
    text = signal.get("unit").text
    return Unit(text) if text in set(Unit) else None


def signals(root: View) -> Iterator[Finding]:
    """Checks of `metrics.signals`."""
    whole = root.get("metrics", "signals")
    for name, signal in whole.entries:
        if not isinstance(signal.value, dict):
            continue
        if preset := preset_of(signal):
            yield from _preset(root, name, signal, preset)
        elif not signal.get("preset").there:
            yield from _own(signal)
    if any(not is_cloudwatch(signal) for _, signal in whole.entries) and not root.get("metrics", "prometheus").there:
        yield whole.wrong("there is nobody to ask for these signals", "add metrics.prometheus with its url")


def _own(signal: View) -> Iterator[Finding]:
    """A signal without a preset says everything itself."""
    examples = {"unit": "seconds", "query": 'sum(rate(http_requests_total{arch="{{arch}}"}[2m]))'}
    for key, example in examples.items():
        if not signal.get(key).there:
            what = "text is due here, not nothing" if signal.has(key) else "this key is missing"
            yield signal.get(key).wrong(what, f"add it, like `{key}: {example}`, or name a preset")
    for key in OPTIONS:
        if signal.get(key).there:
            yield signal.get(key).wrong("only a preset takes this", "put it into the query itself, or name a preset")


def _preset(root: View, name: str, signal: View, preset: Preset) -> Iterator[Finding]:
    for key in ("query", "unit", "better"):
        if signal.get(key).there:
            yield signal.get(key).wrong(f"the preset {preset.name} brings its own {key}", f"remove {key}, or the preset")
    for key in OPTIONS[1:]:
        if signal.get(key).there and key not in preset.options:
            taken = f"it takes {listed(preset.options, 'and')}" if preset.options else "remove it"
            yield signal.get(key).wrong(f"the preset {preset.name} does not take this", taken)
    yield from _measure(name, signal, preset)
    yield from _source(root, signal, preset)
    yield from _needs(root, signal, preset)


def _measure(name: str, signal: View, preset: Preset) -> Iterator[Finding]:
    of = signal.get("of")
    if len(preset.measures) == 1:
        if of.there:
            yield of.wrong(f"the preset {preset.name} measures one thing only", "remove of")
    elif not of.there and preset.measure(name, None) is None:
        what = f"its name does not say what of {preset.name} this is"
        yield signal.get("of").wrong(what, f"add `of:` with one of {listed(preset.measures)}, or name the signal so")


def _source(root: View, signal: View, preset: Preset) -> Iterator[Finding]:
    due = "prometheus" if preset.build else "cloudwatch"
    source = signal.get("source")
    if source.text in ("prometheus", "cloudwatch") and source.text != due:
        yield source.wrong(f"the preset {preset.name} is asked of {due}", f"remove source, or write {due}")
    if due == "cloudwatch" and not root.get("metrics", "cloudwatch").there:
        key = "preset" if signal.get("preset").there else "source"
        yield signal.get(key).wrong("there is nobody to ask for this", "add metrics.cloudwatch (an empty mapping {} will do)")


def _needs(root: View, signal: View, preset: Preset) -> Iterator[Finding]:
    for key in preset.needs:
        if not signal.get(key).there:
            yield signal.get(key).wrong(f"the preset {preset.name} needs this key", f"add it, like `{key}: payments`")
    if preset.by_name and not root.get("target", "workloads", "canary").there:
        what = f"{preset.name} tells workloads apart by name, and the playbook has one workload only"
        right = "add target.workloads.canary, or use http-histogram with a label of the architecture"
        yield signal.get("preset").wrong(what, right)
    window = signal.get("window").read(units.duration)
    if window is not None and window < _SHORTEST:
        yield signal.get("window").wrong("rates over so little have no samples", "write 1m or more, at least 4 scrapes")
    if preset.name == "rps-per-pod":
        yield from _requests(root, signal)
    if preset.build and preset.name != "http-histogram":
        for _, value in signal.get("labels").entries:
            if value.text == ARCH_PLACE:
                what = f"the preset {preset.name} tells the architectures apart itself"
                yield value.wrong(what, "write plain text, or remove it")


def _requests(root: View, signal: View) -> Iterator[Finding]:
    requests = root.get("metrics", "signals", REQUESTS)
    what = ""
    if not requests.there:
        what = "which is not defined"
    elif is_cloudwatch(requests) or unit_of(root, REQUESTS) not in (None, Unit.REQUESTS_PER_SECOND):
        what = "which is not Prometheus's requests_per_second"
    elif preset_of(requests) is preset_of(signal):
        what = "which is itself one that divides"
    if what:
        due = f"define metrics.signals.{REQUESTS} as one that Prometheus is asked for, in requests_per_second"
        yield signal.get("preset").wrong(f"this divides the signal {REQUESTS}, {what}", due)
