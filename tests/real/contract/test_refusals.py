"""Refusals: the error bodies, and what the cockpit's client calls them."""

from __future__ import annotations

from typing import Any

import pytest

from cockpit.connections.kube import KubeClient
from cockpit.errors import CockpitError, Conflict, NotFound, Rejected, Unauthorized
from tests.real.api import Api, Obj
from tests.real.contract.asked import APPS, CONFIGS, DRY, JSON, MERGE, PODS, REVIEWS, TABLE, TARGET, TERMS, op
from tests.real.contract.content import WEB, config
from tests.real.contract.servers import NOBODY, Server


def body_of(code: int, reason: str, message: str, details: Obj | None = None) -> Obj:
    body: Obj = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message}
    body |= {"reason": reason} if reason else {}
    return {**body, **({"details": details} if details is not None else {}), "code": code}


MISSING = {"name": "none", "group": "apps", "kind": "deployments"}
UNKNOWN = "the server could not find the requested resource"
NO_CONFIG = {"name": "none", "kind": "configmaps"}
METHOD = "the server does not allow this method on the requested resource"
IMMUTABLE = 'Invalid value: {"matchLabels":{"app":"x"}}: field is immutable'


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", f"{APPS}/deployments/none", body_of(404, "NotFound", 'deployments.apps "none" not found', MISSING)),
        (
            "GET",
            f"{CONFIGS}/none",
            body_of(404, "NotFound", 'configmaps "none" not found', NO_CONFIG),
        ),
        ("GET", "/apis/apps/v2/deployments", body_of(404, "NotFound", UNKNOWN, {})),
        ("GET", "/api/v1/namespaces/contract/widgets", body_of(404, "NotFound", UNKNOWN, {})),
        ("PUT", CONFIGS, body_of(405, "MethodNotAllowed", METHOD, {})),
        ("PATCH", CONFIGS, body_of(405, "MethodNotAllowed", METHOD, {})),
        ("POST", f"{CONFIGS}/c-1", body_of(405, "MethodNotAllowed", METHOD, {})),
    ],
)
def test_the_whole_body_of_a_refusal(api: Api, method: str, path: str, body: Obj) -> None:
    answer = api.raw(method, path, json=config("c-1") if method != "GET" else None)
    assert (answer.status_code, answer.json()) == (body["code"], body)


def test_a_group_that_is_not_served_is_no_page(api: Api) -> None:
    answer = api.raw("GET", "/apis/metrics.k8s.io/v1beta1/pods")
    assert (answer.status_code, answer.text) == (404, "404 page not found\n")


def test_a_name_that_is_taken(api: Api) -> None:
    answer = api.raw("POST", CONFIGS, json=config("c-1"))
    details = {"name": "c-1", "kind": "configmaps"}
    assert answer.json() == body_of(409, "AlreadyExists", 'configmaps "c-1" already exists', details)


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ([op("add", f"{TERMS}/0/matchExpressions/-", {"key": "a", "operator": "Junk"})], 422, "not a valid selector operator"),
        ([op("replace", TERMS, [])], 422, "Required value: must have at least one node selector term"),
        ([op("replace", "/spec/replicas", -1)], 422, "Invalid value: -1: must be greater than or equal to 0"),
        ([op("replace", "/spec/replicas", "x")], 422, ' "" is invalid: patch: Invalid value: '),
        ([op("replace", "/spec/selector/matchLabels", {"app": "x"})], 422, IMMUTABLE),
        ([op("add", "/metadata/labels/bad", "-")], 422, "a valid label must be an empty string or consist of"),
        ([op("add", "/spec/template/spec/nodeSelector", {"a b": "c"})], 422, "spec.template.spec.nodeSelector: Invalid value"),
        ([op("add", "/spec/template/spec/containers/-", {"name": "main", "image": "x"})], 422, 'Duplicate value: "main"'),
        (
            [op("add", "/spec/template/spec/containers/-", {"name": "A_b", "image": "x"})],
            422,
            'Invalid value: "A_b": a lowercase',
        ),
        ([op("add", "/spec/template/spec/tolerations", [{"key": "a", "operator": "Junk"}])], 422, 'Unsupported value: "Junk"'),
        ({}, 400, "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"),
    ],
)
async def test_a_patch_that_breaks_a_rule_is_no_conflict(kube: KubeClient, body: Any, status: int, words: str) -> None:
    with pytest.raises(Rejected) as refused:
        await kube.patch(TARGET, body, JSON, DRY)
    assert (refused.value.status, refused.value.reason) == (status, "Invalid" if status == 422 else "BadRequest")
    assert not isinstance(refused.value, Conflict)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("media", "query", "status", "words"),
    [
        ("text/plain", {}, 415, "415: Unsupported Media Type"),
        (MERGE, {"dryRun": "Some"}, 422, 'PatchOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Some"]'),
        (MERGE, {"fieldManager": "x" * 129}, 422, "fieldManager: Too long: may not be more than 128 bytes"),
    ],
)
async def test_options_that_make_no_sense(kube: KubeClient, media: str, query: dict[str, str], status: int, words: str) -> None:
    for name in (WEB, *(["none"] if status == 415 else [])):
        with pytest.raises(Rejected) as refused:
            await kube.patch(f"{APPS}/deployments/{name}", {}, media, query)
        assert refused.value.status == status, "also for what is not there"
        assert words in str(refused.value)


