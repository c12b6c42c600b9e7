"""The load balancer over real HTTP: against a small server that misbehaves, and against moto's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any
from urllib.parse import parse_qsl

import pytest
from aiohttp import web

from cockpit.connections.aws import Elb
from cockpit.errors import CockpitError, NotFound, Rejected, Throttled, Unauthorized, Unreachable, UsageError
from cockpit.model.arch import Arch
from cockpit.model.playbook import Alb
from cockpit.model.share import Rule
from cockpit.model.snapshot import Freshness, SourceName
from cockpit.sources.alb import AlbSource
from cockpit.sources.base import Kind
from cockpit.store import Store
from tests.contract.small_api import collect, fast_clock, serving

ARN = "arn:aws:elasticloadbalancing:ap-south-1:111122223333"
LISTENER = f"{ARN}:listener/app/payments/50dc6c495c0c9188/f2f7dc8efc522ab2"
RULE = f"{ARN}:listener-rule/app/payments/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabee"
GROUPS = {arch: f"{ARN}:targetgroup/payments-{arch}/73e2d6bc24d8a067" for arch in Arch}
FORWARD = "".join(
    f"<member><TargetGroupArn>{GROUPS[arch]}</TargetGroupArn><Weight>{weight}</Weight></member>"
    for arch, weight in ((Arch.AMD64, 100), (Arch.ARM64, 0))
)
ACTIONS = (
    "<member><Type>authenticate-oidc</Type><Order>1</Order></member>"
    f"<member><Type>forward</Type><Order>2</Order><ForwardConfig><TargetGroups>{FORWARD}</TargetGroups>"
    "<TargetGroupStickinessConfig><Enabled>false</Enabled></TargetGroupStickinessConfig></ForwardConfig></member>"
)
STATES = ["healthy", "healthy", "unhealthy", "initial", "unused", "unavailable", "draining"]
RESULTS = {
    "DescribeListeners": f"<Listeners><member><ListenerArn>{LISTENER}</ListenerArn>"
    f"<DefaultActions>{ACTIONS}</DefaultActions></member></Listeners>",
    "DescribeRules": f"<Rules><member><RuleArn>{RULE}</RuleArn><Actions>{ACTIONS}</Actions></member></Rules>",
    "DescribeTags": f"<TagDescriptions><member><ResourceArn>{RULE}</ResourceArn>"
    "<Tags><member><Key>k</Key><Value>v</Value></member></Tags></member></TagDescriptions>",
    "DescribeTargetHealth": "<TargetHealthDescriptions>"
    + "".join(f"<member><TargetHealth><State>{state}</State></TargetHealth></member>" for state in STATES)
    + "</TargetHealthDescriptions>",
    "ModifyRule": "",
    "ModifyListener": "",
    "AddTags": "",
    "RemoveTags": "",
    "GetCallerIdentity": "<Account>111122223333</Account>",
}


class Aws:
    """Answers each action from RESULTS, or with the errors that are set for it."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.errors: dict[str, tuple[int, str]] = {}

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        form = dict(parse_qsl(await request.text()))
        self.asked.append(form)
        action = form["Action"]
        if action in self.errors:
            code, name = self.errors[action]
            told = f"<Code>{name}</Code><Message>said \x7f{name}</Message>"
            body = f"<ErrorResponse><Error><Type>Sender</Type>{told}</Error></ErrorResponse>"
            return web.Response(status=code, text=body, content_type="text/xml")
        body = f"<{action}Response><{action}Result>{RESULTS[action]}</{action}Result></{action}Response>"
        return web.Response(text=body, content_type="text/xml")

    def actions(self) -> list[str]:
        return [form["Action"] for form in self.asked]


@pytest.fixture(autouse=True)
def identity(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere/config")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere/credentials")


def alb(url: str | None, **changes: Any) -> Alb:
    return Alb(
        **{
            "region": "ap-south-1",
            "target_groups": GROUPS,
            "listeners": (LISTENER,),
            "rules": (RULE,),
            "endpoint_url": url,
            **changes,
        }
    )


