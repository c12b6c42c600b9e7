"""The playbook that a rehearsal flies."""

from __future__ import annotations

from pathlib import Path

import pytest

import playbooks
from cockpit.errors import UsageError
from cockpit.model.arch import Arch
from cockpit.playbook.loader import loads
from cockpit.rehearsal.aws import Account
from cockpit.rehearsal.rewriting import Embedded, rewrite
from tests.unit.playbook import preset_cases as cases

FOLDER = Path(playbooks.__file__).parent
_BASE = "arn:aws:elasticloadbalancing:ap-south-1:123456789012"
LISTENER = f"{_BASE}:listener/app/x/1111111111111111/2222222222222222"
RULE = f"{_BASE}:listener-rule/app/x/1111111111111111/2222222222222222/3333333333333333"
GROUPS = {a: f"{_BASE}:targetgroup/x-{a}/4444444444444444" for a in Arch}
WORLD = Embedded(
    cluster_uid="6f0c2f7e-3b0a-4d53-9b1c-5c8f6f6f2a10",
    prometheus_url="http://127.0.0.1:1",
    aws_url="http://127.0.0.1:2",
    account=Account(3, (LISTENER,), (RULE,), GROUPS),
)


def test_everything_but_the_addresses_stays() -> None:
    text = (FOLDER / "rehearsal.yaml").read_text("utf-8")
    before, after = loads(text, "a"), loads(rewrite(text, WORLD), "b")
    assert after.target.context == "rehearsal"
    assert after.prometheus is not None and after.prometheus.url == WORLD.prometheus_url
    assert after.alb is not None and after.alb.endpoint_url == WORLD.aws_url and after.alb.account == "123456789012"
    assert after.alb.listeners == (LISTENER,) and after.alb.rules == (RULE,) and dict(after.alb.target_groups) == GROUPS
    assert (after.phases, after.signals, after.agents, after.metadata) == (
        before.phases,
        before.signals,
        before.agents,
        before.metadata,
    )


def test_a_playbook_without_a_balancer_keeps_none_and_a_cluster_uid_becomes_the_worlds() -> None:
    text = (FOLDER / "affinity-only.yaml").read_text("utf-8")
    named = text.replace("  namespace: payments", "  cluster_uid: 00000000-0000-4000-8000-000000000000\n  namespace: payments", 1)
    after = loads(rewrite(named, Embedded(WORLD.cluster_uid, WORLD.prometheus_url, None, None)), "b")
    assert after.alb is None and after.target.cluster_uid == WORLD.cluster_uid
    assert loads(rewrite(text, WORLD), "c").target.cluster_uid is None


def test_the_audit_asks_nothing_of_an_aws_that_the_world_has_not() -> None:
    text = (FOLDER / "affinity-only.yaml").read_text("utf-8")
    assert "portability:" not in text
    gate = "portability: {require: waived_ok, waivers: [{component: image/a, reason: b, owner: c, expires: 2999-12-31}], aws: "
    before = loads(f"{text}\n{gate}{{region: ap-south-1, rds: {{names: [ledger]}}}}}}\n", "a")
    after = loads(rewrite(f"{text}\n{gate}{{region: ap-south-1, rds: {{names: [ledger]}}}}}}\n", WORLD), "b")
    assert before.portability.aws is not None and after.portability.aws is None
    assert (after.portability.require, after.portability.waivers) == ("waived_ok", before.portability.waivers)
    alone = f"{text}\nportability: {{aws: {{region: ap-south-1, rds: {{names: [ledger]}}}}}}\n"
    assert loads(rewrite(alone, WORLD), "c").portability.aws is None


@pytest.mark.parametrize("text", ["", "[]", "just words", "a: 1"])
def test_what_is_no_playbook_is_refused_in_words(text: str) -> None:
    with pytest.raises(UsageError):
        rewrite(text, WORLD)


def test_every_registry_of_the_world_is_reached_at_its_own() -> None:
    text = (FOLDER / "affinity-only.yaml").read_text(
        "utf-8"
    ) + "registries: {old.example.com: {endpoint: 'https://old.example.com'}}\n"
    registries = ("registry.example.com", "127.0.0.1:5000")
    world = Embedded(WORLD.cluster_uid, WORLD.prometheus_url, None, None, "http://127.0.0.1:3", registries)
    assert loads(rewrite(text, world), "b").registries == dict.fromkeys(registries, "http://127.0.0.1:3")


def test_a_rehearsal_asks_no_other_cloudwatch_than_the_embedded_one() -> None:
    given = "{region: ap-south-1, load_balancer: app/pay/50dc6c495c0c9188, endpoint_url: https://monitoring.example.com}"
    text = cases.text("    requests: {preset: alb}\n").replace("cloudwatch: {}", f"cloudwatch: {given}")
    after = loads(rewrite(text, WORLD), "b").cloudwatch
    assert after is not None
    assert (after.endpoint_url, after.load_balancer) == (WORLD.aws_url, "app/x/1111111111111111")
    assert set(after.target_groups.values()) == {f"targetgroup/x-{a}/4444444444444444" for a in Arch}
