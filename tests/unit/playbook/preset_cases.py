"""A playbook with a signal of every preset, for tests that ask what they become."""

from __future__ import annotations

from cockpit.model.playbook import Playbook
from cockpit.playbook import loads
from tests.unit.playbook.base import BASE

_OWN = BASE[BASE.index("  signals:") : BASE.index("agents:")]
_GATES = BASE[BASE.index("    gates:") : BASE.index("  - name: require-arm64")]
MEASURES = ("latency_p50", "latency_p95", "latency_p99", "error_rate", "requests")
SOURCES = {
    "http-histogram": "labels: {app: pay}",
    "istio": "",
    "linkerd": "",
    "nginx-ingress": "ingress: pay",
    "alb": "",
}


def text(signals: str, text: str = BASE) -> str:
    """The small playbook with these signals (YAML under metrics.signals) and no gates on others."""
    whole = text.replace(_OWN, f"  cloudwatch: {{}}\n  signals:\n{signals}")
    return whole.replace(_GATES, "")


def one(signal: str, name: str = "requests") -> Playbook:
    """The small playbook with one signal, written as a mapping's inside."""
    return loads(text(f"    {name}: {{{signal}}}\n"), "p.yaml")


def every() -> Playbook:
    """Every measure of every preset, each by `<preset with _>_<measure>`; `requests` is of http-histogram."""
    rows = [
        f"    {preset.replace('-', '_')}_{measure}: {{preset: {preset}, of: {measure}{', ' + more if more else ''}}}"
        for preset, more in SOURCES.items()
        for measure in MEASURES
    ]
    rows += [f"    {name.replace('-', '_')}: {{preset: {name}}}" for name in ("cpu", "throttling", "rps-per-pod")]
    rows += ["    requests: {preset: http-histogram, labels: {app: pay}}", ""]
    return loads(text("\n".join(rows)), "p.yaml")
