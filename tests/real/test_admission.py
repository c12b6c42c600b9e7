"""The shipped admission policies on a real API server: what the cockpit writes passes as its service account, no more."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.api import Api, Obj, Refusal, path, until
from tests.real.plane import Plane

RBAC = Path(__file__).parents[2] / "playbooks" / "rbac"
OPERATOR = "system:serviceaccount:payments:cockpit-operator"
RUN = "cutover-cockpit-kind-affinity"
NAME = "admitted"
MERGE = "application/merge-patch+json"
AFFINITY = {
    "nodeAffinity": {
        "preferredDuringSchedulingIgnoredDuringExecution": [
            {
                "weight": 100,
                "preference": {"matchExpressions": [{"key": "kubernetes.io/arch", "operator": "In", "values": ["arm64"]}]},
            }
        ]
    }
}


class AsOperator:
    """Requests as the operator's service account."""

    def __init__(self, admin: Api) -> None:
        self._admin = admin
        self._who = {"Impersonate-User": OPERATOR, "Impersonate-Group": "system:authenticated"}

    def patch(self, where: str, body: Obj) -> Obj:
        return self._admin.ask("PATCH", where, body, headers={**self._who, "Content-Type": MERGE})

    def create(self, where: str, body: Obj) -> Obj:
        return self._admin.ask("POST", where, body, headers=self._who)

    def put(self, where: str, body: Obj) -> Obj:
        return self._admin.ask("PUT", where, body, headers=self._who)

    def delete(self, where: str) -> Obj:
        return self._admin.ask("DELETE", where, headers=self._who)


@pytest.fixture(scope="module")
def operator(plane: Plane) -> Iterator[AsOperator]:
    """The operator, once both manifests are in force; there is a Deployment, an Ingress and a foreign ConfigMap of its own."""
    files = [str(RBAC / name) for name in ("operator.yaml", "admission.yaml")]
    admin = plane.admin
    for namespace in ("security", "logging"):
        if namespace not in {n["metadata"]["name"] for n in admin.items("namespaces")}:
            admin.create("namespaces", {"metadata": {"name": namespace}})
    _kubectl(plane, "apply", files)
    admin.create("deployments", _deployment())
    admin.ask("POST", "/apis/networking.k8s.io/v1/namespaces/payments/ingresses", _ingress())
    admin.create("configmaps", {"metadata": {"name": "foreign", "namespace": "payments"}, "data": {"a": "b"}})
    # What RBAC alone would not allow either: the policies are to be seen at work.
    rule = [{"apiGroups": ["", "apps", "networking.k8s.io", "coordination.k8s.io"], "resources": ["*"], "verbs": ["*"]}]
    meta = {"name": "more", "namespace": "payments"}
    admin.create("roles", {"metadata": meta, "rules": rule})
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "more"}
    who = [{"kind": "ServiceAccount", "name": "cockpit-operator", "namespace": "payments"}]
    admin.create("rolebindings", {"metadata": meta, "roleRef": ref, "subjects": who})
    found = AsOperator(admin)
    until("the policies are in force", lambda: _in_force(found), 60)
    yield found
    for resource, name in (("rolebindings", "more"), ("roles", "more"), ("deployments", NAME), ("configmaps", "foreign")):
        admin.delete(resource, "payments", name)
    admin.ask("DELETE", f"/apis/networking.k8s.io/v1/namespaces/payments/ingresses/{NAME}")
    _kubectl(plane, "delete", files)


