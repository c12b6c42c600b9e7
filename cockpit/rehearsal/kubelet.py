"""The kubelets: bound pods pull, start, become ready and stop, after seeded delays, with the events that real ones send."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from cockpit.rehearsal import draws
from cockpit.rehearsal.cluster import Cluster
from cockpit.rehearsal.kube.errors import Obj
from cockpit.rehearsal.objects import clone, condition, key, set_condition, terminating
from cockpit.rehearsal.reconcile import reconcile

if TYPE_CHECKING:
    from cockpit.rehearsal.objects import Key

SOURCE = "kubelet"
START = (1.0, 3.0)
READY = (3.0, 8.0)
STOP = (2.0, 6.0)
"""Virtual seconds: from bound to running, from running to ready, from asked to gone."""


class Kubelets:
    """All nodes' kubelets in one."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._addresses: dict[str, set[int]] = defaultdict(set)
        self._pulled: set[tuple[str, str]] = set()
        self._stopping: set[str] = set()

    def run(self) -> None:
        """Look at every bound pod that is marked: new ones start, terminating ones stop."""
        reconcile(self._cluster, "pods", self._cluster.dirty.pods, self._look)

    def _look(self, pod: Obj) -> None:
        if not pod["spec"].get("nodeName"):
            return
        if terminating(pod):
            self._ask_to_stop(pod)
        elif "containerStatuses" not in pod.get("status", {}):
            self._accept(pod)

    def ring(self, kind: str, who: Key, uid: str) -> None:
        """A timer of `run` has gone off."""
        pod = self._cluster.storage.find("pods", *who)
        # A node that is gone takes its kubelet with it.
        if pod is None or pod["metadata"]["uid"] != uid or not self._cluster.storage.find("nodes", None, pod["spec"]["nodeName"]):
            return
        if kind == "stop":
            self._stop(pod)
        elif kind == "start" and not terminating(pod):
            self._start(pod)
        elif kind == "ready" and not terminating(pod):
            self._ready(pod)

    def _ask_to_stop(self, pod: Obj) -> None:
        if pod["metadata"]["uid"] in self._stopping:
            return
        self._stopping.add(pod["metadata"]["uid"])
        for container in pod["spec"]["containers"]:
            self._cluster.event(pod, "Normal", "Killing", f"Stopping container {container['name']}", SOURCE)
        self._later("stop", pod, STOP)

    def _later(self, kind: str, pod: Obj, span: tuple[float, float]) -> None:
        seconds = 0.0 if self._cluster.quiet else draws.between(*span, self._cluster.seed, kind, *key(pod))
        self._cluster.after(seconds, kind, key(pod), pod["metadata"]["uid"])

    def _accept(self, pod: Obj) -> None:
        """The node has taken the pod: ContainerCreating."""
        now = self._cluster.stamp
        node = self._cluster.storage.find("nodes", None, pod["spec"]["nodeName"])
        status = clone(pod.get("status") or {})
        status |= {"phase": "Pending", "startTime": now, "hostIP": _internal_ip(node)}
        waiting = {"waiting": {"reason": "ContainerCreating"}}
        status["containerStatuses"] = [self._container(c, waiting, started=False) for c in pod["spec"]["containers"]]
        set_condition(status, self._condition("PodReadyToStartContainers", "False"))
        set_condition(status, self._condition("Initialized", "True"))
        for kind in ("Ready", "ContainersReady"):
            set_condition(status, self._condition(kind, "False", _unready(pod)))
        new = self._cluster.set_status("pods", pod, status)
        self._later("start", new, START)

    def _start(self, pod: Obj) -> None:
        """Image pulled, containers running, readiness probe not passed yet."""
        now, spec = self._cluster.stamp, pod["spec"]
        status = clone(pod["status"])
        running = {"running": {"startedAt": now}}
        address = status["hostIP"] if spec.get("hostNetwork") else self._address(pod)
        status |= {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}]}
        status["containerStatuses"] = [self._container(c, running, started=True) for c in spec["containers"]]
        set_condition(status, self._condition("PodReadyToStartContainers", "True"))
        new = self._cluster.set_status("pods", pod, status)
        for container in spec["containers"]:
            self._say_started(new, container)
        self._later("ready", new, READY)

    def _say_started(self, pod: Obj, container: Obj) -> None:
        image, name, tell = container["image"], container["name"], self._cluster.event
        where = (pod["spec"]["nodeName"], image)
        if where in self._pulled:
            tell(pod, "Normal", "Pulled", f'Container image "{image}" already present on machine', SOURCE)
        else:
            took = draws.between(0.4, 2.5, self._cluster.seed, "pull", *where)
            text = (
                f'Successfully pulled image "{image}" in {took:.3f}s ({took:.3f}s including waiting). Image size: 48230912 bytes.'
            )
            tell(pod, "Normal", "Pulled", text, SOURCE)
        self._pulled.add(where)
        tell(pod, "Normal", "Created", f"Created container: {name}", SOURCE)
        tell(pod, "Normal", "Started", f"Started container {name}", SOURCE)

    def _ready(self, pod: Obj) -> None:
        status = clone(pod["status"])
        for container in status["containerStatuses"]:
            container["ready"] = True
        for kind in ("Ready", "ContainersReady"):
            old = condition(pod, kind)
            if old is not None and old["status"] != "True":
                set_condition(status, self._condition(kind, "True"))
        self._cluster.set_status("pods", pod, status)

    def _stop(self, pod: Obj) -> None:
        self._stopping.discard(pod["metadata"]["uid"])
        address = pod.get("status", {}).get("podIP", "")
        node = pod["spec"]["nodeName"]
        if address and address != pod["status"].get("hostIP"):
            self._addresses[node].discard(int(address.rsplit(".", 1)[1]))
        self._cluster.storage.delete("pods", *key(pod))

    def _address(self, pod: Obj) -> str:
        node = self._cluster.storage.get("nodes", None, pod["spec"]["nodeName"])
        taken = self._addresses[node["metadata"]["name"]]
        number = next(n for n in range(4, 255) if n not in taken)
        taken.add(number)
        return f"{node['spec']['podCIDR'].rsplit('.', 1)[0]}.{number}"

    def _condition(self, kind: str, status: str, unready: str = "") -> Obj:
        new: Obj = {"type": kind, "status": status, "lastProbeTime": None, "lastTransitionTime": self._cluster.stamp}
        return (
            {**new, "reason": "ContainersNotReady", "message": f"containers with unready status: [{unready}]"} if unready else new
        )

    def _container(self, container: Obj, state: Obj, *, started: bool) -> Obj:
        image = container["image"]
        digest = f"{image.rsplit(':', 1)[0]}@sha256:{draws.number(0, (image,), 32):064x}" if started else ""
        base = {"name": container["name"], "image": image, "imageID": digest, "ready": False, "restartCount": 0}
        more: Obj = {"started": started, "state": state, "lastState": {}}
        if started:
            more["containerID"] = f"containerd://{draws.number(self._cluster.seed, (image, self._cluster.step), 32):064x}"
        return {**base, **more}


def _unready(pod: Obj) -> str:
    return " ".join(c["name"] for c in pod["spec"]["containers"])


def _internal_ip(node: Obj | None) -> str:
    addresses = node["status"]["addresses"] if node else []
    return next((str(a["address"]) for a in addresses if a["type"] == "InternalIP"), "")
