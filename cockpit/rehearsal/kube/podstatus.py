"""The one-word status of a pod, as the server computes it for kubectl's STATUS column."""

from __future__ import annotations

from datetime import datetime

from cockpit.rehearsal.kube.duration import age
from cockpit.rehearsal.kube.errors import Obj


def status_word(pod: Obj) -> str:
    """Running, Pending, CrashLoopBackOff, Terminating, Init:0/1, ..."""
    status = pod.get("status") or {}
    word: str = status.get("reason") or status.get("phase") or "Unknown"
    if word == status.get("phase") and any(c.get("reason") == "SchedulingGated" for c in status.get("conditions") or []):
        word = "SchedulingGated"
    init = _init_word(pod, status)
    word = init or _container_word(status, word)
    if pod["metadata"].get("deletionTimestamp"):
        return "Unknown" if status.get("reason") == "NodeLost" else "Terminating"
    return word


def _init_word(pod: Obj, status: Obj) -> str:
    total = len((pod.get("spec") or {}).get("initContainers") or [])
    for done, container in enumerate(status.get("initContainerStatuses") or []):
        state = container.get("state") or {}
        ended, waiting = state.get("terminated"), state.get("waiting") or {}
        if ended and ended.get("exitCode", 0) == 0:
            continue
        if ended:
            return f"Init:{_ended(ended)}"
        if waiting.get("reason") not in (None, "", "PodInitializing"):
            return f"Init:{waiting['reason']}"
        return f"Init:{done}/{total}"
    return ""


def _ended(ended: Obj) -> str:
    if ended.get("reason"):
        return str(ended["reason"])
    return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode', 0)}"


def _container_word(status: Obj, word: str) -> str:
    running = False
    for container in reversed(status.get("containerStatuses") or []):
        state = container.get("state") or {}
        if (state.get("waiting") or {}).get("reason"):
            word = state["waiting"]["reason"]
        elif state.get("terminated"):
            word = _ended(state["terminated"])
        elif container.get("ready") and "running" in state:
            running = True
    if word == "Completed" and running:
        ready = any(c.get("type") == "Ready" and c.get("status") == "True" for c in status.get("conditions") or [])
        return "Running" if ready else "NotReady"
    return word


def ready_count(pod: Obj) -> str:
    """Ready containers of all: `1/2`."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    ready = sum(bool(c.get("ready")) and "running" in (c.get("state") or {}) for c in statuses)
    return f"{ready}/{len((pod.get('spec') or {}).get('containers') or [])}"


def restarts(pod: Obj, now: datetime) -> str:
    """Restarts of all containers, with the age of the last: `3 (2m ago)`."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    total = sum(c.get("restartCount", 0) for c in statuses)
    ends = [((c.get("lastState") or {}).get("terminated") or {}).get("finishedAt") for c in statuses]
    last = max((e for e in ends if e), default=None)
    return f"{total} ({age(last, now)} ago)" if total and last else str(total)
