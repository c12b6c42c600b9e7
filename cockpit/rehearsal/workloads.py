"""The workloads of the embedded cluster as manifests: the playbook's own, its agents, and quiet neighbours."""

from __future__ import annotations

from dataclasses import dataclass, field

from cockpit.model.arch import ARCH_LABEL, Arch
from cockpit.model.cluster import Ref
from cockpit.model.playbook import Agent, Playbook
from cockpit.rehearsal.kube.errors import Obj
from cockpit.rehearsal.nodes import CONTROL_PLANE, POOL, pool_label

PORT = 8080


@dataclass(frozen=True, slots=True)
class Workload:
    """What a manifest is made from. `cpu` and `memory` are what each pod asks for."""

    namespace: str
    name: str
    image: str
    replicas: int = 1
    cpu: str = "100m"
    memory: str = "128Mi"
    affinity: Obj = field(default_factory=dict)
    tolerations: tuple[Obj, ...] = ()
    host_network: bool = False


def deployment(workload: Workload) -> Obj:
    """A Deployment with the defaults that an API server fills in."""
    spec: Obj = {
        "replicas": workload.replicas,
        "selector": {"matchLabels": {"app": workload.name}},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
        "revisionHistoryLimit": 10,
        "progressDeadlineSeconds": 600,
        "template": _template(workload),
    }
    return {"metadata": _meta(workload), "spec": spec, "status": {}}


def daemonset(workload: Workload) -> Obj:
    """A DaemonSet with the defaults that an API server fills in."""
    spec: Obj = {
        "selector": {"matchLabels": {"app": workload.name}},
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}},
        "revisionHistoryLimit": 10,
        "template": _template(workload),
    }
    zero = {"currentNumberScheduled": 0, "desiredNumberScheduled": 0, "numberMisscheduled": 0, "numberReady": 0}
    return {"metadata": _meta(workload), "spec": spec, "status": zero}


def service(workload: Workload, address: str) -> Obj:
    """A ClusterIP Service in front of a workload."""
    spec: Obj = {
        "type": "ClusterIP",
        "clusterIP": address,
        "clusterIPs": [address],
        "selector": {"app": workload.name},
        "ports": [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": PORT}],
        "sessionAffinity": "None",
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "internalTrafficPolicy": "Cluster",
    }
    return {"metadata": _meta(workload), "spec": spec, "status": {"loadBalancer": {}}}


def _meta(workload: Workload) -> Obj:
    return {"name": workload.name, "namespace": workload.namespace, "labels": {"app": workload.name}}


def _template(workload: Workload) -> Obj:
    container: Obj = {
        "name": workload.name,
        "image": workload.image,
        "imagePullPolicy": "IfNotPresent",
        "resources": {
            "requests": {"cpu": workload.cpu, "memory": workload.memory},
            "limits": {"memory": workload.memory},
        },
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }
    if not workload.host_network:
        # On the host's network a port is the node's own: two agents with the same one would keep each other off it.
        container["ports"] = [{"containerPort": PORT, "protocol": "TCP", "name": "http"}]
    spec: Obj = {
        "containers": [container],
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "securityContext": {},
        "schedulerName": "default-scheduler",
    }
    spec |= {"affinity": workload.affinity} if workload.affinity else {}
    spec |= {"tolerations": list(workload.tolerations)} if workload.tolerations else {}
    spec |= {"hostNetwork": True} if workload.host_network else {}
    return {"metadata": {"labels": {"app": workload.name}}, "spec": spec}


def _required(key: str, value: str) -> Obj:
    term = {"matchExpressions": [{"key": key, "operator": "In", "values": [value]}]}
    return {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}


def _preferred(arch: Arch, weight: int) -> Obj:
    term = {"matchExpressions": [{"key": ARCH_LABEL, "operator": "In", "values": [arch.value]}]}
    return {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": weight, "preference": term}]}


def baseline(ref: Ref, playbook: Playbook) -> Workload:
    """The x86 path: only softly bound to its architecture, and required to stay in its pool of nodes."""
    node = _required(pool_label(playbook.target.namespace), POOL) | _preferred(playbook.target.from_arch, 50)
    return _service_workload(ref, ref.name, {"nodeAffinity": node})


def canary(ref: Ref, playbook: Playbook) -> Workload:
    """The Graviton path: required to run on its architecture."""
    node = _required(ARCH_LABEL, playbook.target.to_arch.value)
    return _service_workload(ref, playbook.target.baseline.name, {"nodeAffinity": node})


def _service_workload(ref: Ref, image: str, affinity: Obj) -> Workload:
    path = f"registry.example.com/{ref.namespace}/{image}:2.14.0"
    return Workload(ref.namespace, ref.name, path, replicas=12, cpu="500m", memory="1Gi", affinity=affinity)


def agent(item: Agent) -> Workload:
    """A node agent; those of kube-system run on the control plane too."""
    ref = item.daemonset
    image = item.certified_images[0] if item.certified_images else f"registry.example.com/{ref.namespace}/{ref.name}:1.8.3"
    system = ref.namespace == "kube-system"
    return Workload(ref.namespace, ref.name, image, cpu="50m", tolerations=_CONTROL_PLANE if system else (), host_network=system)


_CONTROL_PLANE = ({"key": CONTROL_PLANE, "operator": "Exists", "effect": "NoSchedule"},)

_PROXY_IMAGE = "registry.example.com/kube-system/kube-proxy:v1.33.4"
KUBE_PROXY = Workload("kube-system", "kube-proxy", _PROXY_IMAGE, tolerations=_CONTROL_PLANE, host_network=True)
NEIGHBOURS = (
    Workload("kube-system", "coredns", "registry.example.com/kube-system/coredns:v1.12.2", 2),
    Workload("kube-system", "metrics-server", "registry.example.com/kube-system/metrics-server:v0.8.0"),
    Workload("monitoring", "prometheus", "registry.example.com/monitoring/prometheus:v3.5.0", cpu="500m", memory="2Gi"),
    Workload("storefront", "catalogue", "registry.example.com/storefront/catalogue:8.0.1", 4, "250m", "512Mi"),
)
BESIDE = (Workload("payments", "ledger-export", "registry.example.com/payments/ledger-export:1.9.4", replicas=0),)
"""What shares the namespace of the bundled rehearsal with what is moved, so that its portability audit has something to find:
a helper that nobody has built for arm64 yet, scaled up by hand at the end of a month.
"""
