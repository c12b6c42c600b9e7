"""Elastic Load Balancing as async calls: boto3 in a bounded pool of threads of its own, imported when first used."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from cockpit.connections.account import AccountPin
from cockpit.connections.attached import attached
from cockpit.connections.landing import Landing
from cockpit.errors import CockpitError, NotFound, Refused
from cockpit.model.arch import Arch
from cockpit.model.json import Json
from cockpit.model.playbook import Alb
from cockpit.model.share import Rule, TargetGroup
from cockpit.text import clean

if TYPE_CHECKING:
    from types_boto3_elbv2 import ElasticLoadBalancingv2Client
    from types_boto3_elbv2.type_defs import ActionTypeDef, TargetHealthDescriptionTypeDef

T = TypeVar("T")
Ask = Callable[[], object]

CONNECT_SECONDS = 3
READ_SECONDS = 5
READ_ATTEMPTS = 3
IDENTITY_SECONDS = 2
IDENTITY_ATTEMPTS = 2
HURRIED_SECONDS = 0.5
"""How long a way back waits to hear whose the credentials are."""
POLL_SECONDS = 4
"""As READ_SECONDS for what is asked again anyway: once, and without waiting long."""
ARNS_A_CALL = 20
"""DescribeTags takes no more; the others are kept to the same."""
_SERVICE = "elasticloadbalancing"


THREADS = 16
"""Polls and probes hold twelve at most, however slow the endpoint is: a lever always finds a free one."""


@dataclass(frozen=True, slots=True)
class _Clients:
    reader: ElasticLoadBalancingv2Client
    poller: ElasticLoadBalancingv2Client
    writer: ElasticLoadBalancingv2Client
    sts: Any
    account: AccountPin


class ElbReader:
    """What is configured and how healthy it is. All time-outs are wall time; errors are of `cockpit.errors`."""

    def __init__(self, client: ElasticLoadBalancingv2Client, pool: ThreadPoolExecutor) -> None:
        self._reader = client
        self._pool = pool
        self.endpoint = client.meta.endpoint_url

    async def rules(self, listeners: Sequence[str], rules: Sequence[str]) -> tuple[Rule, ...]:
        """The default rules of `listeners`, then `rules`, in the order of these ARNs, with their tags. NotFound."""
        found: dict[str, Rule] = {}
        defaults, others = await asyncio.gather(self._defaults(listeners), self._others(rules))
        tags = await self._tags([*listeners, *rules])
        for arn, actions in {**defaults, **others}.items():
            found[arn] = Rule(arn, arn in defaults, actions, tags.get(arn, {}))
        return tuple(found[arn] for arn in (*listeners, *rules) if arn in found)

    async def attached(self, groups: Collection[str]) -> tuple[Rule, ...]:
        """Every rule that forwards to all of these target groups, with its tags: for rules that a controller makes."""
        found = await attached(self._reader, self._call, groups)
        tags = await self._tags([rule.arn for rule in found])
        return tuple(replace(rule, tags=tags.get(rule.arn, {})) for rule in found)

    async def target_groups(self, groups: Mapping[Arch, str]) -> tuple[TargetGroup, ...]:
        """The health of the groups' targets. What is not healthy or draining counts as unhealthy."""
        return tuple(await asyncio.gather(*(self._group(arch, arn) for arch, arn in groups.items())))

    async def probe(self, group: str) -> None:
        """One cheap call about a target group: Unreachable unless the endpoint answers, be it with a refusal."""
        await self._group(Arch.ARM64, group)

    async def _defaults(self, arns: Sequence[str]) -> dict[str, tuple[Mapping[str, Json], ...]]:
        found: dict[str, tuple[Mapping[str, Json], ...]] = {}
        for some in _batches(arns):
            answer = await self._call(
                f"{_SERVICE}:DescribeListeners", partial(self._reader.describe_listeners, ListenerArns=some)
            )
            found |= {one["ListenerArn"]: _actions(one.get("DefaultActions")) for one in answer["Listeners"]}
        return found

    async def _others(self, arns: Sequence[str]) -> dict[str, tuple[Mapping[str, Json], ...]]:
        found: dict[str, tuple[Mapping[str, Json], ...]] = {}
        for some in _batches(arns):
            answer = await self._call(f"{_SERVICE}:DescribeRules", partial(self._reader.describe_rules, RuleArns=some))
            found |= {one["RuleArn"]: _actions(one.get("Actions")) for one in answer["Rules"]}
        return found

    async def _tags(self, arns: Sequence[str]) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for some in _batches(arns):
            answer = await self._call(f"{_SERVICE}:DescribeTags", partial(self._reader.describe_tags, ResourceArns=some))
            for one in answer["TagDescriptions"]:
                found[one["ResourceArn"]] = {tag["Key"]: tag.get("Value", "") for tag in one.get("Tags", [])}
        return found

    async def _group(self, arch: Arch, arn: str) -> TargetGroup:
        answer = await self._call(
            f"{_SERVICE}:DescribeTargetHealth", lambda: self._reader.describe_target_health(TargetGroupArn=arn)
        )
        states = [_state(target) for target in answer["TargetHealthDescriptions"]]
        healthy, draining = states.count("healthy"), states.count("draining")
        return TargetGroup(arn, _name(arn), arch, healthy, len(states) - healthy - draining, draining)

    async def _call(self, action: str, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, guarded, action, self.endpoint, work)