@asynccontextmanager
async def served(aws: Aws) -> AsyncIterator[Elb]:
    async with serving(aws) as url:
        elb = await Elb.connect(alb(url))
        try:
            yield elb
        finally:
            elb.close()


async def test_rules_hold_their_whole_actions_weights_and_tags() -> None:
    async with served(Aws()) as elb:
        default, rule = await elb.rules([LISTENER], [RULE])
    assert (default.arn, default.is_default) == (LISTENER, True)
    assert (rule.arn, rule.is_default, rule.tags) == (RULE, False, {"k": "v"})
    assert rule.weights == {GROUPS[Arch.AMD64]: 100, GROUPS[Arch.ARM64]: 0}
    assert [action["Type"] for action in rule.actions] == ["authenticate-oidc", "forward"]


async def test_targets_that_are_not_healthy_or_draining_are_unhealthy() -> None:
    async with served(Aws()) as elb:
        groups = await elb.target_groups(GROUPS)
    assert {(g.arch, g.name, g.healthy, g.unhealthy, g.draining) for g in groups} == {
        (arch, f"payments-{arch}", 2, 4, 1) for arch in Arch
    }


async def test_tags_are_asked_for_in_batches_of_twenty() -> None:
    aws = Aws()
    async with served(aws) as elb:
        await elb.rules([], [f"{RULE}{i}" for i in range(45)])
    counts = [sum(key.startswith("ResourceArns") for key in form) for form in aws.asked if form["Action"] == "DescribeTags"]
    assert sorted(counts) == [5, 20, 20]


async def test_a_write_sends_the_actions_as_they_are_zero_included() -> None:
    aws = Aws()
    async with served(aws) as elb:
        default, rule = await elb.rules([LISTENER], [RULE])
        await elb.modify(rule, rule.actions)
        await elb.modify(default, default.actions)
        await elb.tag(RULE, {"cockpit/original": "{}"})
        await elb.untag(RULE, ["cockpit/original"])
    modify, listener, tag, untag = aws.asked[-4:]
    assert (modify["Action"], modify["RuleArn"]) == ("ModifyRule", RULE)
    assert modify["Actions.member.2.ForwardConfig.TargetGroups.member.2.Weight"] == "0"
    assert modify["Actions.member.1.Type"] == "authenticate-oidc"
    assert (listener["Action"], listener["ListenerArn"]) == ("ModifyListener", LISTENER)
    assert (tag["Action"], tag["Tags.member.1.Key"]) == ("AddTags", "cockpit/original")
    assert untag["Action"] == "RemoveTags"


@pytest.mark.parametrize(
    ("code", "name", "expected"),
    [
        (400, "Throttling", Throttled),
        (503, "ThrottlingException", Throttled),
        (403, "AccessDenied", Unauthorized),
        (403, "ExpiredToken", Unauthorized),
        (403, "InvalidClientTokenId", Unauthorized),
        (400, "RuleNotFound", NotFound),
        (400, "ValidationError", Rejected),
        (503, "ServiceUnavailable", Unreachable),
    ],
)
async def test_a_refused_write_names_the_action_and_is_not_sent_again(code: int, name: str, expected: type[CockpitError]) -> None:
    aws = Aws()
    aws.errors = {"ModifyRule": (code, name)}
    async with served(aws) as elb:
        with pytest.raises(expected) as caught:
            await elb.modify(Rule(RULE, False, ()), [{"Type": "forward", "TargetGroupArn": GROUPS[Arch.ARM64]}])
    assert type(caught.value) is expected
    assert "elasticloadbalancing:ModifyRule" in str(caught.value)
    assert "\x7f" not in str(caught.value)
    assert aws.actions() == ["ModifyRule"]


async def test_the_account_is_the_credentials() -> None:
    async with served(Aws()) as elb:
        assert await elb.account() == "111122223333"