def _kubectl(plane: Plane, verb: str, files: list[str]) -> None:
    words = [word for file in files for word in ("-f", file)]
    done = subprocess.run([*plane.kubectl, verb, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _deployment() -> Obj:
    labels = {"app": NAME}
    container = {"name": "main", "image": "registry.example.com/payments/payments-api:2.14.0"}
    return {
        "metadata": {"name": NAME, "namespace": "payments", "labels": labels, "annotations": {"example.com/owner": "us"}},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def _ingress() -> Obj:
    notes = {"alb.ingress.kubernetes.io/actions.split": "{}", "alb.ingress.kubernetes.io/scheme": "internal"}
    backend = {"service": {"name": "split", "port": {"name": "use-annotation"}}}
    return {
        "metadata": {"name": NAME, "namespace": "payments", "annotations": notes},
        "spec": {"defaultBackend": backend},
    }


def _in_force(operator: AsOperator) -> bool:
    try:
        operator.patch(f"{path('deployments', 'payments', NAME)}?dryRun=All", {"spec": {"replicas": 3}})
        operator.create(f"{path('configmaps', 'payments')}?dryRun=All", {"metadata": {"name": "probe"}})
    except Refusal as refusal:
        return "ValidatingAdmissionPolicy" in str(refusal)
    return False


def notes(**changes: str | None) -> Obj:
    return {"metadata": {"annotations": {key.replace("__", "/").replace("_", "-"): value for key, value in changes.items()}}}


def pod(change: Obj) -> Obj:
    return {"spec": {"template": {"spec": change}}}


ALLOWED = [
    pod({"affinity": AFFINITY}),
    {
        **pod({"affinity": AFFINITY}),
        **notes(**{"cutover-cockpit.dev__original-affinity": "null", "cutover-cockpit.dev__run": "r"}),
    },
    notes(**{"cutover-cockpit.dev__epoch": "7"}),
    notes(
        **{"cutover-cockpit.dev__epoch": None, "cutover-cockpit.dev__original-affinity": None, "cutover-cockpit.dev__run": None}
    ),
    pod({"affinity": None}),
]
DENIED = {
    "replicas": {"spec": {"replicas": 5}},
    "image": pod({"containers": [{"name": "main", "image": "registry.example.com/evil:1"}]}),
    "service account": pod({"serviceAccountName": "default", "affinity": AFFINITY}),
    "node selector": pod({"nodeSelector": {"kubernetes.io/arch": "arm64"}}),
    "paused": {"spec": {"paused": True}},
    "template label": {"spec": {"template": {"metadata": {"labels": {"x": "y"}}}}},
    "label": {"metadata": {"labels": {"team": "them"}}},
    "label removed": {"metadata": {"labels": {"app": None}}},
    "finalizer": {"metadata": {"finalizers": ["example.com/never"]}},
    "annotation": notes(**{"example.com__owner": "them"}),
    "annotation added": notes(**{"example.com__more": "them"}),
    "annotation removed": notes(**{"example.com__owner": None}),
    "look-alike annotation": notes(**{"cutover-cockpit.dev.example.com__run": "r"}),
}


def test_of_a_deployment_the_affinity_and_the_cockpits_annotations_may_be_changed_and_nothing_else(operator: AsOperator) -> None:
    where = path("deployments", "payments", NAME)
    for body in ALLOWED:
        operator.patch(where, body)
    for name, body in DENIED.items():
        denied(name, lambda body=body: operator.patch(where, body))
    denied("scale", lambda: operator.patch(f"{where}/scale", {"spec": {"replicas": 4}}))


def test_of_an_ingress_only_its_existing_actions_and_the_cockpits_annotations(operator: AsOperator) -> None:
    where = f"/apis/networking.k8s.io/v1/namespaces/payments/ingresses/{NAME}"
    action = "alb.ingress.kubernetes.io__actions.split"
    operator.patch(where, notes(**{action: '{"type":"forward"}', "cutover-cockpit.dev__original-weights": "{}"}))
    operator.patch(where, notes(**{action: "{}", "cutover-cockpit.dev__original-weights": None}))
    for name, body in {
        "scheme": notes(**{"alb.ingress.kubernetes.io__scheme": "internet-facing"}),
        "new action": notes(**{"alb.ingress.kubernetes.io__actions.more": "{}"}),
        "action removed": notes(**{action: None}),
        "spec": {"spec": {"ingressClassName": "other"}},
        "label": {"metadata": {"labels": {"a": "b"}}},
    }.items():
        denied(name, lambda body=body: operator.patch(where, body))


def test_leases_and_config_maps_only_by_the_cockpits_names(operator: AsOperator) -> None:
    leases, maps = path("leases", "payments"), path("configmaps", "payments")
    for collection in (leases, maps):
        own = operator.create(collection, {"metadata": {"name": RUN}})
        operator.put(f"{collection}/{RUN}", own)
        denied("another name", lambda where=collection: operator.create(where, {"metadata": {"name": "evil"}}))
        denied("generated", lambda where=collection: operator.create(where, {"metadata": {"generateName": "evil-"}}))
        operator.delete(f"{collection}/{RUN}")
    denied("foreign", lambda: operator.patch(f"{maps}/foreign", {"data": {"a": "c"}}))
    denied("foreign deleted", lambda: operator.delete(f"{maps}/foreign"))


def test_nobody_signs_for_another_person(operator: AsOperator) -> None:
    maps, leases = path("configmaps", "payments"), path("leases", "payments")
    name = f"{RUN}-approval"
    denied("forged", lambda: operator.create(maps, {"metadata": {"name": name}, "data": {"by": "bob"}}))
    denied("unsigned", lambda: operator.create(maps, {"metadata": {"name": name}, "data": {"plan": "abc"}}))
    denied("empty", lambda: operator.create(maps, {"metadata": {"name": name}}))
    operator.create(maps, {"metadata": {"name": name}, "data": {"by": OPERATOR}})
    denied("forged later", lambda: operator.patch(f"{maps}/{name}", {"data": {"by": "bob"}}))
    operator.delete(f"{maps}/{name}")
    user = "cutover-cockpit.dev/user"
    denied("lease", lambda: operator.create(leases, {"metadata": {"name": RUN, "annotations": {user: "bob"}}}))
    operator.create(leases, {"metadata": {"name": RUN, "annotations": {user: OPERATOR}}, "spec": {"holderIdentity": "a@b/1"}})
    denied("taken for another", lambda: operator.patch(f"{leases}/{RUN}", {"metadata": {"annotations": {user: "bob"}}}))
    operator.patch(f"{leases}/{RUN}", {"spec": {"leaseTransitions": 2}})
    operator.delete(f"{leases}/{RUN}")


def test_nobody_else_is_touched(plane: Plane, operator: AsOperator) -> None:
    plane.admin.merge("deployments", "payments", NAME, {"metadata": {"labels": {"team": "us"}}})
    plane.admin.merge("configmaps", "payments", "foreign", {"data": {"a": "c"}})


def denied(name: str, attempt: object) -> None:
    """AssertionError unless a policy forbids it."""
    assert callable(attempt)
    with pytest.raises(Refusal) as refusal:
        attempt()
    assert refusal.value.code == 403, f"{name}: {refusal.value}"
    assert "ValidatingAdmissionPolicy 'cutover-cockpit-" in str(refusal.value), f"{name}: {refusal.value}"


def test_a_pod_is_only_ever_asked_for_by_a_dry_run(plane: Plane, operator: AsOperator) -> None:
    where = path("pods", "payments")
    spec = {"nodeSelector": {"nowhere": "at-all"}, "containers": [{"name": "a", "image": "registry.example.com/a:1"}]}
    body: Obj = {"metadata": {"generateName": "asked-"}, "spec": spec}

    def refused() -> bool:
        try:
            made = operator.create(where, body)
        except Refusal as refusal:
            return "the cutover cockpit makes no Pod" in str(refusal)
        plane.admin.delete("pods", "payments", made["metadata"]["name"])
        return False

    until("the policy is in force", refused, 60)
    before = len(plane.admin.items("pods", "payments"))
    assert operator.create(f"{where}?dryRun=All", body)["spec"]["containers"][0]["name"] == "a"
    assert len(plane.admin.items("pods", "payments")) == before
    plane.admin.ask("POST", f"{where}?dryRun=All", body)  # nobody else is touched
