"""A namespace on the real plane with 40 workloads and 12 DaemonSets, their images in a real registry, and what is wrong there.

A webhook of its own injects a sidecar. Everything is put there over HTTP, as deployment tools would.
"""

from __future__ import annotations

import base64
import json
import ssl
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cockpit.model.audit import Mark
from cockpit.model.cluster import Ref
from cockpit.model.image import parse
from cockpit.model.playbook import Agent, Playbook, Target
from cockpit.rehearsal.images import MULTI_ARCH, X86_INDEX, X86_ONLY, Build
from cockpit.rehearsal.kube.tls import Certificates, make_certificates
from tests.factories import PLAYBOOK
from tests.real.api import Api, Obj, until
from tests.real.content import images
from tests.real.plane import Plane
from tests.real.test_registry import Registry, _plain

NAMESPACE = "audited"
DAY = date(2026, 11, 22)
WORKLOADS, DAEMONSETS = 40, 12
ARM_ONLY = Build(("linux/arm64",))
_APPS, _BATCH, _CORE = (f"{group}/namespaces/{NAMESPACE}" for group in ("/apis/apps/v1", "/apis/batch/v1", "/api/v1"))
_HOOKS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
_INJECTED = "inject.example.com/mesh"


@dataclass(slots=True)
class Audited:
    """What was planted: the mark of every component that is not PASS, and every image by the address of its registry."""

    plane: Plane
    registry: Registry
    red: dict[str, Mark] = field(default_factory=dict)
    references: set[str] = field(default_factory=set)
    agents: tuple[Agent, ...] = ()
    workloads: int = 0
    daemonsets: int = 0

    @property
    def playbook(self) -> Playbook:
        """Of the first workload; the plane's own images are in the same registry under their own names."""
        hosts = {parse(reference).registry for reference in images()}
        target = Target(NAMESPACE, Ref("deployment", NAMESPACE, "w01"))
        endpoints = dict.fromkeys(hosts, f"http://{self.registry.host}")
        return replace(PLAYBOOK, target=target, agents=self.agents, registries=endpoints)

    def push(self, name: str, build: Build = MULTI_ARCH) -> str:
        """Push an image; returns its reference. `X86_ONLY` and its like make a component red."""
        self.registry.push(name, "1", _plain(build, name))
        reference = f"{self.registry.host}/{name}:1"
        self.references.add(reference)
        if "linux/arm64" not in build.platforms:
            self.red[f"image/{reference}"] = Mark.FIX
        return reference


