"""Flying the real command headless on the real plane, with moto for the load balancer and metrics that follow its weights."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import yaml
from aiohttp import web

from cockpit.model.arch import Arch
from cockpit.model.json import canonical
from cockpit.model.playbook import Playbook
from cockpit.playbook.loader import find, load
from cockpit.rehearsal.aws import Account, AwsChild
from cockpit.rehearsal.awsproxy import AwsEndpoint, Model
from cockpit.rehearsal.awsseed import Order
from cockpit.rehearsal.fleet import Member
from cockpit.rehearsal.rewriting import Embedded, rewrite
from tests.real.api import Api, Obj, path, until
from tests.real.content import registry
from tests.real.kind.cluster import RBAC, changed
from tests.real.plane import Plane
from tests.scenarios import flights

WEIGHTS, AFFINITY = flights.PLAYBOOK, find("affinity-only")
OPERATOR = "operator"
"""The user who flies; nobody else is this user, so what the audit log says of it was done by the cockpit."""
REGION = "ap-south-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": REGION}
REVISION = "deployment.kubernetes.io/revision"
SHORTER = {
    WEIGHTS: {"min_samples: 3": "min_samples: 2", "soak: 1m": "soak: 2s", "for: 1m": "for: 2s"},
    AFFINITY: {"min_samples: 10": "min_samples: 2", "soak: 5m": "soak: 2s", "for: 2m": "for: 2s", "for: 1m": "for: 2s"},
}
OFTEN = {"every: 15s": "every: 1s", "stale_after: 60s": "stale_after: 5s"}
RATE = 400.0
LIMIT = 100.0
"""Wall seconds for one command."""

Then = Callable[[], Awaitable[None]]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Service:
    """What the metrics say of the service: requests go where the weights say, and its errors are what a test makes them."""

    def __init__(self, playbook: Playbook) -> None:
        self.errors = 0.0002
        """The failing share of the requests on arm64."""
        self.gone: Then = _never
        """Ends the server: connections are refused from then on."""
        self._weights: dict[str, Mapping[Arch, int]] = {}
        self._known = {signal.query_for(arch): (name, arch) for name, signal in playbook.signals.items() for arch in Arch}

    def set_weights(self, arn: str, weights: Mapping[Arch, int]) -> None:
        """A listener or rule has these weights now."""
        self._weights[arn] = weights

    def app(self) -> web.Application:
        """The part of Prometheus' API that answers the playbook's own queries; what was before is not known."""
        app = web.Application()
        app.router.add_post("/api/v1/query", self._query)
        app.router.add_post("/api/v1/query_range", self._query_range)
        return app

    def share(self, arch: Arch) -> float:
        """The share of the traffic on an architecture; without a load balancer every architecture has some."""
        parts = [weights[arch] / sum(weights.values()) for weights in self._weights.values()]
        return sum(parts) / len(parts) if parts else 0.5

    async def _query(self, request: web.Request) -> web.Response:
        query, now = str((await request.post())["query"]), time.time()
        if query.isdigit():
            return _success("scalar", [now, query])
        value = self._value(*self._known[query])
        return _success("vector", [] if value is None else [{"metric": {}, "value": [now, str(value)]}])

    async def _query_range(self, _: web.Request) -> web.Response:
        return _success("matrix", [])

    def _value(self, signal: str, arch: Arch) -> float | None:
        arm = arch is Arch.ARM64
        rate = RATE * self.share(arch)
        if signal == "requests" or not rate:
            return rate if signal == "requests" else None
        return (0.121 if arm else 0.120) if signal == "latency_p99" else (self.errors if arm else 0.0002)


@dataclass(frozen=True)
class Bench:
    """One playbook on the real plane. `home` holds the journals; `calls` are the writes that AWS was asked for, (action, ARN)."""

    plane: Plane
    account: Account
    playbook: Path
    home: Path
    service: Service
    calls: list[tuple[str, str]]
    kubeconfig: Path | None = None
    """Of whoever flies; without it OPERATOR does."""

    async def fly(self, *words: str, proven: Mapping[str, Then] | None = None) -> flights.Flown:
        """Run `cockpit run --headless` to its end; when a phase named in `proven` is, that is called."""
        return await self._run("run", *words, "--headless", proven=proven or {})

    async def roll_back(self) -> flights.Flown:
        """Run `cockpit rollback`, which knows nothing of an earlier command."""
        return await self._run("rollback", "--output", "json", proven={})

    async def look(self, command: str) -> str:
        """What a command that only looks says, once it has ended well."""
        process = await self._start(command)
        async with asyncio.timeout(LIMIT):
            said, errors = await process.communicate()
        assert process.returncode == 0, errors.decode()
        return said.decode()

    def as_it_is(self) -> dict[str, str]:
        """Each Deployment, listener and rule, as canonical JSON; without what controllers count."""
        facts = {}
        for item in self.plane.admin.items("deployments", "payments"):
            meta = item["metadata"]
            notes = {key: text for key, text in meta.get("annotations", {}).items() if key != REVISION}
            facts[meta["name"]] = canonical({"spec": item["spec"], "annotations": notes, "labels": meta.get("labels")})
        return facts | self._rules()

    def pods(self, name: str) -> list[Obj]:
        """A Deployment's pods that are not on their way out."""
        found = self.plane.admin.items("pods", "payments", labelSelector=f"app={name}")
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def _rules(self) -> dict[str, str]:
        url = f"http://127.0.0.1:{self.account.port}"
        keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
        elb = boto3.client("elbv2", endpoint_url=url, region_name=REGION, **keys)  # type: ignore[call-overload]
        listeners, rules = list(self.account.listeners), list(self.account.rules)
        found = [
            (one["ListenerArn"], one["DefaultActions"]) for one in elb.describe_listeners(ListenerArns=listeners)["Listeners"]
        ]
        found += [(one["RuleArn"], one["Actions"]) for one in elb.describe_rules(RuleArns=rules)["Rules"]]
        tags = {t["ResourceArn"]: t["Tags"] for t in elb.describe_tags(ResourceArns=[*listeners, *rules])["TagDescriptions"]}
        return {arn: canonical({"actions": actions, "tags": tags[arn]}) for arn, actions in found}

    async def _run(self, command: str, *words: str, proven: Mapping[str, Then]) -> flights.Flown:
        process, events = await self._start(command, *words), []
        assert process.stdout is not None
        assert process.stderr is not None
        errors = asyncio.create_task(process.stderr.read())
        try:
            async with asyncio.timeout(LIMIT):
                async for line in process.stdout:
                    events.append(event := json.loads(line))
                    if "proven_in" in event and (then := proven.get(event["phase"])):
                        await then()
                code = await process.wait()
        except TimeoutError:
            process.kill()
            raise AssertionError("\n".join(str(e["message"]) for e in events[-10:])) from None
        return flights.Flown(code, tuple(events), (await errors).decode())

    async def _start(self, command: str, *words: str) -> asyncio.subprocess.Process:
        config = self.kubeconfig or self.plane.kubeconfig
        environment = {**os.environ, **CREDENTIALS, "COCKPIT_HOME": str(self.home), "KUBECONFIG": str(config)}
        argv = ["-m", "cockpit", command, str(self.playbook), "--context", f"rehearsal-{OPERATOR}", *words]
        pipe, none = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        return await asyncio.create_subprocess_exec(
            sys.executable, *argv, stdin=none, stdout=pipe, stderr=pipe, env=environment, limit=1 << 20
        )


