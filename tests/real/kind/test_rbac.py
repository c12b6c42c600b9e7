"""The shipped RBAC manifests are exactly what the cockpit needs: all of it is used, and without any part no flight starts.

The cases are made from the manifests themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cockpit import cli
from tests.real.api import RBAC, Api, Obj, path, until
from tests.real.kind.cluster import KindCluster, named
from tests.real.kind.grants import Grant, grants, manifest

PLURALS = {
    "ClusterRole": "clusterroles",
    "Role": "roles",
    "ClusterRoleBinding": "clusterrolebindings",
    "RoleBinding": "rolebindings",
}
OPERATOR = "cockpit-operator"
REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"


GRANTS = list(grants("operator"))
BINDINGS = [obj for obj in manifest("operator") if obj["kind"] in ("RoleBinding", "ClusterRoleBinding")]


def test_the_operator_may_patch_deployments_and_keep_its_own_controls_more_than_the_observer() -> None:
    def all_of(name: str) -> set[tuple[str, ...]]:
        return {(g.verb, g.group, g.resource, g.name, *sorted(g.spaces)) for g in grants(name)}

    run = "cutover-cockpit-kind-affinity"
    controls = {(verb, "coordination.k8s.io", "leases", "") for verb in ("create", "update", "delete")}
    controls |= {("update", "", "configmaps", run)}
    controls |= {(verb, "", "configmaps", f"{run}-approval") for verb in ("get", "update")}
    more = {("patch", "apps", "deployments", ""), ("create", "", "configmaps", "")} | controls
    assert all_of("operator") - all_of("observer") == {(*grant, "payments") for grant in more}
    assert all_of("observer") < all_of("operator")
    assert all(g.spaces and g.verb != "*" and g.resource != "*" for g in GRANTS)


def test_the_observer_sees_everything_and_changes_nothing(cluster: KindCluster, tmp_path: Path) -> None:
    words = ("run", str(cluster.shortened(tmp_path)), "--observe", "--headless", "--give-up-after", "8")
    done = cluster.cockpit(tmp_path, "cockpit-observer", *words)
    assert done.returncode == 1, done.stderr
    assert "read-only (--observe)" in done.stdout.splitlines()[-1]
    changing = cluster.requests("cockpit-observer")
    assert changing
    assert {(e["verb"], e["objectRef"]["resource"]) for e in changing} == {("create", "selfsubjectaccessreviews")}
    asked = cluster.requests("cockpit-observer", mutating=False)
    answers: dict[int, set[str]] = {}
    for entry in asked:
        answers.setdefault(entry["responseStatus"]["code"], set()).add(entry.get("objectRef", {}).get("resource", ""))
    # What is asked for where it is allowed, and what nobody has made yet. Pods that may not be streamed are read in pages.
    refused = [e["objectRef"] | {"verb": e["verb"]} for e in asked if e["responseStatus"]["code"] == 403 and _of_pods(e)]
    assert {(of["verb"], of.get("namespace", "")) for of in refused} <= {("watch", "")}
    assert answers.pop(403, set()) <= {"poddisruptionbudgets", "nodepools", "pods", ""}
    assert answers.pop(404, set()) <= {"leases", "configmaps", "nodepools", ""}
    assert set(answers) <= {200, 201}
    watched = {e["objectRef"]["resource"] for e in asked if e["verb"] == "watch"}
    assert watched == {g.resource for g in grants("observer") if g.verb == "watch"}


def _of_pods(entry: Obj) -> bool:
    return bool(entry.get("objectRef", {}).get("resource") == "pods")


def test_the_observer_is_not_let_fly(cluster: KindCluster, tmp_path: Path) -> None:
    done = cluster.cockpit(tmp_path, "cockpit-observer", "run", str(cluster.shortened(tmp_path)), "--headless")
    assert done.returncode == 3
    assert "may not: patch deployments.apps in namespace payments" in done.stderr


@pytest.fixture
def flown(
    cluster: KindCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[str]:
    """Words of a refused flight as the operator; the caller has taken something away before."""
    monkeypatch.setenv("KUBECONFIG", str(cluster.write_kubeconfig(OPERATOR, cluster.token("payments", OPERATOR))))
    monkeypatch.setenv("COCKPIT_HOME", str(tmp_path))
    yield str(cluster.shortened(tmp_path))


def refusal(cluster: KindCluster, playbook: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What a flight says that must be refused before it writes anything."""
    before = _writes(cluster)
    assert cli.run(["run", playbook, "--headless", "--give-up-after", "3"]) == 3
    assert _writes(cluster) == before
    said = capsys.readouterr()
    assert said.out == ""
    return said.err


