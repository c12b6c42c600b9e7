"""The kubelets: bound pods pull, start, become ready and stop, after seeded delays, with the events that real ones send.

What cannot be pulled or ends by itself is tried again as by a kubelet: after 10 s, then twice as long each time, up to 5 min.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING

from cockpit.rehearsal import containers, draws
from cockpit.rehearsal.cluster import Cluster
from cockpit.rehearsal.containers import BACK_OFF, PULL_BACK_OFF, PULL_FAILED, Exit
from cockpit.rehearsal.images import Start
from cockpit.rehearsal.kube.errors import Obj
from cockpit.rehearsal.objects import key, set_condition, terminating
from cockpit.rehearsal.patience import Patience
from cockpit.rehearsal.reconcile import reconcile
from cockpit.rehearsal.registry_content import image_id
from cockpit.rehearsal.runtime import start_of

if TYPE_CHECKING:
    from cockpit.rehearsal.objects import Key

SOURCE = "kubelet"
START = (1.0, 3.0)
READY = (3.0, 8.0)
STOP = (2.0, 6.0)
"""Virtual seconds: from bound to running, from running to ready, from asked to gone."""
SYNC = 2.0
"""Virtual seconds until a kubelet looks at a pod again whose image it could not pull."""
AGAIN = "again"
"""The timer by which something else makes a kubelet ask at once whether a pod's running containers go on running."""

Fails = Callable[[Obj, Obj, str], Exit | None]


