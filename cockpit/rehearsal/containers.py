"""The status of containers and pods as a kubelet writes it, in its words and containerd's."""

from __future__ import annotations

from dataclasses import dataclass

from cockpit.rehearsal import draws
from cockpit.rehearsal.kube.errors import Obj
from cockpit.rehearsal.objects import clone, key, set_condition

BACK_OFF = "CrashLoopBackOff"
PULL_FAILED, PULL_BACK_OFF = "ErrImagePull", "ImagePullBackOff"


@dataclass(frozen=True, slots=True)
class Exit:
    """How a container ends by itself, `after` virtual seconds. `log` is the last that it wrote."""

    code: int
    log: str
    after: float = 1.0


def created(container: Obj) -> Obj:
    """The status of a container whose pod has just been accepted."""
    return _entry(container, {"waiting": {"reason": "ContainerCreating"}}) | {"started": False}


def started(container: Obj, image_id: str, seed: int, step: int, now: str) -> Obj:
    """The status of a container that runs for the first time, not ready yet."""
    running = _entry(container, {"running": {"startedAt": now}}, image_id)
    return running | {"started": True, "containerID": container_id(seed, container["image"], step)}


def container_id(seed: int, image: str, step: int) -> str:
    """A new container's ID."""
    return f"containerd://{draws.number(seed, (image, step), 32):064x}"


def _entry(container: Obj, state: Obj, digest: str = "") -> Obj:
    base = {"name": container["name"], "image": container["image"], "imageID": digest, "ready": False, "restartCount": 0}
    return {**base, "state": state, "lastState": {}}


def terminated(status: Obj, container: Obj, end: Exit, now: str) -> Obj:
    """The state of a container that has ended. Its last words are told only where `terminationMessagePolicy` takes the log."""
    since = status["state"].get("running", {}).get("startedAt", now)
    state = {"exitCode": end.code, "reason": "Error", "startedAt": since, "finishedAt": now}
    state |= {"containerID": status["containerID"]}
    if container.get("terminationMessagePolicy") == "FallbackToLogsOnError":
        state["message"] = end.log
    return {"terminated": state}


def crash_words(pod: Obj, name: str, seconds: float) -> str:
    """The message of a container that waits before it is started again."""
    return f"back-off {_duration(seconds)} restarting failed container={name} pod={full_name(pod)}"


def full_name(pod: Obj) -> str:
    """A pod as kubelets name it in messages: `name_namespace(uid)`."""
    namespace, name = key(pod)
    return f"{name}_{namespace}({pod['metadata']['uid']})"


def no_match(image: str) -> str:
    """containerd's error for an index that has no build for the node."""
    why = "no match for platform in manifest: not found"
    return f'rpc error: code = NotFound desc = failed to pull and unpack image "{image}": {why}'


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def entry(status: Obj, name: str) -> Obj:
    """The status of a container, to be changed in place."""
    found: Obj = next(c for c in status["containerStatuses"] if c["name"] == name)
    return found


def settle(status: Obj, now: str) -> Obj:
    """Make the pod's phase and conditions follow from its containers."""
    held = status["containerStatuses"]
    unready = [c["name"] for c in held if not c["ready"]]
    ran = any("running" in c["state"] or c["state"].get("terminated") or c["lastState"] for c in held)
    status["phase"] = "Running" if ran else "Pending"
    for kind in ("Ready", "ContainersReady"):
        set_condition(status, pod_condition(kind, now, unready))
    return status


def pod_condition(kind: str, now: str, unready: list[str] | None = None) -> Obj:
    """A pod's condition that holds, or one that does not for these containers."""
    new: Obj = {"type": kind, "status": "False" if unready else "True", "lastProbeTime": None, "lastTransitionTime": now}
    words = f"containers with unready status: [{' '.join(unready)}]" if unready else ""
    return new | ({"reason": "ContainersNotReady", "message": words} if unready else {})


def copied(pod: Obj) -> Obj:
    """The pod's status, to be changed."""
    return clone(pod.get("status") or {})
