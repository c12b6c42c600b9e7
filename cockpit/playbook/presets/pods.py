"""Saturation and throughput of the workloads' pods, by the architecture of the nodes that they are on.

A pod's architecture is its node's: one workload may span both. So cAdvisor's figures are joined with kube-state-metrics'
`kube_pod_info` and `kube_node_labels`; the latter has `label_kubernetes_io_arch` only where kube-state-metrics runs with
`--metric-labels-allowlist=nodes=[kubernetes.io/arch]`. Without it these queries give nothing, which is no data.
"""

from __future__ import annotations

from cockpit.model.arch import Arch
from cockpit.model.signal import Measure
from cockpit.playbook.presets.scope import Matcher, Scope, selector

_ENDING = "-[a-z0-9]{1,10}-[a-z0-9]{5}"
"""What a Deployment's ReplicaSet and a ReplicaSet add to a pod's name."""


def cpu(_: Measure, scope: Scope, arch: Arch) -> str:
    """CPU used over CPU requested; nothing for pods without a request."""
    used = _on(f"rate(container_cpu_usage_seconds_total{_containers(scope)}[{scope.window}])", scope, arch)
    asked = _on(f"kube_pod_container_resource_requests{_pods(scope, ('resource', '=', 'cpu'))}", scope, arch)
    return f"{used} / {asked}"


def throttling(_: Measure, scope: Scope, arch: Arch) -> str:
    """The share of CFS periods in which a container was held back; nothing for containers without a CPU limit."""
    held, every = (
        _on(f"rate(container_cpu_cfs_{which}periods_total{_containers(scope)}[{scope.window}])", scope, arch)
        for which in ("throttled_", "")
    )
    return f"{held} / {every}"


def requests_per_pod(_: Measure, scope: Scope, arch: Arch) -> str:
    """What the signal `requests` says over the Ready pods there; nothing without one."""
    ready = _on(f"kube_pod_status_ready{_pods(scope, ('condition', '=', 'true'))}", scope, arch)
    return f"({scope.requests[arch]}) / ({ready} > 0)"


def _on(series: str, scope: Scope, arch: Arch) -> str:
    """The sum of `series` over the pods on nodes of an architecture. `max by` forgives a second kube-state-metrics."""
    figures = f"max by (namespace, pod, container) ({series})"
    where = f"max by (namespace, pod, node) (kube_pod_info{_pods(scope)})"
    nodes = f"max by (node) (kube_node_labels{selector([('label_kubernetes_io_arch', '=', arch.value), *scope.matchers(None)])})"
    return (
        f"sum(sum by (namespace, pod) ({figures})"
        f" * on (namespace, pod) group_left () max by (namespace, pod) ({where} * on (node) group_left () {nodes}))"
    )


def _containers(scope: Scope) -> str:
    # The series without a container is the pod's own sum: counted once more it would double everything.
    return _pods(scope, ("container", "!=", ""))


def _pods(scope: Scope, *more: Matcher) -> str:
    names = "|".join(name.replace(".", r"\.") + _ENDING for name in dict.fromkeys(scope.workloads.values()))
    return selector([("namespace", "=", scope.namespace), ("pod", "=~", names), *more, *scope.matchers(None)])
