"""The files that the plane's programs read: users, kubeconfigs, the audit policy, the scheduler's and kwok's configuration."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from cockpit.rehearsal.images import MULTI_ARCH
from cockpit.rehearsal.kube.tls import Certificates, make_certificates
from cockpit.rehearsal.registry_content import image_id
from tests.real.content import images

STAGES = Path(__file__).parent / "stages"
CONTEXT = "rehearsal"
"""The context that the shipped playbooks name. It is the administrator's; `rehearsal-operator` and so on are the others'."""
ADMIN = "admin"
COMPONENTS = ("system:kube-controller-manager", "system:kube-scheduler", "system:kubelets")
PEOPLE = ("operator", "observer", "nobody")
"""Users without any permission until a test binds some to them."""

ARM64_NODES = "ip-10-0-3-"
"""How the names of all arm64 nodes begin (their subnet): a kwok stage sees a pod's node by its name only."""
TROUBLE = f"""
(.metadata.annotations // {{}}) as $notes
| ((.spec.nodeName // "") | startswith("{ARM64_NODES}")) as $arm
| [.spec.containers[].image] as $images
| $notes["real.example.com/fails"]
  // (if $arm then
        $notes["real.example.com/fails-on-arm64"]
        // (if any($images[]; endswith("-amd64")) then "exec-format"
            elif any($images[]; endswith("-noarm64")) then "no-manifest" else null end)
      else null end)
  // "none"
"""
"""jq: what is wrong with a pod: none, exec-format, start-error or no-manifest."""
STATE = """
[.status.containerStatuses[]?.state | if .waiting then .waiting.reason elif .terminated then "terminated" else "running" end]
| first // "none"
"""
"""jq: the state of its first container."""


@dataclass(frozen=True, slots=True)
class Files:
    """Paths in the plane's folder, which is private: tokens and keys are in it."""

    folder: Path
    certificates: Certificates = field(default_factory=make_certificates)
    tokens: Mapping[str, str] = field(
        default_factory=lambda: {user: secrets.token_hex(16) for user in (ADMIN, *PEOPLE, *COMPONENTS)}
    )

    def write(self, server: str) -> None:
        """Write everything that does not change."""
        for name, content in (
            ("ca.crt", self.certificates.authority),
            ("server.crt", self.certificates.server),
            ("server.key", self.certificates.key),
            ("tokens.csv", self._users().encode()),
            ("audit-policy.yaml", yaml.safe_dump(_audit_policy()).encode()),
            ("scheduler.yaml", yaml.safe_dump(self._scheduler()).encode()),
            ("kwok.yaml", _kwok().encode()),
        ):
            self._put(name, content)
        self._put("kubeconfig", yaml.safe_dump(self._config(server, (ADMIN, *PEOPLE))).encode())
        for user in COMPONENTS:
            self._put(component_config(user), yaml.safe_dump(self._config(server, (user,))).encode())

    def path(self, name: str) -> str:
        """The path of one of them."""
        return str(self.folder / name)

    def _put(self, name: str, content: bytes) -> None:
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_bytes(content)

    def _users(self) -> str:
        masters = (ADMIN, *COMPONENTS)
        lines = [f'{token},{user},{user},"system:masters"' for user, token in self.tokens.items() if user in masters]
        return "\n".join([*lines, *(f"{self.tokens[user]},{user},{user}" for user in PEOPLE), ""])

    def _config(self, server: str, users: tuple[str, ...]) -> dict[str, Any]:
        data = base64.b64encode(self.certificates.authority).decode()
        names = {user: CONTEXT if i == 0 else f"{CONTEXT}-{user}" for i, user in enumerate(users)}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": CONTEXT, "cluster": {"server": server, "certificate-authority-data": data}}],
            "users": [{"name": user, "user": {"token": self.tokens[user]}} for user in users],
            "contexts": [
                {"name": name, "context": {"cluster": CONTEXT, "user": user, "namespace": "payments"}}
                for user, name in names.items()
            ],
            "current-context": CONTEXT,
        }

    def _scheduler(self) -> dict[str, Any]:
        connection = {"kubeconfig": self.path(component_config("system:kube-scheduler")), "qps": 500, "burst": 1000}
        return {
            "apiVersion": "kubescheduler.config.k8s.io/v1",
            "kind": "KubeSchedulerConfiguration",
            "leaderElection": {"leaderElect": False},
            "clientConnection": connection,
        }


def component_config(user: str) -> str:
    """The name of a component's kubeconfig."""
    return f"{user.replace(':', '-')}.kubeconfig"


def _audit_policy() -> dict[str, Any]:
    # Bodies of what people write; who-and-what of everything else. The components' own writes would bury the rest.
    return {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [
            {"level": "Metadata", "users": [*COMPONENTS, "system:apiserver"]},
            {"level": "RequestResponse", "verbs": ["create", "update", "patch", "delete", "deletecollection"]},
            {"level": "Metadata"},
        ],
    }


def _kwok() -> str:
    works = ("podPlayStageParallelism", "nodePlayStageParallelism", "nodeLeaseParallelism", "podsOnNodeSyncParallelism")
    options = {"manageAllNodes": True, "nodeLeaseDurationSeconds": 40, "cidr": "10.1.0.1/16", **dict.fromkeys(works, 4)}
    whole = {"apiVersion": "config.kwok.x-k8s.io/v1alpha1", "kind": "KwokConfiguration", "options": options}
    documents = [yaml.safe_dump(whole), *(path.read_text() for path in sorted(STAGES.glob("*.yaml")))]
    text = "\n---\n".join(documents)
    given = {"TROUBLE": " ".join(TROUBLE.split()), "STATE": " ".join(STATE.split()), "DIGESTS": _digests()}
    for name, value in given.items():
        text = text.replace(f"@{name}@", value)
    return text


def _digests() -> str:
    """The digest of each image that `content.registry` serves, as the arguments of a template's `dict`."""
    ids = {image: image_id(image, MULTI_ARCH).partition("@")[2] for image in images()}
    return " ".join(f'"{image}" "{digest}"' for image, digest in sorted(ids.items()))
