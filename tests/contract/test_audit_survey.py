"""The audit's survey against the embedded Kubernetes API and a registry, over their sockets."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from cockpit.audit import survey as surveys
from cockpit.audit.ask import STDIN, Ask, Scope, Servers
from cockpit.audit.survey import survey
from cockpit.connections.kube import KubeClient
from cockpit.model.audit import Audit, Mark, Progress, Row
from cockpit.model.cluster import Ref
from cockpit.model.playbook import Agent, Playbook, Portability, Target, Waiver
from cockpit.rehearsal.images import MULTI_ARCH, X86_INDEX, X86_ONLY
from cockpit.rehearsal.kube.errors import KubeError
from cockpit.rehearsal.kube.faults import RequestInfo
from cockpit.rehearsal.kube.storage import Storage
from tests.contract.registry_bench import Bench, bench
from tests.contract.small_api import connected
from tests.contract.test_source_embedded import Trouble, embedded
from tests.factories import API, PLAYBOOK, phase
from tests.unit.rehearsal.small_world import NAMESPACE, node

DAY = date(2026, 11, 22)
HOST = "registry.example.com"
API_IMAGE, EDR_IMAGE = f"{HOST}/payments/api:4.2.0", f"{HOST}/edr/sensor:7"
EDR = Ref("daemonset", "kube-system", "edr-sensor")


@pytest.fixture(autouse=True)
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))


@dataclass(slots=True)
class World:
    """The small world, its client, its registry, and what is asked about both."""

    storage: Storage
    kube: KubeClient
    registry: Bench
    playbook: Playbook
    trouble: Trouble

    async def audit(self, **asked: Any) -> Audit:
        return await survey(Ask(DAY, self.playbook, **asked), Servers(self.kube))

    def push(self, *images: str, build: Any = MULTI_ARCH) -> None:
        for image in images:
            repository, _, tag = image.removeprefix(f"{HOST}/").partition(":")
            self.registry.push(repository, tag, build)

    def make(self, resource: str, name: str, spec: dict[str, Any], **meta: Any) -> None:
        self.storage.create(resource, {"metadata": {"name": name, "namespace": NAMESPACE, **meta}, "spec": spec})


@asynccontextmanager
async def world(folder: Path, **changes: Any) -> AsyncIterator[World]:
    trouble = Trouble()
    async with embedded(folder, trouble) as (storage, kube), bench() as registry:
        playbook = replace(
            PLAYBOOK,
            target=Target(NAMESPACE, API),
            agents=(Agent(EDR, (EDR_IMAGE,), "security", DAY),),
            registries={HOST: registry.url},
            **changes,
        )
        made = World(storage, kube, registry, playbook, trouble)
        made.push(API_IMAGE, EDR_IMAGE)
        yield made


def templated(*containers: dict[str, Any], init: tuple[dict[str, Any], ...] = (), **spec: Any) -> dict[str, Any]:
    return {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": list(containers), "initContainers": list(init), **spec}}


def runs(image: str, name: str = "main") -> dict[str, Any]:
    return {"name": name, "image": f"{HOST}/{image}"}


def by_component(audit: Audit) -> dict[str, Row]:
    return {row.component: row for row in audit.rows}


async def test_a_sound_tier_is_green_and_everything_in_it_is_named(tmp_path: Path) -> None:
    async with world(tmp_path) as made:
        audit = await made.audit()
    assert audit.green, [row for row in audit.rows if row.mark is not Mark.PASS] + list(audit.faults)
    assert set(by_component(audit)) == {
        f"image/{API_IMAGE}",
        f"image/{EDR_IMAGE}",
        f"scheduling/deployment/{NAMESPACE}/payments-api",
        f"scheduling/poddisruptionbudget/{NAMESPACE}/payments-api",
        "agent/kube-system/edr-sensor",
        "topology/cluster",
    }
    assert audit.day == DAY
    assert by_component(audit)[f"image/{API_IMAGE}"].used_by == (f"deployment/{NAMESPACE}/payments-api",)


async def test_every_kind_and_role_brings_its_image_and_what_a_controller_makes_counts_once(tmp_path: Path) -> None:
    async with world(tmp_path) as made:
        selector = {"matchLabels": {"app": "x"}}
        made.make(
            "statefulsets", "db", {"selector": selector, "template": templated(runs("db:1"), init=(runs("init:1", "first"),))}
        )
        made.make("jobs", "once", {"template": templated(runs("job:1"), restartPolicy="Never")})
        made.make("jobs", "done", {"template": templated(runs("gone:1"), restartPolicy="Never")})
        done = made.storage.get("jobs", NAMESPACE, "done")
        made.storage.update("jobs", {**done, "status": {"conditions": [{"type": "Complete", "status": "True"}]}})
        made.make("replicasets", "bare", {"replicas": 1, "selector": selector, "template": templated(runs("rs:1"))})
        debug = {"ephemeralContainers": [runs("debug:1", "look")]}
        made.make("pods", "alone", {**templated(runs("pod:1"))["spec"], **debug})
        owner = {"apiVersion": "example.com/v1", "kind": "Broker", "name": "mq", "uid": "u", "controller": True}
        for number in (1, 2):
            made.make("pods", f"mq-{number}", templated(runs("mq:1"))["spec"], ownerReferences=[owner])
        images = [f"{HOST}/{name}:1" for name in ("db", "init", "job", "rs", "pod", "debug", "mq")]
        made.push(*images[:-1], build=X86_ONLY)
        made.push(images[-1])
        rows = by_component(await made.audit())
    assert {image: rows[f"image/{image}"].mark for image in images[:-1]} == dict.fromkeys(images[:-1], Mark.FIX)
    assert rows[f"image/{HOST}/init:1"].used_by == (f"statefulset/{NAMESPACE}/db, init container first",)
    assert rows[f"image/{HOST}/debug:1"].used_by == (f"pod/{NAMESPACE}/alone, ephemeral container look",)
    assert rows[f"image/{HOST}/mq:1"].used_by == (f"broker/{NAMESPACE}/mq",)
    assert f"image/{HOST}/gone:1" not in rows
    assert {c for c in rows if "payments-api" in c and c.startswith("scheduling/")} == {
        f"scheduling/{kind}/{NAMESPACE}/payments-api" for kind in ("deployment", "poddisruptionbudget")
    }


async def test_what_foreign_controllers_run_is_asked_about_though_their_kinds_are_named_as_kubernetes_own(tmp_path: Path) -> None:
    async with world(tmp_path) as made:
        foreign = (("Job", "batch.volcano.sh"), ("StatefulSet", "apps.kruise.io"), ("DaemonSet", "apps.kruise.io"))
        for kind, group in foreign:
            owner = {"apiVersion": f"{group}/v1", "kind": kind, "name": "x", "uid": "u", "controller": True}
            made.make("pods", f"x-{kind.lower()}", templated(runs(f"{kind.lower()}:1"))["spec"], ownerReferences=[owner])
        gone = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "newer", "uid": "u", "controller": True}
        made.make("pods", "newer-1", templated(runs("newer:1"))["spec"], ownerReferences=[gone])
        images = [f"{HOST}/{name}:1" for name in ("job", "statefulset", "daemonset", "newer")]
        made.push(*images, build=X86_ONLY)
        rows = by_component(await made.audit())
    assert {image: rows[f"image/{image}"].mark for image in images} == dict.fromkeys(images, Mark.FIX)
    assert rows[f"image/{HOST}/job:1"].used_by == (f"job.batch.volcano.sh/{NAMESPACE}/x",)


async def test_what_is_scaled_to_nothing_is_audited_unless_what_makes_it_was_read(tmp_path: Path) -> None:
    async with world(tmp_path) as made:
        custom = {"apiVersion": "example.com/v1", "kind": "Site", "name": "x", "uid": "u", "controller": True}
        own = {**custom, "apiVersion": "apps/v1", "kind": "Deployment", "name": "payments-api"}
        selector = {"matchLabels": {"app": "x"}}
        for resource, name, owner in (
            ("deployments", "asleep", custom),
            ("statefulsets", "dormant", custom),
            ("replicasets", "rollout", custom),
            ("replicasets", "old", own),
        ):
            spec = {"replicas": 0, "selector": selector, "template": templated(runs(f"{name}:1"))}
            made.make(resource, name, spec, ownerReferences=[owner])
        kept = {f"image/{HOST}/{name}:1" for name in ("asleep", "dormant", "rollout")}
        made.push(*(name.removeprefix("image/") for name in kept), build=X86_ONLY)
        rows = by_component(await made.audit())
    assert {name for name in kept if rows[name].mark is Mark.FIX} == kept
    assert f"image/{HOST}/old:1" not in rows


async def test_the_rules_are_no_work_of_the_event_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where: list[int] = []

    def seen(*_: object) -> tuple[Row, ...]:
        where.append(threading.get_ident())
        return ()

    for rule in ("scheduling", "agents", "budgets", "topology", "users"):
        monkeypatch.setattr(surveys, rule, lambda *a, rule=rule: (seen(), {} if rule == "users" else ())[1])
    async with world(tmp_path) as made:
        await made.audit()
    assert len(where) == 5 and threading.get_ident() not in where


async def test_planted_blockers_of_scheduling_are_found_and_nothing_else(tmp_path: Path) -> None:
    async with world(tmp_path) as made:
        made.push(f"{HOST}/ok:1")
        nodes = [n for n in made.storage.list("nodes") if n["metadata"]["labels"]["kubernetes.io/arch"] == "arm64"]
        taint = [{"key": "graviton", "value": "yes", "effect": "NoSchedule"}]
        made.storage.update("nodes", {**nodes[0], "spec": {"taints": taint}})
        tolerant = {"tolerations": [{"key": "graviton", "operator": "Exists"}]}
        target = made.storage.get("deployments", NAMESPACE, "payments-api")
        target["spec"]["template"]["spec"] |= tolerant
        made.storage.update("deployments", target)
        sensor = made.storage.get("daemonsets", "kube-system", "edr-sensor")
        sensor["spec"]["template"]["spec"] |= tolerant
        made.storage.update("daemonsets", sensor)
        selector = {"matchLabels": {"app": "x"}}

        def plant(resource: str, name: str, **spec: Any) -> None:
            made.make(resource, name, {"selector": selector, "template": templated(runs("ok:1"), **spec)})

        plant("deployments", "fine", **tolerant)
        plant("deployments", "pinned", nodeSelector={"beta.kubernetes.io/arch": "amd64"}, **tolerant)
        plant("statefulsets", "repelled")
        plant("deployments", "labelled", nodeSelector={"disk": "nvme"}, **tolerant)
        plant("daemonsets", "shipper")
        made.make("poddisruptionbudgets", "stuck", {"maxUnavailable": 0, "selector": selector})
        audit = await made.audit()
    red = {row.component: row.status for row in audit.red()}
    assert red.keys() == {
        f"scheduling/deployment/{NAMESPACE}/pinned",
        f"scheduling/statefulset/{NAMESPACE}/repelled",
        f"scheduling/deployment/{NAMESPACE}/labelled",
        f"scheduling/poddisruptionbudget/{NAMESPACE}/stuck",
        f"agent/{NAMESPACE}/shipper",
    }, (red, audit.faults)
    assert "beta.kubernetes.io/arch" in red[f"scheduling/deployment/{NAMESPACE}/pinned"]
    assert "graviton=yes:NoSchedule" in red[f"scheduling/statefulset/{NAMESPACE}/repelled"]
    assert "disk=nvme" in red[f"scheduling/deployment/{NAMESPACE}/labelled"]
    assert not audit.faults


async def test_an_agent_that_is_not_certified_waits_for_whoever_signs(tmp_path: Path) -> None:
    async with world(tmp_path) as made:
        made.playbook = replace(
            made.playbook,
            agents=(Agent(EDR, (f"{HOST}/edr/sensor:8",), "security", DAY), Agent(replace(EDR, name="gone"), (), "")),
        )
        rows = by_component(await made.audit())
    gated = rows["agent/kube-system/edr-sensor"]
    assert gated.mark is Mark.GATE and gated.owner == "security" and "sign" in gated.action
    assert rows["agent/kube-system/gone"].mark is Mark.FIX


async def test_waivers_are_applied_as_of_the_day_and_those_that_nobody_needs_are_told(tmp_path: Path) -> None:
    image = f"image/{EDR_IMAGE}"
    until = Waiver(f"image/{HOST}/edr/sensor", "waits for the vendor", "security", DAY)
    idle = Waiver("agent/kube-system/gone", "nothing", "nobody", DAY)
    for day, mark in ((DAY, Mark.WAIVED), (date(2026, 11, 23), Mark.FIX)):
        async with world(tmp_path, portability=Portability("waived_ok", (until, idle))) as made:
            made.push(EDR_IMAGE, build=X86_INDEX)
            asked = Ask(day, made.playbook)
            audit = await survey(asked, Servers(made.kube))
        row = by_component(audit)[image]
        assert row.mark is mark and row.waiver == until
        assert ("expired on 2026-11-22" in row.status) is (mark is Mark.FIX)
        assert audit.clear is (mark is Mark.WAIVED)
        assert len(audit.notes) == 1 and "agent/kube-system/gone" in audit.notes[0]


async def test_a_refused_dry_run_is_made_up_for_by_what_runs_and_is_unknown_where_nothing_does(tmp_path: Path) -> None:
    async with world(tmp_path) as made:

        async def no_creation(request: RequestInfo) -> None:
            if (request.verb, request.resource) == ("create", "pods"):
                assert request.dry_run
                raise KubeError(403, "Forbidden", "pods is forbidden: User cannot create resource pods")

        made.trouble.before = no_creation  # type: ignore[method-assign]
        made.push(f"{HOST}/mesh:1", build=X86_ONLY)
        pod = next(p for p in made.storage.list("pods") if p["metadata"]["name"].endswith("abcde"))
        pod["spec"]["containers"].append(runs("mesh:1", "proxy"))
        made.storage.update("pods", pod)
        made.make("jobs", "nightly", {"template": templated({"name": "main", "image": API_IMAGE}, restartPolicy="Never")})
        audit = await made.audit()
    rows = by_component(audit)
    assert rows[f"image/{HOST}/mesh:1"].mark is Mark.FIX
    assert rows[f"image/{HOST}/mesh:1"].used_by == (f"deployment/{NAMESPACE}/payments-api, injected container proxy",)
    unknown = rows[f"sidecar/{NAMESPACE}"]
    assert unknown.mark is Mark.UNKNOWN and "forbidden" in unknown.status and unknown.used_by == (f"job/{NAMESPACE}/nightly",)
    assert not audit.faults


async def test_nothing_is_kept_of_a_dry_run_and_nothing_else_is_sent(tmp_path: Path) -> None:
    async with world(tmp_path) as made:
        sent: list[RequestInfo] = []

        async def seen(request: RequestInfo) -> None:
            sent.append(request)

        made.trouble.before = seen  # type: ignore[method-assign]
        made.kube.read_only = "an audit only looks"
        before = {r: len(made.storage.list(r)) for r in ("pods", "deployments", "jobs")}
        assert (await made.audit()).green
        assert {r: len(made.storage.list(r)) for r in before} == before
    changing = {(r.verb, r.resource, r.dry_run) for r in sent if r.verb not in ("get", "list")}
    assert changing == {("create", "pods", True)}


async def test_what_cannot_be_listed_is_a_fault_and_the_rest_is_there(tmp_path: Path) -> None:
    async with world(tmp_path) as made:
        made.trouble.refuse = {"statefulsets": KubeError(403, "Forbidden", "statefulsets is forbidden")}
        audit = await made.audit()
    assert not audit.clear and not audit.green
    assert len(audit.faults) == 1 and audit.faults[0].startswith(f"StatefulSets of namespace {NAMESPACE} could not be listed")
    assert by_component(audit)[f"image/{API_IMAGE}"].mark is Mark.PASS


async def test_a_cluster_that_breaks_off_leaves_nothing_green(tmp_path: Path) -> None:
    async with world(tmp_path) as made:
        made.trouble.cut = True
        audit = await made.audit(images=(API_IMAGE,))
    assert not audit.clear and any("nodes could not be listed" in fault for fault in audit.faults)
    assert by_component(audit)[f"image/{API_IMAGE}"].mark is Mark.PASS


async def test_a_workload_of_the_playbook_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    async with world(tmp_path) as made:
        made.playbook = replace(made.playbook, target=Target(NAMESPACE, API, Ref("deployment", NAMESPACE, "ghost")))
        audit = await made.audit()
    assert audit.faults == (f"deployment/ghost of the playbook is not in namespace {NAMESPACE}",)


async def test_a_registry_that_is_away_leaves_unknown_and_never_pass(tmp_path: Path) -> None:
    async with world(tmp_path) as made:
        made.playbook = replace(made.playbook, registries={HOST: "http://127.0.0.1:1"})
        audit = await made.audit()
    images = [row for row in audit.rows if row.component.startswith("image/")]
    assert {row.mark for row in images} == {Mark.UNKNOWN} and len(images) == 2


async def test_the_way_back_may_stay_what_it_is_where_a_canary_is_moved(tmp_path: Path) -> None:
    async with world(tmp_path) as made:
        canary = Ref("deployment", NAMESPACE, "payments-api-arm64")
        made.playbook = replace(made.playbook, target=Target(NAMESPACE, API, canary), phases=(phase("canary-5", 5),))
        made.push(API_IMAGE, build=X86_ONLY)
        made.push(f"{HOST}/payments/api-arm64:1")
        home = made.storage.get("deployments", NAMESPACE, "payments-api")
        home["spec"]["template"]["spec"]["nodeSelector"] = {"kubernetes.io/arch": "amd64"}
        made.storage.update("deployments", home)
        template = templated(runs("payments/api-arm64:1"), nodeSelector={"kubernetes.io/arch": "arm64"})
        made.make("deployments", canary.name, {"selector": {"matchLabels": {"app": "x"}}, "template": template})
        audit = await made.audit()
        assert audit.green, [row for row in audit.rows if row.mark.red]
        made.playbook = replace(made.playbook, phases=PLAYBOOK.phases)
        moved = await made.audit()
    assert {row.component for row in moved.red()} == {f"image/{API_IMAGE}", f"scheduling/deployment/{NAMESPACE}/payments-api"}


async def test_all_namespaces_and_more_nodes_than_a_page(tmp_path: Path) -> None:
    async with world(tmp_path) as made:
        for number in range(3, 620):
            made.storage.create("nodes", node(f"n{number}", "arm64", number % 250))
        made.storage.create("namespaces", {"metadata": {"name": "other"}})
        template = templated(runs("x86:1"))
        elsewhere = {"metadata": {"name": "far", "namespace": "other"}, "spec": {"selector": {}, "template": template}}
        made.storage.create("deployments", elsewhere)
        made.push(f"{HOST}/x86:1", build=X86_ONLY)
        own, everything = await made.audit(), await made.audit(scope=Scope.EVERYTHING)
        more = await made.audit(more_namespaces=("other",))
    assert own.green and by_component(own)["topology/cluster"].used_by[1] == "618 arm64 workers"
    for audit in (everything, more):
        assert {row.component for row in audit.red()} == {f"image/{HOST}/x86:1"}


async def test_progress_grows_to_its_total_and_never_goes_back(tmp_path: Path) -> None:
    said: list[Progress] = []
    async with world(tmp_path) as made:
        await survey(Ask(DAY, made.playbook), Servers(made.kube), said.append)
    assert said[-1].done == said[-1].total > 3
    assert [p.done for p in said] == sorted(p.done for p in said)
    assert [p.total for p in said] == sorted(p.total for p in said)
    assert any(API_IMAGE in p.doing for p in said)


async def test_an_area_that_nobody_thought_of_is_a_fault_without_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("token=hunter2")

    monkeypatch.setattr(surveys, "components", broken)
    audit = await survey(Ask(DAY, PLAYBOOK), Servers())
    assert audit.faults == ("workloads and images could not be audited (RuntimeError)",)
    assert not audit.clear


async def test_without_a_cluster_to_ask_the_reason_is_a_fault() -> None:
    audit = await survey(Ask(DAY, PLAYBOOK), Servers(why={"kube": "no kubeconfig"}))
    assert audit.faults == ("the cluster could not be asked: no kubeconfig",)


async def test_manifests_are_audited_without_a_cluster(tmp_path: Path) -> None:
    async with bench() as registry:
        registry.push("payments/api", "1", MULTI_ARCH)
        registry.push("payments/old", "1", X86_ONLY)
        playbook = replace(PLAYBOOK, registries={HOST: registry.url})
        pinned = {"kind": "Job", "apiVersion": "batch/v1", "metadata": {"name": "once"}}
        template = {"spec": {"containers": [runs("payments/old:1")], "nodeSelector": {"kubernetes.io/arch": "amd64"}}}
        text = json.dumps({**pinned, "spec": {"template": template}})
        file = tmp_path / "deploy.yaml"
        file.write_text(
            "kind: Service\nmetadata: {name: x}\n---\nkind: Deployment\nmetadata: {name: api}\n"
            f"spec:\n  template:\n    spec:\n      containers:\n        - {{name: main, image: {HOST}/payments/api:1}}\n"
        )
        ask = Ask(DAY, playbook, Scope.NONE, manifests=(file, STDIN))
        audit = await survey(ask, Servers(stdin=text.encode()))
    rows = by_component(audit)
    assert {component: row.mark for component, row in rows.items()} == {
        f"image/{HOST}/payments/old:1": Mark.FIX,
        "scheduling/job/once": Mark.FIX,
        f"image/{HOST}/payments/api:1": Mark.PASS,
        "scheduling/deployment/api": Mark.PASS,
    }
    assert rows["scheduling/deployment/api"].used_by == (f"deployment/api ({file}:4)",)
    assert rows["scheduling/job/once"].used_by == ("job/once (stdin:1)",)


async def test_webhooks_inject_and_rewrite_what_is_audited(tmp_path: Path) -> None:
    """A server whose admission adds a proxy and takes images from a mirror."""
    listed = {"kind": "List", "apiVersion": "v1", "metadata": {}}
    template = templated(runs("payments/api:1"), volumes=[{"name": "tmp", "emptyDir": {}}])
    claims = [{"metadata": {"name": "data"}}]
    made = {
        "metadata": {"name": "payments-api", "namespace": NAMESPACE},
        "spec": {"template": template, "volumeClaimTemplates": claims},
    }
    posted: list[dict[str, Any]] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        if request.method == "POST":
            assert request.query == {"dryRun": "All"}
            pod = await request.json()
            posted.append(pod)
            pod["metadata"]["name"] = "payments-api-x"
            pod["spec"]["containers"] = [{"name": "main", "image": "mirror.example.com/api:1"}, runs("mesh/proxy:1", "proxy")]
            return web.json_response(pod, status=201)
        own = request.path.endswith(("/deployments", "/statefulsets"))
        return web.json_response({**listed, "items": [made] if own else []})

    async with connected(tmp_path, handle) as kube:
        nowhere = dict.fromkeys((HOST, "mirror.example.com"), "http://127.0.0.1:1")
        audit = await survey(Ask(DAY, replace(PLAYBOOK, target=Target(NAMESPACE, API), registries=nowhere)), Servers(kube))
    rows = by_component(audit)
    assert rows["image/mirror.example.com/api:1"].used_by == tuple(
        f"{k}/{NAMESPACE}/payments-api" for k in ("deployment", "statefulset")
    )
    assert rows[f"image/{HOST}/mesh/proxy:1"].used_by[0] == f"deployment/{NAMESPACE}/payments-api, injected container proxy"
    assert f"image/{HOST}/payments/api:1" not in rows
    assert rows[f"sidecar/{NAMESPACE}"].mark is Mark.PASS
    assert [v["name"] for v in posted[0]["spec"]["volumes"]] == ["tmp", "data"]