class _Maker:
    """Makes objects of every kind, each with an image of its own."""

    def __init__(self, ground: Audited) -> None:
        self._ground = ground
        self._api = ground.plane.admin

    def template(self, name: str, image: str = "", **spec: Any) -> Obj:
        containers = [{"name": "main", "image": image or self._ground.push(f"team/{name}")}]
        return {"metadata": {"labels": {"app": name}, **spec.pop("metadata", {})}, "spec": {"containers": containers, **spec}}

    def make(self, kind: str, name: str, template: Obj, **spec: Any) -> None:
        """A workload: the shape of a `kind` around the template."""
        selector = {"selector": {"matchLabels": {"app": name}}}
        home, plural, body = {
            "Deployment": (_APPS, "deployments", {**selector, "template": template}),
            "StatefulSet": (_APPS, "statefulsets", {**selector, "serviceName": name, "template": template}),
            "ReplicaSet": (_APPS, "replicasets", {**selector, "template": template}),
            "DaemonSet": (_APPS, "daemonsets", {**selector, "template": template}),
            "Job": (_BATCH, "jobs", {"template": _once(template)}),
            "CronJob": (_BATCH, "cronjobs", {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": _once(template)}}}),
            "Pod": (_CORE, "pods", template["spec"]),
        }[kind]
        meta = {"name": name, "namespace": NAMESPACE, "labels": {"app": name}}
        self._api.ask("POST", f"{home}/{plural}", {"metadata": meta, "spec": {**body, **spec}})
        if kind == "DaemonSet":
            self._ground.daemonsets += 1
        else:
            self._ground.workloads += 1

    def budget(self, name: str, **spec: Any) -> None:
        """A disruption budget of the workload with that name."""
        body = {"metadata": {"name": name, "namespace": NAMESPACE}, "spec": {"selector": {"matchLabels": {"app": name}}, **spec}}
        self._api.ask("POST", f"/apis/policy/v1/namespaces/{NAMESPACE}/poddisruptionbudgets", body)


def _once(template: Obj) -> Obj:
    return {**template, "spec": {**template["spec"], "restartPolicy": "Never"}}


@contextmanager
def audited(plane: Plane, folder: Path) -> Iterator[Audited]:
    """The namespace with everything in it; taken away afterwards."""
    registry = Registry(folder)
    ground = Audited(plane, registry)
    try:
        with _injector(ground):
            _fill(ground)
            yield ground
    finally:
        plane.admin.raw("DELETE", f"/api/v1/namespaces/{NAMESPACE}")
        registry.stop()


def _fill(ground: Audited) -> None:
    api = ground.plane.admin
    for reference in sorted(images()):
        found = parse(reference)
        ground.registry.push(found.repository, found.tag, _plain(MULTI_ARCH, found.repository))
        ground.references.add(f"{ground.registry.host}/{found.repository}:{found.tag}")
    api.ask("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    until("the service account", lambda: api.raw("GET", f"{_CORE}/serviceaccounts/default").status_code == 200, 30)
    maker = _Maker(ground)
    _sound(maker)
    _wrong_images(ground, maker)
    _wrong_places(ground, maker)
    _daemons(ground, maker)
    _budgets(ground, maker)
    _debugged(ground, api)
    assert (ground.workloads, ground.daemonsets) == (WORKLOADS, DAEMONSETS)


def _sound(maker: _Maker) -> None:
    """What is right, in every kind and in the shapes that look wrong at first sight."""
    anywhere = {"nodeAffinity": {_REQUIRED: {"nodeSelectorTerms": [_arch("amd64"), _arch("arm64")]}}}
    maker.make("Deployment", "w01", maker.template("w01"), replicas=2)
    maker.make("Deployment", "either", maker.template("either", affinity=anywhere))
    maker.make("Deployment", "graviton", maker.template("graviton", nodeSelector={"kubernetes.io/arch": "arm64"}))
    for number in range(4, 15):
        maker.make("Deployment", f"w{number:02}", maker.template(f"w{number:02}"))
    for kind, numbers in (("StatefulSet", range(15, 19)), ("CronJob", range(19, 22)), ("Job", range(22, 24))):
        for number in numbers:
            maker.make(kind, f"w{number:02}", maker.template(f"w{number:02}"))
    maker.make("ReplicaSet", "w24", maker.template("w24"), replicas=1)


_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def _arch(*values: str, key: str = "kubernetes.io/arch") -> Obj:
    return {"matchExpressions": [{"key": key, "operator": "In", "values": list(values)}]}


def _wrong_images(ground: Audited, maker: _Maker) -> None:
    old, listed, first = (ground.push(f"old/{n}", b) for n, b in (("one", X86_ONLY), ("listed", X86_INDEX), ("first", X86_ONLY)))
    maker.make("Deployment", "x86-single", maker.template("x86-single", old))
    maker.make("StatefulSet", "x86-index", maker.template("x86-index", listed))
    maker.make("Deployment", "x86-init", maker.template("x86-init", initContainers=[{"name": "first", "image": first}]))
    maker.make("CronJob", "x86-cron", maker.template("x86-cron", ground.push("old/cron", X86_ONLY)))
    maker.make("Job", "x86-job", maker.template("x86-job", ground.push("old/job", X86_ONLY)))
    maker.make("ReplicaSet", "x86-rs", maker.template("x86-rs", ground.push("old/rs", X86_ONLY)), replicas=1)
    maker.make("Pod", "x86-pod", maker.template("x86-pod", ground.push("old/pod", X86_ONLY)))
    gone = f"{ground.registry.host}/team/w04:no-such-tag"
    ground.red[f"image/{gone}"] = Mark.FIX
    maker.make("Deployment", "gone", maker.template("gone", gone))
    away = "127.0.0.1:1/team/away:1"
    ground.red[f"image/{away}"] = Mark.UNKNOWN
    maker.make("Deployment", "away", maker.template("away", away))
    ground.red[f"topology/deployment/{NAMESPACE}/arm-only"] = Mark.FIX
    maker.make("Deployment", "arm-only", maker.template("arm-only", ground.push("new/arm-only", ARM_ONLY)))
    ground.push("mesh/proxy", X86_ONLY)
    maker.make("Deployment", "meshed", maker.template("meshed", metadata={"annotations": {_INJECTED: "yes"}}))


def _wrong_places(ground: Audited, maker: _Maker) -> None:
    legacy = {"nodeAffinity": {_REQUIRED: {"nodeSelectorTerms": [_arch("amd64", key="beta.kubernetes.io/arch")]}}}
    pins: dict[tuple[str, str], dict[str, Any]] = {
        ("Deployment", "pinned"): {"nodeSelector": {"kubernetes.io/arch": "amd64"}},
        ("StatefulSet", "pinned-legacy"): {"nodeSelector": {"beta.kubernetes.io/arch": "amd64"}},
        ("CronJob", "pinned-affinity"): {"affinity": legacy},
        ("Deployment", "pinned-type"): {"nodeSelector": {"node.kubernetes.io/instance-type": "m6i.xlarge"}},
    }
    for (kind, name), spec in pins.items():
        ground.red[f"scheduling/{kind.lower()}/{NAMESPACE}/{name}"] = Mark.FIX
        maker.make(kind, name, maker.template(name, **spec))
    maker.make("Pod", "plain", maker.template("plain"))


def _daemons(ground: Audited, maker: _Maker) -> None:
    x86: dict[str, Any] = {"nodeSelector": {"kubernetes.io/arch": "amd64"}}
    for number in range(1, 6):
        maker.make("DaemonSet", f"d{number:02}", maker.template(f"d{number:02}"))
    maker.make(
        "DaemonSet", "control-plane-only", maker.template("control-plane-only", nodeSelector={"none.example.com/here": "1"})
    )
    maker.make("DaemonSet", "edr-amd64", maker.template("edr-amd64", ground.push("old/edr", X86_ONLY), **x86))
    del ground.red[f"image/{ground.registry.host}/old/edr:1"]  # its twin runs another
    maker.make("DaemonSet", "edr-arm64", maker.template("edr-arm64", nodeSelector={"kubernetes.io/arch": "arm64"}))
    maker.make("DaemonSet", "left-behind", maker.template("left-behind", **x86))
    affinity = {"nodeAffinity": {_REQUIRED: {"nodeSelectorTerms": [_arch("amd64")]}}}
    maker.make("DaemonSet", "left-affinity", maker.template("left-affinity", affinity=affinity))
    maker.make("DaemonSet", "x86-agent", maker.template("x86-agent", ground.push("old/agent", X86_ONLY)))
    maker.make("DaemonSet", "unsigned", maker.template("unsigned"))
    ground.agents = (
        Agent(Ref("daemonset", NAMESPACE, "unsigned"), (f"{ground.registry.host}/team/unsigned:2",), "security", DAY),
        Agent(Ref("daemonset", NAMESPACE, "d01"), (f"{ground.registry.host}/team/d01:1",), "security", DAY),
        Agent(Ref("daemonset", NAMESPACE, "uninstalled")),
    )
    ground.red |= {f"agent/{NAMESPACE}/{name}": Mark.FIX for name in ("left-behind", "left-affinity", "uninstalled")}
    ground.red[f"agent/{NAMESPACE}/unsigned"] = Mark.GATE


def _budgets(ground: Audited, maker: _Maker) -> None:
    maker.budget("w01", minAvailable=1)
    maker.budget("w05", maxUnavailable="50%")
    maker.budget("w06", maxUnavailable=0)
    maker.budget("w07", minAvailable="100%")
    for name in ("w06", "w07"):
        ground.red[f"scheduling/poddisruptionbudget/{NAMESPACE}/{name}"] = Mark.FIX
    until("the sound budgets spare a pod", lambda: all(_spares(ground.plane.admin, name) for name in ("w01", "w05")), 90)


def _spares(api: Api, name: str) -> bool:
    found = api.ask("GET", f"/apis/policy/v1/namespaces/{NAMESPACE}/poddisruptionbudgets/{name}")
    return bool(found.get("status", {}).get("disruptionsAllowed"))


def _debugged(ground: Audited, api: Api) -> None:
    """What `kubectl debug` does."""
    where = f"{_CORE}/pods/plain/ephemeralcontainers"
    pod = api.ask("GET", f"{_CORE}/pods/plain")
    image = ground.push("old/debug", X86_ONLY)
    added = {"name": "debug", "image": image, "terminationMessagePolicy": "File", "imagePullPolicy": "IfNotPresent"}
    api.ask("PUT", where, {**pod, "spec": {**pod["spec"], "ephemeralContainers": [added]}})


@contextmanager
def _injector(ground: Audited) -> Iterator[None]:
    """A mutating webhook that gives a proxy to every pod of the namespace that asks for it, dry runs too."""
    certificates = make_certificates()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(f"{ground.registry.host}/mesh/proxy:1"))
    server.socket = _context(certificates).wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    client = {
        "url": f"https://127.0.0.1:{server.server_address[1]}/mutate",
        "caBundle": base64.b64encode(certificates.authority).decode(),
    }
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"]}
    hook = {
        "name": "mesh.example.com",
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "failurePolicy": "Fail",
        "clientConfig": client,
        "rules": [rule],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": NAMESPACE}},
    }
    try:
        ground.plane.admin.ask("POST", _HOOKS, {"metadata": {"name": "mesh"}, "webhooks": [hook]})
        yield
    finally:
        ground.plane.admin.raw("DELETE", f"{_HOOKS}/mesh")
        server.shutdown()
        server.server_close()
        thread.join()


def _context(certificates: Certificates) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        chain, key = Path(folder) / "tls.crt", Path(folder) / "tls.key"
        chain.write_bytes(certificates.server)
        key.write_bytes(certificates.key)
        context.load_cert_chain(chain, key)
    return context


def _handler(image: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked = review["request"]
            answer: Obj = {"uid": asked["uid"], "allowed": True}
            if _INJECTED in asked["object"]["metadata"].get("annotations", {}):
                patch = [{"op": "add", "path": "/spec/containers/-", "value": {"name": "proxy", "image": image}}]
                answer |= {"patchType": "JSONPatch", "patch": base64.b64encode(json.dumps(patch).encode()).decode()}
            body = json.dumps({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": answer}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing on stderr."""

    return Handler
