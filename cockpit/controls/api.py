"""What the controls need of an API server, and where their objects are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from cockpit.model.json import Json

Params = Mapping[str, str]


class Api(Protocol):
    """The verbs of `connections.kube.KubeClient` that the controls use; they raise what it raises."""

    async def get(self, path: str, params: Params = ...) -> bytes:
        """The body of a GET."""
        ...

    async def ask(self, path: str, body: Json) -> bytes:
        """The answer to a POST that keeps nothing."""
        ...

    async def post(self, path: str, body: Json, params: Params = ...) -> bytes:
        """The object made."""
        ...

    async def put(self, path: str, body: Json, params: Params = ...) -> bytes:
        """The object after a PUT; Conflict when its resourceVersion is another one."""
        ...

    async def delete(self, path: str, body: Json, params: Params = ...) -> bytes:
        """The answer to a DELETE; Conflict when a precondition does not hold."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """The objects of a playbook's controls, all of them in the target's namespace."""

    namespace: str
    playbook: str

    @property
    def name(self) -> str:
        """Of the Lease of the controls, and of the run's ConfigMap."""
        return f"cutover-cockpit-{self.playbook}"

    @property
    def approval(self) -> str:
        """Of the ConfigMap with the second person's word."""
        return f"{self.name}-approval"

    def presence(self, cockpit: str) -> str:
        """Of the Lease by which the cockpit with this id is seen."""
        # No playbook's name has a dot, so that no other playbook's objects are called the same.
        return f"{self.name}.{cockpit}"

    @property
    def leases(self) -> str:
        """The path of all Leases."""
        return f"/apis/coordination.k8s.io/v1/namespaces/{self.namespace}/leases"

    @property
    def configmaps(self) -> str:
        """The path of all ConfigMaps."""
        return f"/api/v1/namespaces/{self.namespace}/configmaps"