def assert_ended(flown: flights.Flown, code: int, outcome: str) -> None:
    """A command ended so; otherwise its own words say why not."""
    finished = [e["outcome"] for e in flown.of("run_finished")]
    told = [str(e["message"]) for e in flown.events[-10:]]
    assert (flown.code, finished) == (code, [outcome]), "\n".join([*told, flown.errors])


@contextmanager
def load_balancer() -> Iterator[Account]:
    """moto with one listener and one rule, all traffic on amd64."""
    child = AwsChild.spawn()
    try:
        yield asyncio.run(child.order(Order(seed=1, region=REGION, name="payments", start=Arch.AMD64, listeners=1, rules=1)))
    finally:
        child.stop()


def shipped(manifest: str, playbook: Path) -> str:
    """A manifest of playbooks/rbac, with the one change that it asks for: the playbook's name in that of the run's record."""
    text = (RBAC / f"{manifest}.yaml").read_text()
    return text.replace("cutover-cockpit-kind-affinity", f"cutover-cockpit-{load(playbook).name}")


@contextmanager
def operator_may(plane: Plane, playbook: Path) -> Iterator[None]:
    """The user OPERATOR may do what the shipped manifest grants for this playbook, and nothing else."""
    mine = {"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": OPERATOR}
    objs = [obj for obj in yaml.safe_load_all(shipped("operator", playbook)) if obj["kind"] != "ServiceAccount"]
    made = []
    try:
        for obj in objs:
            plane.admin.create(_plural(obj), obj | ({"subjects": [mine]} if "subjects" in obj else {}))
            made.append(obj)
        with plane.api(OPERATOR) as operator:
            # What the last binding grants, and no other: watching pods there.
            last = f"{path('pods', objs[-1]['metadata']['namespace'])}?watch=true&timeoutSeconds=1"
            until("the operator may look", lambda: operator.raw("GET", last).status_code == 200)
        yield
    finally:
        for obj in made:
            plane.admin.delete(_plural(obj), obj["metadata"].get("namespace", ""), obj["metadata"]["name"])


