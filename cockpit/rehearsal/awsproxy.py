"""The AWS endpoint: forwards to moto, and does what moto does not: validation, target health, throttling, telling the model."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode
from xml.etree.ElementTree import Element

from aiohttp import ClientSession, ClientTimeout, web

from cockpit.model.arch import Arch
from cockpit.rehearsal import awsquery
from cockpit.rehearsal.aws import Account
from cockpit.rehearsal.awsquery import AwsError
from cockpit.rehearsal.cloudwatch import TARGET, CloudWatchModel
from cockpit.rehearsal.fleet import Member
from cockpit.rehearsal.workloads import PORT

TIMEOUT = 30.0
_HOP = {"connection", "transfer-encoding", "content-length", "content-encoding", "server", "date", "keep-alive"}


@dataclass(frozen=True, slots=True)
class Model:
    """What the endpoint needs from the rest of the world."""

    members: Callable[[Arch], tuple[Member, ...]]
    """The pods behind an architecture's target group."""
    set_weights: Callable[[str, Mapping[Arch, int]], None]
    throttled: Callable[[str], bool]
    cloudwatch: CloudWatchModel | None = None
    """Answers what is asked of CloudWatch; without one moto does."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer of moto."""

    status: int
    headers: dict[str, str]
    body: bytes


class AwsEndpoint:
    """The handlers. Made where a loop runs; `start` must be awaited before the first request and `stop` after the last one."""

    def __init__(self, account: Account, region: str, model: Model) -> None:
        self._account = account
        self._region = region
        self._model = model
        self._archs = {arn: arch for arch, arn in account.target_groups.items()}
        self._weights: dict[str, Mapping[Arch, int]] = {}
        self._lock = asyncio.Lock()
        self._session = ClientSession(timeout=ClientTimeout(total=TIMEOUT), auto_decompress=False)

    async def start(self) -> None:
        """Read the weights that are there."""
        await self._read_weights()

    async def stop(self) -> None:
        """Close the connection to moto."""
        await self._session.close()

    def weights(self) -> Mapping[str, Mapping[Arch, int]]:
        """The rules, by ARN, with their weights as they are now."""
        return {arn: weights for arn, weights in self._weights.items() if arn in self._account.rules}

    async def set_weights(self, rule: str, weights: Mapping[str, int]) -> None:
        """Give a rule's forward action these weights by target group ARN, as a controller does: by what it has, it replaces."""
        form = {"RuleArn": rule, **awsquery.forward_form(weights)}
        async with self._lock:
            await self._ask("ModifyRule", "Rules/member", form)
            await self._read_weights()

    def app(self) -> web.Application:
        """The application, to be served on loopback."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        return app

    async def _handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        if self._model.cloudwatch and request.headers.get("X-Amz-Target") == TARGET:
            return web.Response(text=self._model.cloudwatch.answer(body), content_type="application/x-amz-json-1.0")
        if "elasticloadbalancing" not in request.headers.get("Authorization", ""):
            return _response(await self._send(request.method, request.path_qs, dict(request.headers), body))
        form = awsquery.parse_form(body.decode("utf-8", "replace") if body else request.query_string)
        try:
            return await self._balancing(request, form, body)
        except AwsError as error:
            return web.Response(status=error.status, text=error.xml(), content_type="text/xml")

    async def _balancing(self, request: web.Request, form: Mapping[str, str], body: bytes) -> web.Response:
        action = form.get("Action", "")
        if self._model.throttled(action):
            raise AwsError("Throttling", "Rate exceeded")
        arch = self._archs.get(form.get("TargetGroupArn", ""))
        if action == "DescribeTargetHealth" and arch is not None:
            return web.Response(text=self._health(arch), content_type="text/xml")
        async with self._lock:
            if action in ("ModifyRule", "CreateRule", "ModifyListener", "CreateListener"):
                await self._check(action, form)
            answer = await self._send(request.method, request.path_qs, dict(request.headers), body)
            if action in ("ModifyRule", "ModifyListener") and answer.status == 200:
                await self._read_weights()
        return _response(answer)

    async def _check(self, action: str, form: Mapping[str, str]) -> None:
        awsquery.check_actions(form)
        arn = form.get("RuleArn", "")
        if action == "ModifyRule":
            rules = await self._ask("DescribeRules", "Rules/member", {"RuleArns.member.1": arn})
            if any(awsquery.text(r, "IsDefault") == "true" for r in rules):
                raise AwsError("OperationNotPermitted", f"Default rule '{arn}' cannot be modified")

    def _health(self, arch: Arch) -> str:
        targets = [(m.address, m.zone, _state(m)) for m in self._model.members(arch)]
        return awsquery.target_health(targets, PORT)

    async def _read_weights(self) -> None:
        rules, listeners = _numbered("RuleArns", self._account.rules), _numbered("ListenerArns", self._account.listeners)
        if rules:
            self._tell(await self._ask("DescribeRules", "Rules/member", rules), "RuleArn", "Actions")
        if listeners:
            self._tell(await self._ask("DescribeListeners", "Listeners/member", listeners), "ListenerArn", "DefaultActions")

    def _tell(self, units: list[Element], arn: str, actions: str) -> None:
        for unit in units:
            by_group = awsquery.weights(unit, actions)
            known = {self._archs[group]: weight for group, weight in by_group.items() if group in self._archs}
            self._weights[awsquery.text(unit, arn)] = known
            self._model.set_weights(awsquery.text(unit, arn), known)

    async def _ask(self, action: str, path: str, more: Mapping[str, str]) -> list[Element]:
        scope = f"testing/20261122/{self._region}/elasticloadbalancing/aws4_request"
        headers = {
            "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=rehearsal",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        form = {"Action": action, "Version": "2015-12-01", **more}
        answer = await self._send("POST", "/", headers, urlencode(form).encode())
        return awsquery.members(answer.body.decode(), path) if answer.status == 200 else []

    async def _send(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        kept = {k: v for k, v in headers.items() if k.lower() not in _HOP}
        url = f"http://127.0.0.1:{self._account.port}{path}"
        async with self._session.request(method, url, data=body or None, headers=kept) as answer:
            return Answer(answer.status, dict(answer.headers), await answer.read())


def _numbered(name: str, values: tuple[str, ...]) -> dict[str, str]:
    return {f"{name}.member.{i}": v for i, v in enumerate(values, 1)}


def _state(member: Member) -> str:
    if member.leaving:
        return "draining"
    return "healthy" if member.ready else "initial"


def _response(answer: Answer) -> web.Response:
    headers = {k: v for k, v in answer.headers.items() if k.lower() not in _HOP}
    return web.Response(status=answer.status, body=answer.body, headers=headers)
