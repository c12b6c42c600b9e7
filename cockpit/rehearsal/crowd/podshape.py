"""The shapes of pods: those of services as an EKS cluster lists them, and those of the world's own DaemonSets."""

from __future__ import annotations

from cockpit.rehearsal.crowd.shapes import BORN, WHEN, condition_fields, grown, managed
from cockpit.rehearsal.crowd.template import hole
from cockpit.rehearsal.kube.errors import Obj
from cockpit.rehearsal.objects import clone

_CONDITIONS = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
_REGISTRY = "111122223333.dkr.ecr.ap-south-1.amazonaws.com"
_MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


def service_pod(namespace: str, app: str, revision: str, owner: str, size: int, *, ready: bool) -> Obj:
    """A pod of a service with a proxy beside it; `owner` is the UID of its ReplicaSet."""
    names, controller = (app, "envoy"), f"{app}-{revision}"
    labels = {"app": app, "app.kubernetes.io/name": app, "app.kubernetes.io/part-of": namespace, "pod-template-hash": revision}
    notes = {"kubectl.kubernetes.io/restartedAt": BORN, "prometheus.io/scrape": "true", "prometheus.io/port": "9102"}
    reference = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": controller, "uid": owner}
    meta = _meta(namespace, f"{controller}-", labels, {**reference, "controller": True, "blockOwnerDeletion": True})
    meta |= {"annotations": notes, "managedFields": _managed(names)}
    statuses = [_container_status(name, hole(f"id{n}"), ready or n == 1) for n, name in enumerate(names)]
    pod = {"metadata": meta, "spec": _service_spec(names), "status": _status(WHEN, None, statuses, ready=ready)}
    return grown(pod, size)


def agent_pod(pod: Obj, size: int) -> Obj:
    """A pod of the DaemonSet that `pod`, which is ready, is one of: on another node, and filled up."""
    old = clone(pod)
    meta, containers = old["metadata"], old["spec"]["containers"]
    owner = meta["ownerReferences"][0]
    names = tuple(c["name"] for c in containers)
    new = _meta(meta["namespace"], f"{owner['name']}-", meta["labels"], owner) | {"managedFields": _managed(names)}
    statuses = [s | _running(hole(f"id{n % 2}"), BORN) for n, s in enumerate(old["status"]["containerStatuses"])]
    status = _status(BORN, WHEN, statuses, ready=True)
    if old["spec"].get("hostNetwork"):
        status |= {"podIP": hole("host"), "podIPs": [{"ip": hole("host")}]}
    field = {"key": "metadata.name", "operator": "In", "values": [hole("node")]}
    pinned = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchFields": [field]}]}}
    spec = {**old["spec"], "nodeName": hole("node"), "affinity": {"nodeAffinity": pinned}}
    return grown({"metadata": new, "spec": spec, "status": status}, size)


def _meta(namespace: str, generated: str, labels: Obj, owner: Obj) -> Obj:
    return {
        "name": hole("name"),
        "generateName": generated,
        "namespace": namespace,
        "uid": hole("uid"),
        "resourceVersion": hole("version"),
        "creationTimestamp": BORN,
        "labels": labels,
        "ownerReferences": [owner],
    }


def _managed(names: tuple[str, ...]) -> list[Obj]:
    fields: Obj = {f'k:{{"name":"{n}"}}': {".": {}, "f:image": {}, "f:name": {}, "f:resources": {}} for n in names}
    spec: Obj = {"f:metadata": {"f:labels": {".": {}, "f:app": {}}, "f:ownerReferences": {".": {}}}}
    spec |= {"f:spec": {"f:containers": fields}}
    return [managed("kube-controller-manager", BORN, spec), managed("kubelet", WHEN, condition_fields(_CONDITIONS), "status")]


def _service_spec(names: tuple[str, ...]) -> Obj:
    access = f"kube-api-access-{hole('access')}"
    token: Obj = {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}}
    root = {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}}
    unreachable = [
        {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
        for key in ("not-ready", "unreachable")
    ]
    return {
        "volumes": [
            {"name": "config", "configMap": {"name": f"{names[0]}-config", "defaultMode": 420}},
            {"name": access, "projected": {"sources": [token, root], "defaultMode": 420}},
        ],
        "containers": [_service_container(names[0], access), _container(names[1], access)],
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 60,
        "dnsPolicy": "ClusterFirst",
        "serviceAccountName": names[0],
        "serviceAccount": names[0],
        "nodeName": hole("node"),
        "securityContext": {"runAsNonRoot": True, "fsGroup": 2000},
        "schedulerName": "default-scheduler",
        "tolerations": unreachable,
        "priority": 0,
        "enableServiceLinks": True,
        "preemptionPolicy": "PreemptLowerPriority",
    }


def _service_container(name: str, access: str) -> Obj:
    field = {"name": "POD_NAME", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}}
    made = _container(name, access)
    made["volumeMounts"].append({"name": "config", "readOnly": True, "mountPath": "/etc/service"})
    return made | {
        "args": ["--config=/etc/service/config.yaml", "--listen=0.0.0.0:8080"],
        "env": [field, {"name": "LOG_LEVEL", "value": "info"}, {"name": "OTEL_SERVICE_NAME", "value": name}],
        "livenessProbe": made["readinessProbe"],
    }


def _container(name: str, access: str) -> Obj:
    probe = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
    return {
        "name": name,
        "image": f"{_REGISTRY}/{name}:1.42.7",
        "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
        "resources": {"limits": {"memory": "256Mi"}, "requests": {"cpu": "50m", "memory": "128Mi"}},
        "volumeMounts": [{"name": access, "readOnly": True, "mountPath": _MOUNT}],
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": 8080, "scheme": "HTTP"}, **probe},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "imagePullPolicy": "IfNotPresent",
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }


def _running(identity: str, since: str) -> Obj:
    return {"containerID": f"containerd://{identity}", "state": {"running": {"startedAt": since}}}


def _container_status(name: str, identity: str, ready: bool) -> Obj:
    image = f"{_REGISTRY}/{name}"
    return {
        "name": name,
        **_running(identity, BORN),
        "lastState": {},
        "ready": ready,
        "restartCount": 0,
        "image": f"{image}:1.42.7",
        "imageID": f"{image}@sha256:{'0d1f3cd3ca1dd7c9' * 4}",
        "started": True,
    }


def _status(moved: str, probed: str | None, statuses: list[Obj], *, ready: bool) -> Obj:
    """`moved` is when readiness changed last, `probed` when it was confirmed."""
    conditions: list[Obj] = []
    for kind in _CONDITIONS:
        follows = kind in ("Ready", "ContainersReady")
        entry: Obj = {"type": kind, "status": "True", "lastProbeTime": probed, "lastTransitionTime": moved if follows else BORN}
        if follows and not ready:
            named = f"[{statuses[0]['name']}]"
            entry |= {"status": "False", "reason": "ContainersNotReady", "message": f"containers with unready status: {named}"}
        conditions.append(entry)
    addresses: Obj = {"hostIP": hole("host"), "hostIPs": [{"ip": hole("host")}]}
    addresses |= {"podIP": hole("ip"), "podIPs": [{"ip": hole("ip")}]}
    head = {"phase": "Running", "conditions": conditions, **addresses, "startTime": BORN}
    return {**head, "containerStatuses": statuses, "qosClass": "Burstable"}
