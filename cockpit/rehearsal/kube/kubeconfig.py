"""The kubeconfig through which kubectl and the cockpit reach the rehearsal."""

from __future__ import annotations

import base64
from pathlib import Path

from cockpit.rehearsal.kube.errors import Obj
from cockpit.rehearsal.kube.negotiate import encode

_CLUSTER = "rehearsal"


def kubeconfig(
    server: str, authority: bytes, namespace: str, users: tuple[str, ...] = ("operator", "second", "observer", "expired")
) -> Obj:
    """A Config for the API at this URL: context `rehearsal` for the first user, `rehearsal-USER` for the others.

    A user's token is its name: these credentials open nothing but a rehearsal on this machine.
    """
    data = base64.b64encode(authority).decode()
    contexts = []
    for i, user in enumerate(users):
        name = _CLUSTER if i == 0 else f"{_CLUSTER}-{user}"
        contexts.append({"name": name, "context": {"cluster": _CLUSTER, "user": f"{_CLUSTER}-{user}", "namespace": namespace}})
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": _CLUSTER, "cluster": {"server": server, "certificate-authority-data": data}}],
        "users": [{"name": f"{_CLUSTER}-{user}", "user": {"token": user}} for user in users],
        "contexts": contexts,
        "current-context": _CLUSTER,
        "preferences": {},
    }


def write_kubeconfig(path: Path, server: str, authority: bytes, namespace: str) -> None:
    """Write it, readable only by its owner."""
    path.touch(mode=0o600)
    path.write_bytes(encode(kubeconfig(server, authority, namespace)) + b"\n")
