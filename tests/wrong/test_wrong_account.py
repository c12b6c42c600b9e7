"""Credentials become another account's in the middle of a run: nothing of it is sent, on the way back neither."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiohttp import web

from cockpit.connections import account
from cockpit.connections.account import AccountPin
from cockpit.connections.aws import Elb
from cockpit.errors import CockpitError, Refused, Unreachable
from cockpit.model.share import Rule
from tests.contract.balancer import REGION
from tests.contract.small_api import serving
from tests.contract.test_identity import PLAYBOOK, caller

MINE, THEIRS = "111122223333", "999988887777"
RULE = Rule("arn:aws:elasticloadbalancing:ap-south-1:111122223333:listener-rule/app/p/1/2/3", False, ())


@dataclass
class Aws:
    """An endpoint that says what account its callers are of (None: it breaks off), and keeps what was to change something."""

    account: str | None = MINE
    asked: int = 0
    hangs: bool = False
    writes: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        action = parse_qs((await request.read()).decode())["Action"][0]
        if action == "GetCallerIdentity":
            self.asked += 1
            if self.hangs:
                await asyncio.sleep(60)
            if self.account is None:
                return web.Response(status=503)
            return web.Response(text=caller(self.account), content_type="text/xml")
        self.writes.append(action)
        return web.Response(text=f"<R><{action}Result/></R>", content_type="text/xml")


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, "testing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(account, "FRESH_SECONDS", 0.0)  # each write asks anew


@asynccontextmanager
async def balancer(aws: Aws) -> AsyncIterator[Elb]:
    assert PLAYBOOK.alb
    async with serving(aws.answer) as url:
        elb = await Elb.connect(replace(PLAYBOOK.alb, region=REGION, endpoint_url=url))
        try:
            elb.pin(await elb.account())
            yield elb
        finally:
            elb.close()


async def write(elb: Elb, *, way_back: bool = False) -> list[str]:
    """Why each kind of write was not sent."""
    found = []
    for attempt in (
        elb.tag(RULE.arn, {"a": "b"}, way_back=way_back),
        elb.modify(RULE, [], way_back=way_back),
        elb.modify(replace(RULE, is_default=True), [], way_back=way_back),
        elb.untag(RULE.arn, ["a"], way_back=way_back),
    ):
        try:
            await attempt
        except CockpitError as error:
            assert isinstance(error, Refused), error
            found.append(str(error))
    return found


async def test_another_account_gets_no_write_and_is_named() -> None:
    aws = Aws()
    async with balancer(aws) as elb:
        assert await write(elb) == []
        assert len(aws.writes) == 4
        aws.account = THEIRS
        for way_back in (False, True):
            refused = await write(elb, way_back=way_back)
            assert len(refused) == 4
            assert all(f"account {THEIRS} now, this run is for {MINE}; nothing was sent" in words for words in refused)
        assert len(aws.writes) == 4
        aws.account = MINE
        assert await write(elb) == []


async def test_an_account_that_cannot_be_asked_holds_up_no_way_back(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws()
    async with balancer(aws) as elb:
        for silence in ("account", "hangs"):
            setattr(aws, silence, None if silence == "account" else True)
            assert await write(elb, way_back=True) == []
        assert len(aws.writes) == 8


def pin(answers: dict[str, str], keys: list[str]) -> tuple[AccountPin, Callable[[], None]]:
    """A pin to MINE whose key is the first of `keys`, and how the credentials are renewed."""

    def ask() -> str:
        if keys[0] not in answers:
            raise Unreachable("no answer")
        return answers[keys[0]]

    found = AccountPin(ask, lambda: keys[0])
    found.pin(MINE)
    return found, lambda: keys.__delitem__(0)


class Request:
    def __init__(self, key: str) -> None:
        self.headers: dict[str, Any] = {"Authorization": f"AWS4-HMAC-SHA256 Credential={key}/20261122/x/y/aws4_request, Signed"}


def test_a_key_that_nobody_vouched_for_signs_nothing() -> None:
    found, renew = pin({"A": MINE, "B": THEIRS}, ["A", "B"])
    found.check(way_back=False)
    found.signed(Request("A"))
    with pytest.raises(Refused, match="renewed just now"):
        found.signed(Request("B"))
    renew()
    for way_back in (False, True):
        with pytest.raises(Refused, match=f"account {THEIRS} now"):
            found.check(way_back=way_back)
        with pytest.raises(Refused, match="renewed just now"):
            found.signed(Request("B"))


def test_a_proven_key_goes_on_without_sts_and_a_new_one_only_on_the_way_back() -> None:
    answers = {"A": MINE}
    found, renew = pin(answers, ["A", "B"])
    found.check(way_back=False)
    answers.clear()
    found.check(way_back=False)
    renew()
    with pytest.raises(Refused, match="is not known: no answer"):
        found.check(way_back=False)
    found.check(way_back=True)
    found.signed(Request("B"))