class Kubelets:
    """All nodes' kubelets in one. `fails` says how a container of that name ends by itself, if it does; asked at each start."""

    def __init__(self, cluster: Cluster) -> None:
        self.fails: Fails = lambda _pod, _node, _name: None
        self._cluster = cluster
        self._addresses: dict[str, set[int]] = defaultdict(set)
        self._pulled: set[tuple[str, str]] = set()
        self._stopping: set[str] = set()
        self._patience = Patience(cluster)
        self._doomed: dict[tuple[str, str], Exit] = {}

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
        """A timer of `run` has gone off; it may be for one container of a pod (`end/NAME`)."""
        pod = self._cluster.storage.find("pods", *who)
        # A node that is gone takes its kubelet with it.
        if pod is None or pod["metadata"]["uid"] != uid or not self._cluster.storage.find("nodes", None, pod["spec"]["nodeName"]):
            return
        verb, _, name = kind.partition("/")
        if verb == "stop":
            self._stop(pod)
        elif not terminating(pod):
            self._act(verb, pod, name)

    def _act(self, verb: str, pod: Obj, name: str) -> None:
        if verb == "start":
            self._start(pod)
        elif verb == "ready":
            self._ready(pod)
        elif verb == AGAIN:
            self._ask_again(pod)
        elif verb == "end":
            self._end(pod, name)
        elif verb == "wait":
            self._wait_for_image(pod, name)
        else:
            self._try_again(pod, name)

    def _ask_to_stop(self, pod: Obj) -> None:
        if pod["metadata"]["uid"] in self._stopping:
            return
        self._stopping.add(pod["metadata"]["uid"])
        for container in pod["spec"]["containers"]:
            self._cluster.event(pod, "Normal", "Killing", f"Stopping container {container['name']}", SOURCE)
        self._later("stop", pod, STOP)

    def _later(self, kind: str, pod: Obj, span: tuple[float, float]) -> None:
        seconds = 0.0 if self._cluster.quiet else draws.between(*span, self._cluster.seed, kind, *key(pod))
        self._after(seconds, kind, pod)

    def _after(self, seconds: float, kind: str, pod: Obj) -> None:
        self._cluster.after(seconds, kind, key(pod), pod["metadata"]["uid"])

    def _accept(self, pod: Obj) -> None:
        """The node has taken the pod: ContainerCreating."""
        now = self._cluster.stamp
        node = self._cluster.storage.find("nodes", None, pod["spec"]["nodeName"])
        status = containers.copied(pod)
        status |= {"phase": "Pending", "startTime": now, "hostIP": _internal_ip(node)}
        status["containerStatuses"] = [containers.created(c) for c in pod["spec"]["containers"]]
        names = [c["name"] for c in pod["spec"]["containers"]]
        set_condition(status, {**containers.pod_condition("PodReadyToStartContainers", now), "status": "False"})
        set_condition(status, containers.pod_condition("Initialized", now))
        for kind in ("Ready", "ContainersReady"):
            set_condition(status, containers.pod_condition(kind, now, names))
        new = self._cluster.set_status("pods", pod, status)
        self._later("start", new, START)

    def _start(self, pod: Obj) -> None:
        """The sandbox is there: pull and run every container; no readiness probe has passed yet."""
        now, status = self._cluster.stamp, containers.copied(pod)
        address = status["hostIP"] if pod["spec"].get("hostNetwork") else self._address(pod)
        status |= {"podIP": address, "podIPs": [{"ip": address}]}
        set_condition(status, containers.pod_condition("PodReadyToStartContainers", now))
        self._store(pod, status)
        for container in pod["spec"]["containers"]:
            self._run(key(pod), container)
        self._later("ready", pod, READY)

    def _store(self, pod: Obj, status: Obj) -> Obj:
        return self._cluster.set_status("pods", pod, containers.settle(status, self._cluster.stamp))

    def _run(self, who: Key, container: Obj) -> None:
        """Pull and start one container; a second start counts as a restart."""
        cluster, name = self._cluster, container["name"]
        pod = cluster.storage.get("pods", *who)
        node = cluster.storage.get("nodes", None, pod["spec"]["nodeName"])
        comes = start_of(cluster, container["image"], node)
        status = containers.copied(pod)
        mine = containers.entry(status, name)
        if comes is Start.NO_MATCH:
            self._pull_failed(pod, status, mine, container)
            return
        old = dict(mine)
        pulled = image_id(container["image"], cluster.images.of(container["image"]))
        mine |= containers.started(container, pulled, cluster.seed, cluster.step, cluster.stamp)
        if "containerID" in old:
            mine |= {"restartCount": old["restartCount"] + 1, "lastState": _ended(old)}
        new = self._store(pod, status)
        self._say_started(new, container)
        self._doom(new, container, self._exit(comes, new, node, name))

    def _exit(self, comes: Start, pod: Obj, node: Obj, name: str) -> Exit | None:
        if comes is Start.EXEC_FORMAT:
            # runc's init cannot execute the entry point: it writes that into the container's log and ends with 255.
            return Exit(255, f"exec /usr/local/bin/{name}: exec format error\n")
        return self.fails(pod, node, name)

    def _doom(self, pod: Obj, container: Obj, end: Exit | None) -> None:
        who = (pod["metadata"]["uid"], container["name"])
        self._doomed.pop(who, None)
        if end is not None:
            self._doomed[who] = end
            self._after(end.after, f"end/{container['name']}", pod)

    def _ask_again(self, pod: Obj) -> None:
        node = self._cluster.storage.get("nodes", None, pod["spec"]["nodeName"])
        for container in pod["spec"]["containers"]:
            running = "running" in containers.entry(pod["status"], container["name"])["state"]
            if running and (pod["metadata"]["uid"], container["name"]) not in self._doomed:
                self._doom(pod, container, self.fails(pod, node, container["name"]))

    def _end(self, pod: Obj, name: str) -> None:
        """A container has ended. The first time it is started again at once, then after a growing wait."""
        end = self._doomed.pop((pod["metadata"]["uid"], name), None)
        status = containers.copied(pod)
        mine = containers.entry(status, name)
        if end is None or "running" not in mine["state"]:
            return
        state = containers.terminated(mine, _spec(pod, name), end, self._cluster.stamp)
        mine |= {"ready": False, "started": False, "state": state}
        seconds = self._patience.wait(pod, name)
        if seconds:
            words = containers.crash_words(pod, name, seconds)
            mine |= {"state": {"waiting": {"reason": BACK_OFF, "message": words}}, "lastState": state}
            text = f"Back-off restarting failed container {name} in pod {containers.full_name(pod)}"
            self._cluster.event(pod, "Warning", "BackOff", text, SOURCE)
        self._store(pod, status)
        self._after(max(1.0, seconds), f"run/{name}", pod)

    def _try_again(self, pod: Obj, name: str) -> None:
        self._run(key(pod), _spec(pod, name))
        again = self._cluster.storage.get("pods", *key(pod))
        if "running" in containers.entry(again["status"], name)["state"]:
            self._later("ready", again, READY)

    def _pull_failed(self, pod: Obj, status: Obj, mine: Obj, container: Obj) -> None:
        image, tell = container["image"], self._cluster.event
        why = containers.no_match(image)
        mine["state"] = {"waiting": {"reason": PULL_FAILED, "message": why}}
        self._store(pod, status)
        tell(pod, "Normal", "Pulling", f'Pulling image "{image}"', SOURCE)
        tell(pod, "Warning", "Failed", f'Failed to pull image "{image}": {why}', SOURCE)
        tell(pod, "Warning", "Failed", f"Error: {PULL_FAILED}", SOURCE)
        self._after(SYNC, f"wait/{container['name']}", pod)

    def _wait_for_image(self, pod: Obj, name: str) -> None:
        status, image = containers.copied(pod), _spec(pod, name)["image"]
        text = f'Back-off pulling image "{image}"'
        words = f"{text}: {PULL_FAILED}: {containers.no_match(image)}"
        containers.entry(status, name)["state"] = {"waiting": {"reason": PULL_BACK_OFF, "message": words}}
        self._store(pod, status)
        self._cluster.event(pod, "Normal", "BackOff", text, SOURCE)
        self._cluster.event(pod, "Warning", "Failed", f"Error: {PULL_BACK_OFF}", SOURCE)
        self._after(self._patience.pull(pod, name) - SYNC, f"run/{name}", pod)

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
        """The readiness probes of what runs, and goes on running, have passed."""
        status, uid = containers.copied(pod), pod["metadata"]["uid"]
        for mine in status["containerStatuses"]:
            mine["ready"] |= "running" in mine["state"] and (uid, mine["name"]) not in self._doomed
        self._store(pod, status)

    def _stop(self, pod: Obj) -> None:
        uid = pod["metadata"]["uid"]
        self._stopping.discard(uid)
        for container in pod["spec"]["containers"]:
            self._doomed.pop((uid, container["name"]), None)
            self._patience.forget(uid, container["name"])
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


def _ended(status: Obj) -> Obj:
    """How a container ended last, from its status before the next start."""
    last: Obj = status["state"] if "terminated" in status["state"] else status["lastState"]
    return last


def _spec(pod: Obj, name: str) -> Obj:
    found: Obj = next(c for c in pod["spec"]["containers"] if c["name"] == name)
    return found


def _internal_ip(node: Obj | None) -> str:
    addresses = node["status"]["addresses"] if node else []
    return next((str(a["address"]) for a in addresses if a["type"] == "InternalIP"), "")
