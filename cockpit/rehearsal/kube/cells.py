"""The cells of a row of `kubectl get`, one function a kind. The wide ones come last."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeAlias

from cockpit.rehearsal.kube.duration import age, human
from cockpit.rehearsal.kube.errors import Obj
from cockpit.rehearsal.kube.podstatus import ready_count, restarts, status_word
from cockpit.rehearsal.kube.selectors import selector_text

Cells: TypeAlias = list[Any]
NONE, UNSET, UNKNOWN = "<none>", "<unset>", "<unknown>"


def _age(obj: Obj, now: datetime) -> str:
    return age(obj["metadata"].get("creationTimestamp"), now)


def _containers(template: Obj) -> Cells:
    listed = (template.get("spec") or {}).get("containers") or []
    return [",".join(c.get("name", "") for c in listed), ",".join(c.get("image", "") for c in listed)]


def _labels(selector: dict[str, str] | None) -> str:
    return ",".join(f"{k}={v}" for k, v in sorted((selector or {}).items())) or NONE


def pod(obj: Obj, now: datetime) -> Cells:
    """A pod."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    ips = status.get("podIPs") or []
    address = (ips[0].get("ip") if ips else status.get("podIP")) or NONE
    gates = spec.get("readinessGates") or []
    wide = [address, spec.get("nodeName") or NONE, status.get("nominatedNodeName") or NONE, _gates(gates, status)]
    return [obj["metadata"]["name"], ready_count(obj), status_word(obj), restarts(obj, now), _age(obj, now), *wide]


def _gates(gates: list[Obj], status: Obj) -> str:
    true = {c["type"] for c in status.get("conditions") or [] if c.get("status") == "True"}
    return f"{sum(g['conditionType'] in true for g in gates)}/{len(gates)}" if gates else NONE


def node(obj: Obj, now: datetime) -> Cells:
    """A node."""
    spec, status, labels = obj.get("spec") or {}, obj.get("status") or {}, obj["metadata"].get("labels") or {}
    ready = next((c.get("status") for c in status.get("conditions") or [] if c.get("type") == "Ready"), None)
    words = ["Unknown" if ready is None else "Ready" if ready == "True" else "NotReady"]
    if spec.get("unschedulable"):
        words.append("SchedulingDisabled")
    prefix = "node-role.kubernetes.io/"
    roles = {k[len(prefix) :] for k in labels if k.startswith(prefix) and len(k) > len(prefix)}
    roles |= {v for k, v in labels.items() if k == "kubernetes.io/role" and v}
    info = status.get("nodeInfo") or {}
    addresses = {a["type"]: a["address"] for a in status.get("addresses") or []}
    wide = [addresses.get("InternalIP", NONE), addresses.get("ExternalIP", NONE)]
    kernel = info.get("kernelVersion") or UNKNOWN
    kernel += f" ({info['architecture']})" if info.get("architecture") else ""
    wide += [info.get("osImage") or UNKNOWN, kernel, info.get("containerRuntimeVersion") or UNKNOWN]
    version = info.get("kubeletVersion", "")
    return [obj["metadata"]["name"], ",".join(words), ",".join(sorted(roles)) or NONE, _age(obj, now), version, *wide]


def deployment(obj: Obj, now: datetime) -> Cells:
    """A Deployment."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    ready = f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 1)}"
    counts = [status.get("updatedReplicas", 0), status.get("availableReplicas", 0)]
    wide = [*_containers(spec.get("template") or {}), selector_text(spec.get("selector"))]
    return [obj["metadata"]["name"], ready, *counts, _age(obj, now), *wide]


def daemonset(obj: Obj, now: datetime) -> Cells:
    """A DaemonSet."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    names = ("desiredNumberScheduled", "currentNumberScheduled", "numberReady", "updatedNumberScheduled", "numberAvailable")
    selected = _labels(((spec.get("template") or {}).get("spec") or {}).get("nodeSelector"))
    wide = [*_containers(spec.get("template") or {}), selector_text(spec.get("selector"))]
    return [obj["metadata"]["name"], *(status.get(n, 0) for n in names), selected, _age(obj, now), *wide]


def replicaset(obj: Obj, now: datetime) -> Cells:
    """A ReplicaSet."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    counts = [spec.get("replicas", 1), status.get("replicas", 0), status.get("readyReplicas", 0)]
    wide = [*_containers(spec.get("template") or {}), selector_text(spec.get("selector"))]
    return [obj["metadata"]["name"], *counts, _age(obj, now), *wide]


def statefulset(obj: Obj, now: datetime) -> Cells:
    """A StatefulSet."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    ready = f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 1)}"
    return [obj["metadata"]["name"], ready, _age(obj, now), *_containers(spec.get("template") or {})]


def service(obj: Obj, now: datetime) -> Cells:
    """A Service."""
    spec = obj.get("spec") or {}
    ports = [_port(p) for p in spec.get("ports") or []]
    ingress = ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    external = ",".join(i.get("hostname") or i.get("ip", "") for i in ingress) or ",".join(spec.get("externalIPs") or [])
    if not external:
        external = "<pending>" if spec.get("type") == "LoadBalancer" else NONE
    head = [obj["metadata"]["name"], spec.get("type", "ClusterIP"), spec.get("clusterIP") or NONE, external]
    return [*head, ",".join(ports) or NONE, _age(obj, now), _labels(spec.get("selector"))]


def _port(port: Obj) -> str:
    node_port = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port['port']}{node_port}/{port.get('protocol', 'TCP')}"


