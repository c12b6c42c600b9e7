"""Somebody else's writes on the real API server: seen, and their author named by the server's own managedFields."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import boto3
import pytest

from cockpit.clock import WallClock
from cockpit.connections.aws import Elb
from cockpit.connections.kube import KubeClient
from cockpit.errors import Drift
from cockpit.levers.affinity import AffinityLever
from cockpit.levers.base import Found
from cockpit.levers.ingress import IngressLever
from cockpit.levers.ingress_action import PREFIX
from cockpit.levers.ingress_balance import written_by
from cockpit.levers.ingress_patch import ORIGINAL
from cockpit.model.arch import Arch
from cockpit.model.cluster import Ref
from cockpit.model.managed import UNKNOWN
from cockpit.model.playbook import Alb, IngressAction, WeightsSet
from cockpit.playbook.loader import load
from cockpit.run.assess import judge
from cockpit.run.crew import Crew
from cockpit.run.drift import DriftWatch
from cockpit.run.logbook import Logbook
from cockpit.run.state import RunState, Stage
from tests.contract.balancer import account
from tests.real.api import Obj, path
from tests.real.content import SHIPPED
from tests.real.plane import Plane
from tests.real.test_cockpit_on_the_plane import View, live

WORKER = Ref("deployment", "payments", "ledger-worker")
ORIGINAL_AFFINITY = "cutover-cockpit.dev/original-affinity"
BY = {"fieldManager": "argocd-controller"}
INGRESSES = "/apis/networking.k8s.io/v1/namespaces/payments/ingresses"
KEY = f"{PREFIX}split"
TEXT = '{"type":"forward","forwardConfig":{"targetGroups":[{"serviceName":"a","servicePort":80,"weight":100},{"serviceName":"b","servicePort":80,"weight":0}]}}'  # noqa: E501 (as it is written)
AFFINITY_ONLY = next(p for p in SHIPPED if p.stem == "affinity-only")


@pytest.fixture
async def kube(plane: Plane) -> AsyncIterator[KubeClient]:
    client = await KubeClient.connect("rehearsal", plane.kubeconfig)
    yield client
    await client.aclose()


@pytest.mark.parametrize(
    ("body", "words", "who"),
    [
        ({"spec": {"template": {"spec": {"affinity": None}}}}, "is something else", UNKNOWN),
        (
            {"spec": {"template": {"spec": {"affinity": {"nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
                    {"matchExpressions": [{"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]}]}]}}}}}}},
            "is ", "argocd-controller at ",
        ),
        ({"metadata": {"annotations": {ORIGINAL_AFFINITY: None}}}, "without the record of the original", UNKNOWN),
    ],
    ids=["removed", "replaced", "the record"],
)  # fmt: skip
async def test_who_reverts_an_affinity_is_named(plane: Plane, kube: KubeClient, body: Obj, words: str, who: str) -> None:
    clock, playbook = WallClock(), load(AFFINITY_ONLY)
    lever = AffinityLever(kube, (WORKER,), "drift-1", clock)
    before = plane.admin.get("deployments", WORKER.namespace, WORKER.name)
    crew, logbook = Crew(playbook, {"affinity": lever}), Logbook(clock, "run", "ana@bastion", None)
    watch = DriftWatch(logbook, playbook, clock)
    index = next(i for i, phase in enumerate(playbook.phases) if phase.affinity)
    phase = playbook.phases[index].affinity
    assert phase is not None
    where = path("deployments", WORKER.namespace, WORKER.name)
    try:
        async with View(kube, playbook) as view:
            for write in lever.plan(await lever.read(), phase).writes:
                await lever.apply(write)
            state = RunState("run", Stage.SOAKING, index, stage_at=clock.now(), phase_at=clock.now())

            async def told(seconds: float) -> str:
                async with asyncio.timeout(seconds):
                    while True:
                        snapshot = view.store.freeze()
                        if live(snapshot) and (said := watch.look(snapshot, state, judge(crew, snapshot, state, {"affinity"}))):
                            return said
                        await asyncio.sleep(0.1)

            with pytest.raises(TimeoutError):
                await told(3)
            await asyncio.to_thread(
                plane.admin.ask, "PATCH", where, body, params=BY, headers={"Content-Type": "application/merge-patch+json"}
            )
            said = await told(30)
        assert words in said
        assert f"; who: {who}" in said
    finally:
        spec = {"affinity": before["spec"]["template"]["spec"].get("affinity")}
        gone = dict.fromkeys(("cutover-cockpit.dev/original-affinity", "cutover-cockpit.dev/run", "cutover-cockpit.dev/epoch"))
        home = {"metadata": {"annotations": gone}, "spec": {"template": {"spec": spec}}}
        plane.admin.ask("PATCH", where, home, headers={"Content-Type": "application/merge-patch+json"})


@pytest.fixture
def balancer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Alb]:
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, "testing")
    with account(listeners=0, rules=1) as (address, alb):
        client = boto3.client("elbv2", region_name=alb.region, endpoint_url=address)
        for arn in alb.target_groups.values():
            client.register_targets(TargetGroupArn=arn, Targets=[{"Id": "10.0.0.1", "Port": 8080}])
        client.add_tags(ResourceArns=list(alb.rules), Tags=[{"Key": "ingress.k8s.aws/stack", "Value": "payments/split-me"}])
        client.close()
        yield alb


async def test_the_ingress_lever_there_and_back(plane: Plane, kube: KubeClient, balancer: Alb) -> None:
    backend = {"service": {"name": "split", "port": {"name": "use-annotation"}}}
    rules = [{"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}]
    meta = {"name": "split-me", "namespace": "payments", "annotations": {KEY: TEXT}}
    made: Obj = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": meta, "spec": {"rules": rules}}
    plane.admin.ask("POST", INGRESSES, made)
    where, services = f"{INGRESSES}/split-me", {Arch.AMD64: "a", Arch.ARM64: "b"}
    alb = Alb(
        balancer.region,
        balancer.target_groups,
        endpoint_url=balancer.endpoint_url,
        ingress=IngressAction("split-me", "split", services),
    )
    elb = await Elb.connect(alb)
    try:
        before = plane.admin.ask("GET", where)
        lever = IngressLever(kube, elb, alb, "payments", "drift-1", WallClock())
        (write,) = lever.plan(await lever.read(), share(5)).writes
        await lever.apply(write, lambda: 3)
        notes = plane.admin.ask("GET", where)["metadata"]["annotations"]
        assert notes[KEY] == TEXT.replace('"weight":100', '"weight":95').replace('"weight":0', '"weight":5')
        assert (notes[ORIGINAL], notes["cutover-cockpit.dev/epoch"]) == ("split amd64=100 arm64=0", "3")
        assert await lever.found(write) is Found.DONE
        second = lever.plan(await lever.read(), share(50)).writes[0]
        meddled = {"metadata": {"annotations": {KEY: notes[KEY].replace("80", "81")}}}
        plane.admin.ask("PATCH", where, meddled, params=BY, headers={"Content-Type": "application/merge-patch+json"})
        with pytest.raises(Drift, match="last written by argocd-controller at "):
            await lever.apply(second, lambda: 3)
        assert written_by((await lever.read()).ingress, KEY).startswith("argocd-controller at ")
        for back in lever.restore(await lever.read_for_restore()).writes:
            await lever.apply(back)
        after = plane.admin.ask("GET", where)
        assert after["metadata"]["annotations"] == {KEY: TEXT.replace("80", "81")}
        assert after["spec"] == before["spec"]
    finally:
        elb.close()
        plane.admin.ask("DELETE", where)


def share(arm64: int) -> WeightsSet:
    return WeightsSet({Arch.ARM64: arm64, Arch.AMD64: 100 - arm64})
