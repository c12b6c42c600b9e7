"""What `kubectl logs` and `kubectl exec` show of the embedded pods."""

from __future__ import annotations

from collections.abc import Sequence

from cockpit.rehearsal import shell
from cockpit.rehearsal.cluster import Cluster
from cockpit.rehearsal.kube.errors import Obj


class PodHooks:
    """The kubelets' part of the API: pods stop gracefully, and have a short log once they run."""

    graceful = True

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def execute(self, pod: Obj, container: str, command: Sequence[str]) -> tuple[int, bytes]:
        """What the container prints; it knows the commands that ask for the architecture."""
        return shell.execute(self._cluster, pod, container, command)

    def log(self, pod: Obj, container: str, previous: bool) -> str | None:
        """A start and a ready line; None for a container that has not started, or a previous one that never was."""
        statuses = pod.get("status", {}).get("containerStatuses") or []
        found = next((s for s in statuses if s["name"] == container), None)
        if found is None:
            return None
        if previous or "running" not in found["state"]:
            return _last_words(found, previous=previous)
        started = found["state"]["running"]["startedAt"]
        lines = [f"{started} INFO starting {container} ({found['image']})"]
        lines += [f"{started} INFO listening on :8080"] if found["ready"] else []
        return "".join(f"{line}\n" for line in lines)


def _last_words(status: Obj, *, previous: bool) -> str | None:
    """What a container that has ended wrote last, as far as its status tells."""
    ended = status["lastState"].get("terminated") or (None if previous else status["state"].get("terminated"))
    return ended.get("message", "") if ended else None