def endpoints(obj: Obj, now: datetime) -> Cells:
    """An Endpoints object: at most three addresses."""
    found = [
        f"{address['ip']}:{port['port']}"
        for subset in obj.get("subsets") or []
        for port in subset.get("ports") or []
        for address in subset.get("addresses") or []
    ]
    more = f" + {len(found) - 3} more..." if len(found) > 3 else ""
    return [obj["metadata"]["name"], (",".join(found[:3]) + more) or NONE, _age(obj, now)]


def event(obj: Obj, now: datetime) -> Cells:
    """An Event."""
    about, source = obj.get("involvedObject") or {}, obj.get("source") or {}
    series = obj.get("series") or {}
    first = obj.get("firstTimestamp") or obj.get("eventTime")
    last = series.get("lastObservedTime") or obj.get("lastTimestamp") or first
    count = series.get("count") or obj.get("count") or 1
    seen = age(last, now)
    if count > 1 and first:
        seen = f"{seen} (x{count} over {age(first, now)})"
    who = source.get("component") or obj.get("reportingComponent", "")
    where = ", ".join(p for p in (who, source.get("host", "")) if p)
    target = f"{about.get('kind', '').lower()}/{about.get('name', '')}"
    head = [seen, obj.get("type", ""), obj.get("reason", ""), target]
    message = obj.get("message", "").strip()
    return [*head, about.get("fieldPath", ""), where, message, age(first, now), count, obj["metadata"]["name"]]


def namespace(obj: Obj, now: datetime) -> Cells:
    """A Namespace."""
    return [obj["metadata"]["name"], (obj.get("status") or {}).get("phase", "Active"), _age(obj, now)]


def configmap(obj: Obj, now: datetime) -> Cells:
    """A ConfigMap."""
    return [obj["metadata"]["name"], len(obj.get("data") or {}) + len(obj.get("binaryData") or {}), _age(obj, now)]


def secret(obj: Obj, now: datetime) -> Cells:
    """A Secret."""
    return [obj["metadata"]["name"], obj.get("type", "Opaque"), len(obj.get("data") or {}), _age(obj, now)]


def budget(obj: Obj, now: datetime) -> Cells:
    """A PodDisruptionBudget."""
    spec = obj.get("spec") or {}
    limits = [str(spec.get(k, "N/A")) for k in ("minAvailable", "maxUnavailable")]
    return [obj["metadata"]["name"], *limits, (obj.get("status") or {}).get("disruptionsAllowed", 0), _age(obj, now)]


def autoscaler(obj: Obj, now: datetime) -> Cells:
    """A HorizontalPodAutoscaler (its metrics are not shown)."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    target = spec.get("scaleTargetRef") or {}
    reference = f"{target.get('kind', '')}/{target.get('name', '')}"
    counts = [str(spec.get("minReplicas", UNSET)), spec.get("maxReplicas", 0), status.get("currentReplicas", 0)]
    return [obj["metadata"]["name"], reference, UNKNOWN, *counts, _age(obj, now)]


def quota(obj: Obj, now: datetime) -> Cells:
    """A ResourceQuota: used of hard, requests and limits apart."""
    status = obj.get("status") or {}
    hard, used = status.get("hard") or {}, status.get("used") or {}
    shares = {limits: ", ".join(f"{name}: {used.get(name, '0')}/{hard[name]}" for name in sorted(hard)
                                if name.startswith("limits.") is limits) for limits in (False, True)}  # fmt: skip
    return [obj["metadata"]["name"], shares[False], shares[True], _age(obj, now)]


def lease(obj: Obj, now: datetime) -> Cells:
    """A Lease."""
    return [obj["metadata"]["name"], (obj.get("spec") or {}).get("holderIdentity", ""), _age(obj, now)]


def job(obj: Obj, now: datetime) -> Cells:
    """A Job."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    conditions = {c["type"] for c in status.get("conditions") or [] if c.get("status") == "True"}
    word = next((w for w in ("Complete", "Failed", "Suspended") if w in conditions), "Running")
    start, end = status.get("startTime"), status.get("completionTime")
    until = datetime.fromisoformat(end) if end else now
    took = human((until - datetime.fromisoformat(start)).total_seconds()) if start else ""
    done = f"{status.get('succeeded', 0)}/{spec.get('completions', 1)}"
    wide = [*_containers(spec.get("template") or {}), selector_text(spec.get("selector"))]
    return [obj["metadata"]["name"], word, done, took, _age(obj, now), *wide]


def ingress(obj: Obj, now: datetime) -> Cells:
    """An Ingress: at most three hosts, as the printer of a real server."""
    spec = obj.get("spec") or {}
    hosts = [rule.get("host", "*") or "*" for rule in spec.get("rules") or []]
    shown = ",".join(hosts[:3]) + (f" + {len(hosts) - 3} more..." if len(hosts) > 3 else "")
    found = ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    address = ",".join(i.get("ip") or i.get("hostname", "") for i in found)
    ports = "80, 443" if spec.get("tls") else "80"
    return [obj["metadata"]["name"], spec.get("ingressClassName") or NONE, shown or "*", address, ports, _age(obj, now)]


def service_account(obj: Obj, now: datetime) -> Cells:
    """A ServiceAccount."""
    return [obj["metadata"]["name"], len(obj.get("secrets") or []), _age(obj, now)]


ROWS: dict[str, Callable[[Obj, datetime], Cells]] = {
    "pods": pod,
    "nodes": node,
    "deployments": deployment,
    "daemonsets": daemonset,
    "replicasets": replicaset,
    "statefulsets": statefulset,
    "services": service,
    "endpoints": endpoints,
    "events": event,
    "namespaces": namespace,
    "configmaps": configmap,
    "secrets": secret,
    "poddisruptionbudgets": budget,
    "horizontalpodautoscalers": autoscaler,
    "resourcequotas": quota,
    "leases": lease,
    "ingresses": ingress,
    "jobs": job,
    "serviceaccounts": service_account,
}
