"""What `kubectl logs` shows of the embedded pods."""

from __future__ import annotations

from cockpit.rehearsal.kube.errors import Obj


class PodHooks:
    """The kubelets' part of the API: pods stop gracefully, and have a short log once they run."""

    graceful = True

    def log(self, pod: Obj, container: str, previous: bool) -> str | None:
        """A start and a ready line; None for a container that has not started, or a previous one that never was."""
        statuses = pod.get("status", {}).get("containerStatuses") or []
        found = next((s for s in statuses if s["name"] == container), None)
        if previous or found is None or "running" not in found["state"]:
            return None
        started = found["state"]["running"]["startedAt"]
        lines = [f"{started} INFO starting {container} ({found['image']})"]
        lines += [f"{started} INFO listening on :8080"] if found["ready"] else []
        return "".join(f"{line}\n" for line in lines)
