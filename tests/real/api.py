"""A small blocking client for the tests themselves: plain JSON against the real API server, as one of its users."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

import httpx

Obj = dict[str, Any]

APPS, CORE, RBAC, POLICY = "/apis/apps/v1", "/api/v1", "/apis/rbac.authorization.k8s.io/v1", "/apis/policy/v1"
_HOMES = {
    "nodes": CORE,
    "namespaces": CORE,
    "pods": CORE,
    "services": CORE,
    "configmaps": CORE,
    "events": CORE,
    "resourcequotas": CORE,
    "horizontalpodautoscalers": "/apis/autoscaling/v2",
    "deployments": APPS,
    "daemonsets": APPS,
    "replicasets": APPS,
    "leases": "/apis/coordination.k8s.io/v1",
    "roles": RBAC,
    "rolebindings": RBAC,
    "clusterroles": RBAC,
    "clusterrolebindings": RBAC,
    "poddisruptionbudgets": POLICY,
}


def path(resource: str, namespace: str = "", name: str = "", subresource: str = "") -> str:
    """The path of a collection, an object or a subresource."""
    parts = [_HOMES[resource], *(["namespaces", namespace] if namespace else []), resource, name, subresource]
    return "/".join(part for part in parts if part)


class Refusal(Exception):
    """The server said no: `code` and the whole Status in `status`."""

    def __init__(self, code: int, status: Obj) -> None:
        super().__init__(f"{code} {status.get('reason', '')}: {status.get('message', '')}")
        self.code = code
        self.status = status


class Api:
    """Requests as one user. Thread-safe."""

    def __init__(self, server: str, authority: str, token: str) -> None:
        self._client = httpx.Client(
            base_url=server,
            verify=ssl.create_default_context(cafile=authority),
            headers={"Authorization": f"Bearer {token}", "User-Agent": "real-plane-tests"},
            timeout=30.0,
            trust_env=False,
        )

    def __enter__(self) -> Api:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._client.close()

    def raw(self, method: str, where: str, **more: Any) -> httpx.Response:
        """Any request, whatever the answer's status: for tests of the answers themselves."""
        return self._client.request(method, where, **more)

    def ask(self, method: str, where: str, body: object = None, **more: Any) -> Obj:
        """A request whose answer is JSON. Refusal for a status of 400 or above."""
        answer = self.raw(method, where, json=body, **more) if body is not None else self.raw(method, where, **more)
        if answer.status_code >= 400:
            raise Refusal(answer.status_code, _status(answer))
        found: Obj = answer.json()
        return found

    def get(self, resource: str, namespace: str = "", name: str = "") -> Obj:
        """One object, or a list without a name."""
        return self.ask("GET", path(resource, namespace, name))

    def items(self, resource: str, namespace: str = "", **query: str) -> list[Obj]:
        """The objects of a list."""
        found: list[Obj] = self.ask("GET", path(resource, namespace), params=query)["items"]
        return found

    def create(self, resource: str, obj: Obj) -> Obj:
        """Create it in the namespace that its metadata names."""
        return self.ask("POST", path(resource, obj["metadata"].get("namespace", "")), obj)

    def merge(self, resource: str, namespace: str, name: str, patch: Obj) -> Obj:
        """A merge patch."""
        headers = {"Content-Type": "application/merge-patch+json"}
        return self.ask("PATCH", path(resource, namespace, name), patch, headers=headers)

    def delete(self, resource: str, namespace: str, name: str) -> None:
        """Delete it, and what it owns in the background; harmless when it is gone."""
        try:
            self.ask("DELETE", path(resource, namespace, name), {"propagationPolicy": "Background"})
        except Refusal as refusal:
            if refusal.code != 404:
                raise


def _status(answer: httpx.Response) -> Obj:
    try:
        found = answer.json()
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"message": answer.text[:500]}


def until(what: str, holds: Callable[[], object], seconds: float = 60.0, pause: float = 0.1) -> Any:
    """Ask again and again until the answer is true, and give it; AssertionError naming `what` after so many seconds."""
    ends = time.monotonic() + seconds
    while not (found := holds()):
        if time.monotonic() > ends:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        time.sleep(pause)
    return found


def rolled_out(workload: Obj) -> bool:
    """A Deployment or DaemonSet whose controller has seen its newest spec and made every pod of it ready."""
    status: Mapping[str, int] = workload.get("status") or {}
    if status.get("observedGeneration", 0) < workload["metadata"]["generation"]:
        return False
    if "desiredNumberScheduled" in status:
        wanted = status["desiredNumberScheduled"]
        return wanted > 0 and wanted == status.get("numberReady", 0) == status.get("updatedNumberScheduled", 0)
    wanted, names = workload["spec"]["replicas"], ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    return all(status.get(name, 0) == wanted for name in names)