class Elb(ElbReader):
    """The whole of the load balancer's API. `poller` is for what is asked again and again. Close with `close`."""

    def __init__(self, clients: _Clients, pool: ThreadPoolExecutor) -> None:
        super().__init__(clients.reader, pool)
        self.poller = ElbReader(clients.poller, pool)
        self.read_only = ""
        """Why nothing may be written here, so that no request that changes anything leaves; empty when it may."""
        self._clients = clients
        self._landing = Landing()

    @classmethod
    async def connect(cls, alb: Alb) -> Elb:
        """Clients for a playbook's load balancer, without asking it anything yet.

        Unauthorized without credentials, UsageError without a region or with a profile that does not exist.
        """
        pool = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="aws")
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, _open, alb, pool)
        except BaseException:
            pool.shutdown(wait=False)
            raise

    async def rules(self, listeners: Sequence[str], rules: Sequence[str]) -> tuple[Rule, ...]:
        """As a reader's, once no write to one of them is under way."""
        await self._landing.clear(*listeners, *rules)
        return await super().rules(listeners, rules)

    async def rules_there(
        self, listeners: Sequence[str], rules: Sequence[str]
    ) -> tuple[tuple[Rule, ...], dict[str, CockpitError]]:
        """`rules`, but without those that are gone or answer with an error of their own: these by ARN. It when all do."""
        try:
            return await self.rules(listeners, rules), {}
        except NotFound:
            pass
        arns = (*listeners, *rules)
        each = [*(self.rules((arn,), ()) for arn in listeners), *(self.rules((), (arn,)) for arn in rules)]
        found: list[Rule] = []
        missing: dict[str, CockpitError] = {}
        for arn, one in zip(arns, await asyncio.gather(*each, return_exceptions=True), strict=True):
            if isinstance(one, CockpitError):
                missing[arn] = one
            elif isinstance(one, BaseException):
                raise one
            else:
                found += one
        if missing and not found:
            raise next(iter(missing.values()))
        return tuple(found), missing

    async def account(self) -> str:
        """The account that the credentials belong to (sts:GetCallerIdentity); empty when the answer names none."""
        return await self._call("sts:GetCallerIdentity", partial(_account, self._clients.sts))

    def pin(self, account: str) -> None:
        """Write with no credentials but those of this account, whatever they are renewed to later on.

        From then on each write is preceded by the question whose they are: Refused, with nothing sent, when they are another
        account's or that is not known. One on the `way_back` is refused for another account alone.
        """
        self._clients.account.pin(account)

    async def modify(
        self, rule: Rule, actions: Sequence[Mapping[str, Json]], *, way_back: bool = False, ask: Ask | None = None
    ) -> None:
        """Replace a rule's whole action list. Never retried here: the caller must look before it writes again.

        `ask` is called last of all before the request leaves, and may raise: hearing whose the credentials are takes a while.
        """
        whole: Sequence[ActionTypeDef] = [dict(a) for a in actions]  # type: ignore[misc]
        if rule.is_default:
            await self._write(
                f"{_SERVICE}:ModifyListener",
                rule.arn,
                lambda: self._clients.writer.modify_listener(ListenerArn=rule.arn, DefaultActions=whole),
                way_back,
                ask,
            )
        else:
            modify = self._clients.writer.modify_rule
            await self._write(f"{_SERVICE}:ModifyRule", rule.arn, lambda: modify(RuleArn=rule.arn, Actions=whole), way_back, ask)

    async def tag(self, arn: str, tags: Mapping[str, str], *, way_back: bool = False, ask: Ask | None = None) -> None:
        """Set tags on a listener or rule; others stay. For `ask` see `modify`."""
        whole: Any = [{"Key": key, "Value": value} for key, value in tags.items()]
        add = self._clients.writer.add_tags
        await self._write(f"{_SERVICE}:AddTags", arn, lambda: add(ResourceArns=[arn], Tags=whole), way_back, ask)

    async def untag(self, arn: str, keys: Sequence[str], *, way_back: bool = False, ask: Ask | None = None) -> None:
        """Remove tags from a listener or rule; those that are not there do not matter. For `ask` see `modify`."""
        remove = self._clients.writer.remove_tags
        await self._write(f"{_SERVICE}:RemoveTags", arn, lambda: remove(ResourceArns=[arn], TagKeys=list(keys)), way_back, ask)

    def close(self) -> None:
        """Let go of connections and threads; calls under way end by themselves."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for client in (self._clients.reader, self._clients.poller, self._clients.writer, self._clients.sts):
            client.close()

    async def prove(self, *, way_back: bool) -> None:
        """Refused as `pin` says. Each write asks for it; asked for a moment before, it costs the write nothing."""
        asked = self._call("sts:GetCallerIdentity", partial(self._clients.account.check, way_back=way_back))
        with suppress(*([TimeoutError] if way_back else [])):
            await asyncio.wait_for(asked, HURRIED_SECONDS if way_back else None)

    async def _write(self, action: str, arn: str, work: Callable[[], object], way_back: bool, ask: Ask | None) -> None:
        if self.read_only:
            raise Refused(f"{action} was not sent: {self.read_only}")
        await self.prove(way_back=way_back)
        if ask:
            ask()
        await self._landing.write((arn,), self._call(action, work))


def guarded(action: str, where: str, work: Callable[[], T]) -> T:
    """What `work` gives; its failures become errors that name the IAM `action` or the address `where`."""
    from cockpit.connections.aws_failures import aws_words

    with aws_words(action, where):
        return work()


def _open(alb: Alb, pool: ThreadPoolExecutor) -> Elb:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import NoCredentialsError

    from cockpit.connections.aws_failures import aws_words
    from cockpit.connections.aws_secrets import know_session

    with aws_words(f"{_SERVICE}:*", alb.endpoint_url or alb.region):
        session = boto3.Session(region_name=alb.region or None)
        if session.get_credentials() is None:
            raise NoCredentialsError
        know_session(session)
        patient = Config(**client_settings(alb.endpoint_url, READ_ATTEMPTS, READ_SECONDS))
        once = Config(**client_settings(alb.endpoint_url, 1, READ_SECONDS))
        hasty = Config(**client_settings(alb.endpoint_url, 1, POLL_SECONDS))
        reader, poller, writer = (
            session.client("elbv2", endpoint_url=alb.endpoint_url, config=c) for c in (patient, hasty, once)
        )
        brief = Config(**client_settings(alb.endpoint_url, IDENTITY_ATTEMPTS, IDENTITY_SECONDS))
        sts = session.client("sts", endpoint_url=alb.endpoint_url, config=brief)
    ask = partial(guarded, "sts:GetCallerIdentity", sts.meta.endpoint_url, partial(_account, sts))
    account = AccountPin(ask, partial(_key, session))
    writer.meta.events.register("before-send", account.signed)
    return Elb(_Clients(reader, poller, writer, sts, account), pool)


def _account(sts: Any) -> str:
    return str(sts.get_caller_identity().get("Account", ""))


def _key(session: Any) -> str:
    return str(session.get_credentials().get_frozen_credentials().access_key)


def client_settings(endpoint_url: str | None, attempts: int, read: float) -> dict[str, Any]:
    """Settings of a botocore client; `read` is in seconds of wall time. A proxy is never used for this machine."""
    host = urlsplit(endpoint_url or "").hostname or ""
    local: dict[str, Any] = {"proxies": {}} if host == "localhost" or host.startswith("127.") else {}
    return {
        "connect_timeout": CONNECT_SECONDS,
        "read_timeout": read,
        "retries": {"mode": "standard", "total_max_attempts": attempts},
        "tcp_keepalive": True,
        "user_agent_extra": "cutover-cockpit",
        **local,
    }


def _actions(found: Any) -> tuple[Mapping[str, Json], ...]:
    return tuple(found or ())


def _state(target: TargetHealthDescriptionTypeDef) -> str:
    return target.get("TargetHealth", {}).get("State", "unavailable")


def _name(arn: str) -> str:
    parts = arn.split(":")[-1].split("/")
    return clean(parts[1] if len(parts) > 1 else arn, 80)


def _batches(arns: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(arns), ARNS_A_CALL):
        yield list(arns[start : start + ARNS_A_CALL])