def test_a_body_that_cannot_be_read(api: Api) -> None:
    for text, media, status in (("junk", "application/json", 400), ("", "application/json", 400), ("x", "text/plain", 415)):
        answer = api.raw("POST", CONFIGS, content=text, headers={"Content-Type": media})
        assert (answer.status_code, answer.json()["code"]) == (status, status)


async def test_reading_is_not_writing(observer: KubeClient) -> None:
    await observer.get(TARGET)
    with pytest.raises(Unauthorized) as refused:
        await observer.patch(TARGET, [], JSON, DRY)
    why = 'User "observer" cannot patch resource "deployments" in API group "apps" in the namespace "contract"'
    assert str(refused.value) == f'not allowed: deployments.apps "{WEB}" is forbidden: {why}'


@pytest.mark.parametrize(
    ("path", "what"),
    [
        (PODS, 'pods is forbidden: User "nobody" cannot list resource "pods" in API group "" in the namespace "contract"'),
        ("/api/v1/nodes", 'nodes is forbidden: User "nobody" cannot list resource "nodes" in API group "" at the cluster scope'),
        (
            f"{PODS}?watch=1",
            'pods is forbidden: User "nobody" cannot watch resource "pods" in API group "" in the namespace "contract"',
        ),
        (
            f"{PODS}/x/log",
            'pods "x" is forbidden: User "nobody" cannot get resource "pods/log" in API group "" in the namespace ',
        ),
        ("/metrics", 'forbidden: User "nobody" cannot get path "/metrics"'),
    ],
)
def test_who_may_nothing_is_told_what(server: Server, path: str, what: str) -> None:
    with server.api(NOBODY) as nobody:
        answer = nobody.raw("GET", path)
    status = answer.json()
    assert (answer.status_code, status["reason"]) == (403, "Forbidden")
    assert status["message"].startswith(what)


async def test_a_token_that_nobody_has(server: Server) -> None:
    with server.stranger() as stranger:
        answer = stranger.raw("GET", PODS)
    assert answer.json() == body_of(401, "Unauthorized", "Unauthorized")


@pytest.mark.parametrize(
    ("user", "attributes", "allowed"),
    [
        ("observer", {"verb": "list", "resource": "pods", "namespace": "contract"}, True),
        ("observer", {"verb": "watch", "group": "apps", "resource": "deployments"}, True),
        ("observer", {"verb": "patch", "group": "apps", "resource": "deployments", "namespace": "contract"}, False),
        ("nobody", {"verb": "list", "resource": "pods", "namespace": "contract"}, False),
        ("admin", {"verb": "*", "group": "*", "resource": "*"}, True),
        ("nobody", {}, False),
    ],
)
def test_asking_what_one_may(server: Server, user: str, attributes: dict[str, str], allowed: bool) -> None:
    with server.api(user) as client:
        answer = client.raw("POST", REVIEWS, json={"spec": {"resourceAttributes": attributes}})
    found = answer.json()
    assert (answer.status_code, found["status"]["allowed"]) == (201, allowed)
    assert found["spec"] == {"resourceAttributes": attributes}
    assert found["kind"] == "SelfSubjectAccessReview"


def test_asking_about_nothing(api: Api) -> None:
    why = "Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified"
    answer = api.raw("POST", REVIEWS, json={"spec": {}})
    assert answer.json()["message"] == f'.authorization.k8s.io "" is invalid: spec.resourceAttributes: {why}'


def test_tables(api: Api) -> None:
    def table(path: str, **query: str) -> Obj:
        found: Obj = api.ask("GET", path, params=query, headers={"Accept": TABLE})
        return found

    found = table(f"{APPS}/deployments", fieldSelector=f"metadata.name={WEB}")
    titles = [(c["name"], c["type"], c["format"], c["priority"]) for c in found["columnDefinitions"]]
    wide = [(name, "string", "", 1) for name in ("Containers", "Images", "Selector")]
    words = [
        ("Ready", "string", "", 0),
        ("Up-to-date", "string", "", 0),
        ("Available", "string", "", 0),
        ("Age", "string", "", 0),
    ]
    assert titles == [("Name", "string", "name", 0), *words, *wide]
    cells = found["rows"][0]["cells"]
    assert [*cells[:4], *cells[5:]] == [WEB, "2/2", 2, 2, "main", f"registry.example.com/contract/{WEB}:1.0.0", f"app={WEB}"]
    assert found["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
    assert [row["object"] for row in table(CONFIGS, includeObject="None", labelSelector="tier=odd")["rows"]] == [None] * 3
    refused = api.raw("GET", CONFIGS, params={"includeObject": "Junk"}, headers={"Accept": TABLE})
    assert (refused.status_code, refused.json()["reason"]) == (400, "BadRequest")


async def test_what_is_not_there_is_not_found(kube: KubeClient) -> None:
    found: list[CockpitError] = []
    for ask in (kube.get(f"{APPS}/deployments/none"), kube.patch(f"{APPS}/deployments/none", [], JSON)):
        with pytest.raises(NotFound) as missing:
            await ask
        found.append(missing.value)
    assert {str(error) for error in found} == {'deployments.apps "none" not found'}