@asynccontextmanager
async def bench(
    plane: Plane, account: Account, playbook: Path, folder: Path, kubeconfig: Path | None = None
) -> AsyncIterator[Bench]:
    """The servers that a short copy of the playbook names, for one test; `kubeconfig` is that of whoever flies."""
    service = Service(load(playbook))
    calls: list[tuple[str, str]] = []
    async with AsyncExitStack() as stack:
        endpoint = AwsEndpoint(account, REGION, Model(lambda arch: _members(plane.admin, arch), service.set_weights, _no))
        stack.push_async_callback(endpoint.stop)
        if playbook == WEIGHTS:
            await endpoint.start()
        aws = endpoint.app()
        aws.middlewares.append(_recorder(calls))
        aws_url, _ = await _serve(aws, stack)
        url, service.gone = await _serve(service.app(), stack)
        registry_url, _ = await _serve(registry().app(), stack)
        uid = plane.admin.get("namespaces", name="kube-system")["metadata"]["uid"]
        copy = _short(playbook, folder, Embedded(uid, url, aws_url, account, registry_url, ("registry.example.com",)))
        made = Bench(plane, account, copy, folder / "home", service, calls, kubeconfig)
        before = made.as_it_is()
        try:
            yield made
        finally:
            # The plane is everybody's: a flight that a failed test leaves behind is taken back.
            if made.as_it_is() != before:
                await made.roll_back()


def _short(playbook: Path, folder: Path, world: Embedded) -> Path:
    exact = {"context: rehearsal": f"context: rehearsal\n  cluster_uid: {world.cluster_uid}"}
    copy = folder / playbook.name
    copy.write_text(rewrite(changed(playbook.read_text(), {**exact, **OFTEN, **SHORTER[playbook]}), world))
    return copy


async def _serve(app: web.Application, stack: AsyncExitStack) -> tuple[str, Then]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}", runner.cleanup


def _recorder(calls: list[tuple[str, str]]) -> Any:
    @web.middleware
    async def record(request: web.Request, handler: Handler) -> web.StreamResponse:
        form = await request.post()
        action = str(form.get("Action", ""))
        if not action.startswith(("Describe", "Get")):
            names = ("ListenerArn", "RuleArn", "ResourceArns.member.1")
            calls.append((action, next(str(form[name]) for name in names if name in form)))
        return await handler(request)

    return record


def _members(api: Api, arch: Arch) -> tuple[Member, ...]:
    name = "payments-api" if arch is Arch.AMD64 else "payments-api-arm64"
    pods = [p for p in api.items("pods", "payments", labelSelector=f"app={name}") if p["status"].get("podIP")]
    return tuple(_member(pod, arch) for pod in pods)


def _member(pod: Obj, arch: Arch) -> Member:
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"]["conditions"])
    leaving = "deletionTimestamp" in pod["metadata"]
    return Member(pod["metadata"]["name"], pod["status"]["podIP"], f"{REGION}a", arch, ready, leaving, None)


def _success(kind: str, result: list[Any]) -> web.Response:
    return web.json_response({"status": "success", "data": {"resultType": kind, "result": result}})


def _plural(obj: Obj) -> str:
    return f"{obj['kind'].lower()}s"


def _no(_: str) -> bool:
    return False


async def _never() -> None:
    raise AssertionError("not served")