def _writes(cluster: KindCluster) -> list[str]:
    return [e["auditID"] for e in cluster.requests(OPERATOR) if e["objectRef"]["resource"] != "selfsubjectaccessreviews"]


@pytest.mark.parametrize("grant", GRANTS, ids=str)
def test_without_a_verb_no_flight_starts(
    cluster: KindCluster, flown: str, capsys: pytest.CaptureFixture[str], grant: Grant
) -> None:
    with _without(cluster.admin, grant):
        said = refusal(cluster, flown, capsys)
    assert named(grant.verb, grant.resource, said), said
    others = {(g.verb, g.resource) for g in GRANTS} - {(grant.verb, grant.resource)}
    assert [pair for pair in others if named(*pair, said)] == [], said


@contextmanager
def _without(api: Api, grant: Grant) -> Iterator[None]:
    where = path(PLURALS[grant.kind], grant.namespace, grant.role)
    rules = api.ask("GET", where)["rules"]
    left = [{**rule, "verbs": [v for v in rule["verbs"] if (i, v) != (grant.rule, grant.verb)]} for i, rule in enumerate(rules)]
    _set_rules(api, where, [rule for rule in left if rule["verbs"]])
    try:
        until(f"{grant} is taken away", lambda: not any(_may(api, grant, space) for space in grant.spaces))
        yield
    finally:
        _set_rules(api, where, rules)
        until(f"{grant} is given back", lambda: all(_may(api, grant, space) for space in grant.spaces))


def _set_rules(api: Api, where: str, rules: list[Obj]) -> None:
    api.ask("PATCH", where, {"rules": rules}, headers={"Content-Type": "application/merge-patch+json"})


def _may(api: Api, grant: Grant, space: str) -> bool:
    attributes = {"verb": grant.verb, "group": grant.group, "resource": grant.resource, "name": grant.name, "namespace": space}
    review = {"spec": {"user": f"system:serviceaccount:payments:{OPERATOR}", "resourceAttributes": attributes}}
    return bool(api.ask("POST", REVIEWS, review)["status"]["allowed"])


@pytest.mark.parametrize(
    "binding", BINDINGS, ids=lambda b: f"{b['metadata']['name']}-{b['metadata'].get('namespace', 'cluster')}"
)
def test_without_a_binding_no_flight_starts(
    cluster: KindCluster, flown: str, capsys: pytest.CaptureFixture[str], binding: dict[str, Any]
) -> None:
    meta, plural = binding["metadata"], PLURALS[binding["kind"]]
    space = meta.get("namespace", "")
    lost = [g for g in GRANTS if g.role == binding["roleRef"]["name"] and space in g.spaces]
    cluster.admin.delete(plural, space, meta["name"])
    try:
        until("it is unbound", lambda: not any(_may(cluster.admin, g, space) for g in lost))
        said = refusal(cluster, flown, capsys)
    finally:
        cluster.admin.ask("POST", f"{RBAC}/{f'namespaces/{space}/' if space else ''}{plural}", binding)
        until("it is bound again", lambda: all(_may(cluster.admin, g, space) for g in lost))
    assert [g for g in lost if not named(g.verb, g.resource, said)] == [], said
    assert not space or f"in namespace {space}" in said
