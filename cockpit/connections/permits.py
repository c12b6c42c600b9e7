"""Whether the API server permits a request to these credentials, as SelfSubjectAccessReview tells it. A review keeps nothing."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from cockpit.connections.kube import KubeClient
from cockpit.errors import Unreachable
from cockpit.model.json import Json
from cockpit.text import clean

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


class _Status(msgspec.Struct):
    allowed: bool = False


class _Review(msgspec.Struct):
    status: _Status = msgspec.field(default_factory=_Status)


@dataclass(frozen=True, slots=True)
class Permission:
    """A verb on a resource (`pods/exec` for a subresource), as RBAC sees it; `namespace` is empty for the whole cluster.

    With a `name` it is about the one object of this name.
    """

    verb: str
    group: str
    resource: str
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        what = f"{self.resource}.{self.group}" if self.group else self.resource
        what += f" {self.name}" if self.name else ""
        return f"{self.verb} {what}" + (f" in namespace {self.namespace}" if self.namespace else " in the whole cluster")

    def review(self) -> Json:
        """The review that asks for it, as a JSON object to POST."""
        resource, _, sub = self.resource.partition("/")
        attributes: dict[str, Json] = {"verb": self.verb, "group": self.group, "resource": resource}
        named = {"subresource": sub, "name": self.name, "namespace": self.namespace}
        attributes |= {key: value for key, value in named.items() if value}
        return {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }


async def permitted(kube: KubeClient, permission: Permission) -> bool:
    """The server's answer. Unreachable when it is none, as a proxy's page is, and whatever `kube` raises."""
    answer = await kube.ask(REVIEWS, permission.review())
    try:
        return msgspec.json.decode(answer, type=_Review).status.allowed
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        words = f"its answer cannot be read ({clean(str(error), 200)}): is a proxy in between?"
        raise Unreachable(f"API server {kube.server}: {words}") from error
