"""Where text enters: whatever a server puts into any field comes out harmless, but for what is written back as it was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.connections import decode, decode_limits, prometheus
from cockpit.connections.failures import rejection
from cockpit.connections.kube import KubeClient
from cockpit.errors import CockpitError
from cockpit.model.arch import Arch
from cockpit.playbook.presets.scope import selector
from tests.contract.small_api import kubeconfig
from tests.hostile.payloads import COUNT, payloads
from tests.hostile.poison import texts, turning
from tests.hostile.test_text import acts
from tests.thorough import SEED, figure

META = {
    "name": "n",
    "namespace": "ns",
    "uid": "u",
    "resourceVersion": "1",
    "labels": {"app": "x", "kubernetes.io/arch": "arm64"},
    "ownerReferences": [{"kind": "ReplicaSet", "name": "r", "controller": True}],
    "managedFields": [{"manager": "m", "operation": "Update", "subresource": "s", "fieldsV1": {"f:spec": {}}}],
}
CONDITIONS = [{"type": "Ready", "status": "False", "reason": "r", "message": "m"}, {"type": "PodScheduled", "status": "False"}]
CONTAINER = {"name": "c", "image": "i", "resources": {"requests": {"cpu": "1"}}}
STATE = {"waiting": {"reason": "r", "message": "m"}, "terminated": {"exitCode": 1, "reason": "r", "message": "m"}}
TEMPLATE = {"spec": {"containers": [CONTAINER], "initContainers": [CONTAINER], "nodeSelector": {"a": "b"}}}
SPEC = {"selector": {"matchLabels": {"app": "x"}}, "template": TEMPLATE, "replicas": 1}
OBJECTS: dict[str, tuple[Any, dict[str, Any]]] = {
    "node": (
        decode.NODES,
        {
            "metadata": META,
            "spec": {"taints": [{"key": "k", "effect": "NoSchedule", "value": "v"}]},
            "status": {"conditions": CONDITIONS, "nodeInfo": {"architecture": "arm64"}, "allocatable": {"cpu": "1"}},
        },
    ),
    "pod": (
        decode.PODS,
        {
            "metadata": {**META, "annotations": {"kubectl.kubernetes.io/default-container": "c"}},
            "spec": {"nodeName": "n", "containers": [CONTAINER], "initContainers": [CONTAINER]},
            "status": {
                "phase": "Pending",
                "conditions": [{"type": "PodScheduled", "status": "False", "reason": "r", "message": "m"}],
                "containerStatuses": [{"name": "c", "imageID": "i", "state": STATE, "lastState": STATE}],
            },
        },
    ),
    "deployment": (decode.DEPLOYMENTS, {"metadata": META, "spec": SPEC, "status": {"conditions": CONDITIONS}}),
    "daemonset": (decode.DAEMONSETS, {"metadata": META, "spec": SPEC}),
    "event": (
        decode.EVENTS,
        {"metadata": META, "type": "Warning", "reason": "r", "message": "m", "involvedObject": {"kind": "Pod", "name": "p"}},
    ),
    "autoscaler": (
        decode_limits.AUTOSCALERS,
        {
            "metadata": META,
            "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "d"}, "maxReplicas": 3},
            "status": {"conditions": CONDITIONS},
        },
    ),
    "quota": (decode_limits.QUOTAS, {"metadata": META, "status": {"hard": {"cpu": "1"}, "used": {"cpu": "1"}}}),
}
PAYLOADS = list(payloads(COUNT, SEED))
WRITTEN_BACK = {"affinity", "tolerations", "annotations"}
TURNS = figure(COUNT, 72, 24)


def poisoned(value: Any, words: Iterator[str]) -> Any:
    """JSON with a payload at the end of every text and key that is free text."""
    if isinstance(value, str):
        return value + next(words)
    if isinstance(value, dict):
        free = {next(words): next(words)} if value and all(isinstance(one, str) for one in value.values()) else {}
        return {key: poisoned(one, words) for key, one in value.items()} | free
    return [poisoned(one, words) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("kind", OBJECTS)
def test_every_field_of_every_kind(kind: str) -> None:
    codec, example = OBJECTS[kind]
    for turn in range(TURNS):
        raw = json.dumps(poisoned(example, turning(PAYLOADS, turn))).encode()
        found = codec.one(raw)
        shown = {name: getattr(found, name) for name in found.__dataclass_fields__ if name not in WRITTEN_BACK | {"managers"}}
        assert not [text[:80] for text in texts(shown) if acts(text) or len(text) > 4096]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 422, 429, 500, 503])
def test_every_refusal(status: int) -> None:
    for payload in PAYLOADS[:TURNS]:
        for body in (json.dumps({"message": payload, "reason": payload}).encode(), payload.encode()):
            assert not acts(str(rejection(status, body, payload)))


def test_every_answer_of_prometheus() -> None:
    for payload in PAYLOADS[:TURNS]:
        metric = {"metric": {"pod": payload, payload: payload}, "value": [1, payload]}
        for result in ([metric], [metric, metric]):
            with pytest.raises(CockpitError) as caught:
                prometheus._sample(_one(result))
            assert not acts(str(caught.value))


def _one(result: list[dict[str, Any]]) -> tuple[float, str]:
    found = prometheus._single(prometheus._decoded(_raw(result), list[prometheus._Result], "http://p"))
    assert found.value
    return found.value


def _raw(value: object) -> Any:
    import msgspec

    return msgspec.Raw(json.dumps(value).encode())


async def test_names_from_the_kubeconfig(tmp_path: Path) -> None:
    name = "prod\x1b]52;c;x\x07\u202e" + "x" * 5000
    path = kubeconfig(tmp_path, "http://127.0.0.1:1")
    path.write_text(path.read_text().replace('"here"', json.dumps(name)))
    client = await KubeClient.connect(kubeconfig=path)
    await client.aclose()
    assert not acts(client.context)
    assert len(client.context) <= 200


@pytest.mark.parametrize(
    "server", ["http://127.0.0.1:1/\x1b[2J", "http://\u202e:1", "http://a:b", "\x9b", "http://ana:hunter2@[::"]
)
async def test_addresses_from_the_kubeconfig(tmp_path: Path, server: str) -> None:
    with pytest.raises(CockpitError) as caught:
        client = await KubeClient.connect(kubeconfig=kubeconfig(tmp_path, server))
        async with aclosing(client):
            await client.get("/version")
    assert not acts(str(caught.value))
    assert "hunter2" not in str(caught.value)


@given(st.text(), st.sampled_from(Arch))
def test_no_value_breaks_out_of_a_matcher(value: str, arch: Arch) -> None:
    query = selector([("pod", "=", value), ("arch", "=", arch.value)])
    quoted = query.removeprefix('{pod="').removesuffix(f'",arch="{arch}"}}')
    unescaped, rest = "", iter(quoted)
    for letter in rest:
        assert letter not in '"\n'
        unescaped += {"n": "\n"}.get(second := next(rest), second) if letter == "\\" else letter
    assert unescaped == value