async def test_an_endpoint_that_is_not_there_or_silent_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    elb = await Elb.connect(alb("http://127.0.0.1:1"))
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:1"):
        await elb.modify(Rule(RULE, False, ()), [])
    elb.close()
    monkeypatch.setattr("cockpit.connections.aws_clients.READ_SECONDS", 0.2)

    async def silent(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(30)
        return web.Response()

    async with serving(silent) as url:
        elb = await Elb.connect(alb(url))
        with pytest.raises(Unreachable, match="no answer in time"):
            await elb.modify(Rule(RULE, False, ()), [])
        elb.close()


async def test_without_credentials_region_or_profile_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="AWS_REGION"):
        await Elb.connect(alb(None, region=""))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(Unauthorized, match="AWS_PROFILE"):
        await Elb.connect(alb(None))
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(UsageError, match="nobody"):
        await Elb.connect(alb(None))


async def test_the_source_lists_both_and_tells_throttling_while_it_keeps_what_it_knows() -> None:
    aws = Aws()
    clock = fast_clock(50.0)
    async with served(aws) as elb:
        source = AlbSource(elb, alb(None), clock, Random(1))
        store = Store(clock)
        store.register(source.names, source.stale_after)
        for observation in await collect(source, lambda t: sum(o.kind is Kind.LISTED for o in t) == 2):
            store.fold(observation)
        before = store.freeze()
        assert set(before.rules) == {LISTENER, RULE}
        assert set(before.targets) == set(GROUPS.values())
        assert before.source(SourceName.RULES).live
        aws.errors = {"DescribeRules": (400, "Throttling")}
        for observation in await collect(source, lambda t: t[-1].kind is Kind.LISTED):
            store.fold(observation)
    after = store.freeze()
    assert after.source(SourceName.RULES).freshness is Freshness.FAULT
    assert "DescribeRules is throttled" in after.source(SourceName.RULES).why
    assert after.source(SourceName.TARGETS).live
    assert after.rules == before.rules


@pytest.fixture
def moto() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        yield "http://{}:{}".format(*server.get_host_and_port())
    finally:
        server.stop()


async def test_against_moto_a_weight_of_zero_and_back(moto: str) -> None:
    made = await asyncio.to_thread(furnish, moto)
    elb = await Elb.connect(made)
    try:
        (rule,) = await elb.rules(made.listeners, ())
        arm, x86 = made.target_groups[Arch.ARM64], made.target_groups[Arch.AMD64]
        assert rule.weights == {x86: 100, arm: 0}
        turned: list[dict[str, Any]] = [
            {
                **rule.actions[0],
                "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": x86, "Weight": 0}, {"TargetGroupArn": arm, "Weight": 7}]},
            }
        ]
        await elb.modify(rule, turned)
        await elb.tag(rule.arn, {"cockpit": "x"})
        (rule,) = await elb.rules(made.listeners, ())
        assert (rule.weights, rule.tags) == ({x86: 0, arm: 7}, {"cockpit": "x"})
        await elb.untag(rule.arn, ["cockpit"])
        assert (await elb.rules(made.listeners, ()))[0].tags == {}
        assert {g.arch for g in await elb.target_groups(made.target_groups)} == set(Arch)
        with pytest.raises(NotFound):
            await elb.rules((), [RULE])
        assert await elb.account() == "123456789012"
    finally:
        elb.close()


def furnish(url: str) -> Alb:
    import boto3

    session = boto3.Session(region_name="ap-south-1")
    ec2: Any = session.client("ec2", endpoint_url=url)
    elb = session.client("elbv2", endpoint_url=url)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{i}.0/24", AvailabilityZone=f"ap-south-1{'ab'[i]}")["Subnet"]["SubnetId"]
        for i in range(2)
    ]
    balancer = elb.create_load_balancer(Name="payments", Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    groups = {
        arch: elb.create_target_group(Name=f"payments-{arch}", Protocol="HTTP", Port=80, VpcId=vpc)["TargetGroups"][0][
            "TargetGroupArn"
        ]
        for arch in Arch
    }
    weights = [{"TargetGroupArn": groups[Arch.AMD64], "Weight": 100}, {"TargetGroupArn": groups[Arch.ARM64], "Weight": 0}]
    action: Any = {"Type": "forward", "ForwardConfig": {"TargetGroups": weights}}
    listener = elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=[action])
    return alb(url, target_groups=groups, listeners=(listener["Listeners"][0]["ListenerArn"],), rules=())
