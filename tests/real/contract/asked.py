"""The paths, media types and small bodies of what these tests ask."""

from __future__ import annotations

from typing import Any

from tests.real.api import Obj
from tests.real.contract.content import WEB
from tests.real.contract.servers import NAMESPACE

CORE, APPS = f"/api/v1/namespaces/{NAMESPACE}", f"/apis/apps/v1/namespaces/{NAMESPACE}"
TARGET, CONFIGS, PODS = f"{APPS}/deployments/{WEB}", f"{CORE}/configmaps", f"{CORE}/pods"
LEASES = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases"
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
JSON, MERGE, STRATEGIC = (f"application/{kind}+json" for kind in ("json-patch", "merge-patch", "strategic-merge-patch"))
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
DRY = {"dryRun": "All"}
STRANGER = "stranger"
_REQUIRED = "/spec/template/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution"
TERMS = f"{_REQUIRED}/nodeSelectorTerms"


def op(kind: str, path: str, *value: Any) -> Obj:
    return {"op": kind, "path": path, **({"value": value[0]} if value else {})}


def lease(name: str, **spec: Any) -> Obj:
    return {"metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec}
