"""A wrong binary on the real plane, as the `native` check sees it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from cockpit.clock import WallClock
from cockpit.connections import decode
from cockpit.model.cluster import Ref
from cockpit.model.playbook import NativeCheck, Playbook
from cockpit.model.snapshot import SourceName
from cockpit.model.verdict import Outcome, Verdict
from cockpit.playbook.loader import load
from cockpit.rules.judging import gates
from cockpit.sources.base import Kind, Observation
from cockpit.store import Store
from tests.real.api import Api, path, until
from tests.real.content import SHIPPED
from tests.real.contract.content import deployment
from tests.real.contract.servers import NAMESPACE, Server

NAME = "broken"


def flown() -> Playbook:
    playbook = load(SHIPPED[1])
    return replace(playbook, target=replace(playbook.target, namespace=NAMESPACE, baseline=Ref("deployment", NAMESPACE, NAME)))


def judged(api: Api) -> Verdict:
    """The verdict on what is there now."""
    store = Store(WallClock())
    for source, codec, resource in (
        (SourceName.DEPLOYMENTS, decode.DEPLOYMENTS, "deployments"),
        (SourceName.PODS, decode.PODS, "pods"),
    ):
        items = codec.page(api.raw("GET", path(resource, NAMESPACE)).content).items
        for item in items:
            store.fold(Observation(source, Kind.UPSERT, store.clock.monotonic(), f"{item.namespace}/{item.name}", item))
        keys = frozenset(f"{item.namespace}/{item.name}" for item in items)
        store.fold(Observation(source, Kind.LISTED, store.clock.monotonic(), keys=keys))
    playbook = flown()
    phase = replace(playbook.phases[0], gates=(NativeCheck(),))
    (verdict,) = gates(phase, store.freeze(), playbook, datetime.now(UTC))
    return verdict


@pytest.mark.parametrize(
    ("fails", "waiting", "outcome"),
    [("exec-format", "CrashLoopBackOff", Outcome.FAIL), ("no-manifest", "ImagePullBackOff", Outcome.NO_DATA)],
)
def test_while_it_backs_off(real_server: Server, plane: object, fails: str, waiting: str, outcome: Outcome) -> None:
    wanted = deployment(NAME, replicas=1)
    wanted["spec"]["template"]["metadata"]["annotations"] = {"real.example.com/fails": fails}
    wanted["spec"]["template"]["spec"]["containers"][0]["terminationMessagePolicy"] = "FallbackToLogsOnError"
    with real_server.api() as api:
        api.create("deployments", wanted)
        try:
            until(f"it is in {waiting}", lambda: _waits(api, waiting), 30)
            verdict = judged(api)
        finally:
            api.delete("deployments", NAMESPACE, NAME)
    assert verdict.outcome is outcome, verdict.reason
    assert verdict.reason.startswith("exec format error: broken-") is (outcome is Outcome.FAIL)


def _waits(api: Api, waiting: str) -> bool:
    query = {"labelSelector": f"app={NAME}"}
    pods = decode.PODS.page(api.raw("GET", path("pods", NAMESPACE), params=query).content).items
    return any(c.waiting == waiting for p in pods for c in p.containers)
