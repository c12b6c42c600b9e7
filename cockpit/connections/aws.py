"""Elastic Load Balancing as async calls: boto3 in a bounded pool of threads of its own, imported when first used."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from cockpit.connections.apart import apart
from cockpit.connections.attached import attached
from cockpit.connections.aws_clients import SERVICE, Clients, account_of, guarded, open_clients
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

HURRIED_SECONDS = 0.5
"""How long a way back waits to hear whose the credentials are."""
ARNS_A_CALL = 20
"""DescribeTags takes no more; the others are kept to the same."""
THREADS = 20
"""Polls, probes and warming hold sixteen at most, however slow the endpoint is: a lever always finds a free one."""
WARM = 2
WARM_READS = 4
"""Connections that are kept open for writes and for reads: a rollback has two rules and their tags side by side."""
WARM_SECONDS = 30.0
"""How often they are used (wall time): an idle one is dropped on the way sooner or later."""


class ElbReader:
    """What is configured and how healthy it is. All time-outs are wall time; errors are of `cockpit.errors`."""

    def __init__(self, client: ElasticLoadBalancingv2Client, pool: ThreadPoolExecutor) -> None:
        self._reader = client
        self._pool = pool
        self.endpoint = client.meta.endpoint_url

    async def rules(self, listeners: Sequence[str], rules: Sequence[str]) -> tuple[Rule, ...]:
        """The default rules of `listeners`, then `rules`, in the order of these ARNs, with their tags. NotFound."""
        found: dict[str, Rule] = {}
        asked = (self._defaults(listeners), self._others(rules), self._tags([*listeners, *rules]))
        defaults, others, tags = await asyncio.gather(*asked)
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
            answer = await self._call(f"{SERVICE}:DescribeListeners", partial(self._reader.describe_listeners, ListenerArns=some))
            found |= {one["ListenerArn"]: _actions(one.get("DefaultActions")) for one in answer["Listeners"]}
        return found

    async def _others(self, arns: Sequence[str]) -> dict[str, tuple[Mapping[str, Json], ...]]:
        found: dict[str, tuple[Mapping[str, Json], ...]] = {}
        for some in _batches(arns):
            answer = await self._call(f"{SERVICE}:DescribeRules", partial(self._reader.describe_rules, RuleArns=some))
            found |= {one["RuleArn"]: _actions(one.get("Actions")) for one in answer["Rules"]}
        return found

    async def _tags(self, arns: Sequence[str]) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for some in _batches(arns):
            answer = await self._call(f"{SERVICE}:DescribeTags", partial(self._reader.describe_tags, ResourceArns=some))
            for one in answer["TagDescriptions"]:
                found[one["ResourceArn"]] = {tag["Key"]: tag.get("Value", "") for tag in one.get("Tags", [])}
        return found

    async def _group(self, arch: Arch, arn: str) -> TargetGroup:
        answer = await self._call(
            f"{SERVICE}:DescribeTargetHealth", lambda: self._reader.describe_target_health(TargetGroupArn=arn)
        )
        states = [_state(target) for target in answer["TargetHealthDescriptions"]]
        healthy, draining = states.count("healthy"), states.count("draining")
        return TargetGroup(arn, _name(arn), arch, healthy, len(states) - healthy - draining, draining)

    async def _call(self, action: str, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, guarded, action, self.endpoint, work)


class Elb(ElbReader):
    """The whole of the load balancer's API. `poller` is for what is asked again and again. Close with `close`."""

    def __init__(self, clients: Clients, pool: ThreadPoolExecutor) -> None:
        super().__init__(clients.reader, pool)
        self.poller = ElbReader(clients.poller, pool)
        self.read_only = ""
        """Why nothing may be written here, so that no request that changes anything leaves; empty when it may."""
        self._clients = clients
        self._landing = Landing()
        self._warm: asyncio.Task[None] | None = None
        self.warmed = asyncio.Event()
        """Every connection that is kept warm has been tried once."""

    @classmethod
    async def connect(cls, alb: Alb) -> Elb:
        """Clients for a playbook's load balancer, without asking it anything yet.

        Unauthorized without credentials, UsageError without a region or with a profile that does not exist.
        """
        pool = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="aws")
        try:
            # A profile's credential_process has no time-out: it must be able to hang alone.
            return cls(await apart(partial(open_clients, alb), "aws-open"), pool)
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
        return await self._call("sts:GetCallerIdentity", partial(account_of, self._clients.sts))

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
                f"{SERVICE}:ModifyListener",
                rule.arn,
                lambda: self._clients.writer.modify_listener(ListenerArn=rule.arn, DefaultActions=whole),
                way_back,
                ask,
            )
        else:
            modify = self._clients.writer.modify_rule
            await self._write(f"{SERVICE}:ModifyRule", rule.arn, lambda: modify(RuleArn=rule.arn, Actions=whole), way_back, ask)

    async def tag(self, arn: str, tags: Mapping[str, str], *, way_back: bool = False, ask: Ask | None = None) -> None:
        """Set tags on a listener or rule; others stay. For `ask` see `modify`."""
        whole: Any = [{"Key": key, "Value": value} for key, value in tags.items()]
        add = self._clients.writer.add_tags
        await self._write(f"{SERVICE}:AddTags", arn, lambda: add(ResourceArns=[arn], Tags=whole), way_back, ask)

    async def untag(self, arn: str, keys: Sequence[str], *, way_back: bool = False, ask: Ask | None = None) -> None:
        """Remove tags from a listener or rule; those that are not there do not matter. For `ask` see `modify`."""
        remove = self._clients.writer.remove_tags
        await self._write(f"{SERVICE}:RemoveTags", arn, lambda: remove(ResourceArns=[arn], TagKeys=list(keys)), way_back, ask)

    def keep_warm(self, group: str) -> None:
        """Hold connections open for a way back from now on, with credentials that are fresh: `group` is asked about for it."""
        if self._warm is None:
            self._warm = asyncio.create_task(self._keep_warm(group), name="aws-warm")

    def close(self) -> None:
        """Let go of connections and threads; calls under way end by themselves."""
        if self._warm:
            self._warm.cancel()
        self._pool.shutdown(wait=False, cancel_futures=True)
        for client in (self._clients.reader, self._clients.poller, self._clients.writer, self._clients.sts):
            client.close()

    async def prove(self, *, way_back: bool) -> None:
        """Refused as `pin` says. Each write asks for it; asked for a moment before, it costs the write nothing."""
        asked = self._call("sts:GetCallerIdentity", partial(self._clients.account.check, way_back=way_back))
        with suppress(*([TimeoutError] if way_back else [])):
            await asyncio.wait_for(asked, HURRIED_SECONDS if way_back else None)

    async def _keep_warm(self, group: str) -> None:
        while True:
            for client, count in ((self._clients.reader, WARM_READS), (self._clients.writer, WARM)):
                health = partial(client.describe_target_health, TargetGroupArn=group)
                asked = [self._call(f"{SERVICE}:DescribeTargetHealth", health) for _ in range(count)]
                await asyncio.gather(*asked, return_exceptions=True)
            with suppress(CockpitError):
                await self.prove(way_back=False)
            self.warmed.set()
            await asyncio.sleep(WARM_SECONDS)

    async def _write(self, action: str, arn: str, work: Callable[[], object], way_back: bool, ask: Ask | None) -> None:
        if self.read_only:
            raise Refused(f"{action} was not sent: {self.read_only}")
        await self.prove(way_back=way_back)
        if ask:
            ask()
        await self._landing.write((arn,), self._call(action, work))


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
