"""Pods as a real EKS cluster lists them: managed fields, volumes, probes, conditions and all."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from tests.bench.parts import REGISTRY, SEED, Object, conditions, digits, managed, moment, node_name, uid

NAMESPACES = ("payments", "orders", "search", "kube-system", "logging")


def pods(count: int) -> Iterator[Object]:
    """So many running pods of 6.7 KB, each of them another one; the same ones every time."""
    random = Random(SEED)
    return (_pod(random, n) for n in range(count))


def _pod(random: Random, n: int) -> Object:
    app, revision = f"service-{n % 200:03}", digits(Random(n % 200), 10)
    space, time, ip = NAMESPACES[n % 5], moment(random), f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"
    names = (app, "envoy")
    return {
        "metadata": {
            "name": f"{app}-{revision}-{digits(random, 5)}",
            "generateName": f"{app}-{revision}-",
            "namespace": space,
            "uid": uid(random),
            "resourceVersion": str(40_000_000 + n),
            "creationTimestamp": time,
            "labels": {
                "app": app,
                "app.kubernetes.io/name": app,
                "app.kubernetes.io/part-of": "shop",
                "pod-template-hash": revision,
                "team": f"team-{n % 17}",
            },
            "annotations": {
                "kubectl.kubernetes.io/restartedAt": time,
                "prometheus.io/scrape": "true",
                "prometheus.io/port": "9102",
            },
            "ownerReferences": [
                {
                    "apiVersion": "apps/v1",
                    "kind": "ReplicaSet",
                    "name": f"{app}-{revision}",
                    "uid": uid(random),
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
            "managedFields": [
                managed("kube-controller-manager", time, names),
                managed("kubelet", time, ("ContainersReady", "Initialized", "Ready"), "status"),
            ],
        },
        "spec": _pod_spec(random, n, names),
        "status": {
            "phase": "Running",
            "conditions": conditions(("Initialized", "Ready", "ContainersReady", "PodScheduled"), time),
            "hostIP": f"10.200.{n % 200}.{n % 250}",
            "podIP": ip,
            "podIPs": [{"ip": ip}],
            "startTime": time,
            "containerStatuses": [_container_status(random, name, time) for name in names],
            "qosClass": "Burstable",
        },
    }


def _pod_spec(random: Random, n: int, names: tuple[str, ...]) -> Object:
    access = f"kube-api-access-{digits(random, 5)}"
    token: Object = {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}}
    root = {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}}
    return {
        "volumes": [
            {"name": "config", "configMap": {"name": f"{names[0]}-config", "defaultMode": 420}},
            {"name": access, "projected": {"sources": [token, root], "defaultMode": 420}},
        ],
        "containers": [_container(name, access) for name in names],
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 60,
        "dnsPolicy": "ClusterFirst",
        "serviceAccountName": names[0],
        "serviceAccount": names[0],
        "nodeName": node_name(n % 5000),
        "securityContext": {"runAsNonRoot": True, "fsGroup": 2000},
        "affinity": {
            "podAntiAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {
                        "weight": 100,
                        "podAffinityTerm": {
                            "labelSelector": {"matchLabels": {"app": names[0]}},
                            "topologyKey": "kubernetes.io/hostname",
                        },
                    }
                ]
            }
        },
        "schedulerName": "default-scheduler",
        "tolerations": [
            {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
            for key in ("not-ready", "unreachable")
        ],
        "priority": 0,
        "enableServiceLinks": True,
        "preemptionPolicy": "PreemptLowerPriority",
    }


def _container(name: str, access: str) -> Object:
    probe = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
    probe_at = {"httpGet": {"path": "/healthz", "port": 8080, "scheme": "HTTP"}}
    values = {
        "LOG_LEVEL": "info",
        "REGION": "ap-south-1",
        "OTEL_SERVICE_NAME": name,
        "DB_HOST": f"{name}.db.internal.example.com",
    }
    field = {"name": "POD_NAME", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}}
    return {
        "name": name,
        "image": f"{REGISTRY}/{name}:1.42.7",
        "args": ["--config=/etc/service/config.yaml", "--listen=0.0.0.0:8080"],
        "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
        "env": [field, *({"name": key, "value": value} for key, value in values.items())],
        "resources": {"limits": {"memory": "1Gi"}, "requests": {"cpu": "250m", "memory": "512Mi"}},
        "volumeMounts": [
            {"name": "config", "readOnly": True, "mountPath": "/etc/service"},
            {"name": access, "readOnly": True, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"},
        ],
        "livenessProbe": probe_at | probe,
        "readinessProbe": probe_at | probe,
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "imagePullPolicy": "IfNotPresent",
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }


def _container_status(random: Random, name: str, time: str) -> Object:
    image = f"{REGISTRY}/{name}"
    return {
        "name": name,
        "state": {"running": {"startedAt": time}},
        "lastState": {},
        "ready": True,
        "restartCount": 0,
        "image": f"{image}:1.42.7",
        "imageID": f"{image}@sha256:{digits(Random(name), 64)}",
        "containerID": f"containerd://{digits(random, 64)}",
        "started": True,
    }
