"""What the weights lever plans, keeps and refuses, without a server."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cockpit.clock import ManualClock
from cockpit.errors import Impossible
from cockpit.levers.weights import WeightsLever
from cockpit.levers.weights_actions import ORIGINAL, record, recorded, same, sendable, with_weights
from cockpit.levers.weights_balance import Balance
from cockpit.model.arch import Arch
from cockpit.model.json import Json, canonical
from cockpit.model.plan import Proof
from cockpit.model.playbook import Alb, WeightsSet
from cockpit.model.share import Rule, TargetGroup
from cockpit.model.snapshot import Freshness, Snapshot, SourceName, SourceState

_ARN = "arn:aws:elasticloadbalancing:ap-south-1:123456789012:"
X86, ARM, THIRD = (f"{_ARN}targetgroup/{name}/{n:016x}" for n, name in enumerate(("x86", "arm", "third")))
LISTENER, RULE = f"{_ARN}listener/app/lb/1/a1", f"{_ARN}listener-rule/app/lb/1/a1/b2"
ALB = Alb("ap-south-1", {Arch.AMD64: X86, Arch.ARM64: ARM}, (LISTENER,), (RULE,))
HEALTHY = (TargetGroup(X86, "x86", Arch.AMD64, 12, 0), TargetGroup(ARM, "arm", Arch.ARM64, 12, 0))


def lever() -> WeightsLever:
    return WeightsLever(cast("Any", None), ALB, ManualClock())


def forward(*groups: tuple[str, int], sticky: int = 0) -> dict[str, Json]:
    stickiness: dict[str, Json] = {"Enabled": True, "DurationSeconds": sticky} if sticky else {"Enabled": False}
    targets: list[Json] = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in groups]
    return {"Type": "forward", "Order": 2, "ForwardConfig": {"TargetGroups": targets, "TargetGroupStickinessConfig": stickiness}}


def rule(*actions: dict[str, Json], arn: str = RULE, tags: dict[str, str] | None = None) -> Rule:
    return Rule(arn, arn == LISTENER, actions or (forward((X86, 100), (ARM, 0)),), tags or {})


def balance(*rules: Rule, targets: tuple[TargetGroup, ...] | None = HEALTHY) -> Balance:
    return Balance(rules or (rule(arn=LISTENER), rule()), targets)


def share(arm64: int, amd64: int) -> WeightsSet:
    return WeightsSet({Arch.ARM64: arm64, Arch.AMD64: amd64})


def refusal(state: Balance, desired: WeightsSet) -> str:
    with pytest.raises(Impossible) as found:
        lever().plan(state, desired)
    return str(found.value)


def test_one_write_for_each_rule_that_differs() -> None:
    plan = lever().plan(balance(), share(25, 75))
    assert [(w.target, w.before, w.after) for w in plan.writes] == [
        ("listener a1", {"amd64": 100, "arm64": 0}, {"amd64": 75, "arm64": 25}),
        ("rule b2", {"amd64": 100, "arm64": 0}, {"amd64": 75, "arm64": 25}),
    ]
    assert plan.blast_radius == "25% of traffic moves (arm64 0% to 25%)"
    half = lever().plan(balance(rule(forward((X86, 75), (ARM, 25)), arn=LISTENER), rule()), share(25, 75))
    assert [w.target for w in half.writes] == ["rule b2"]
    assert half.blast_radius == "25% of traffic moves (arm64 25% / 0% to 25%)"
    assert lever().plan(balance(), share(0, 100)).writes == ()


@pytest.mark.parametrize(("arm64", "amd64"), [(0, 100), (100, 0), (0, 1), (999, 0), (999, 999)])
def test_zero_and_the_heaviest_are_weights(arm64: int, amd64: int) -> None:
    start = balance(rule(forward((X86, 7), (ARM, 7))))
    (write,) = lever().plan(start, share(arm64, amd64)).writes
    assert canonical(write.request["actions"]) == canonical([forward((X86, amd64), (ARM, arm64))])


@pytest.mark.parametrize(
    ("desired", "words"),
    [
        (share(0, 0), "all weights are zero"),
        (share(1000, 0), "weight 1000 for arm64: a weight is an integer from 0 to 999"),
        (share(-1, 5), "weight -1 for arm64"),
        (share(True, 5), "weight True for arm64"),
    ],
)
def test_impossible_weights(desired: WeightsSet, words: str) -> None:
    assert words in refusal(balance(), desired)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (rule(forward((X86, 1))), "is not in its forward action; attach both at weight 0 first"),
        (rule({"Type": "redirect"}), "it has no forward actions"),
        (rule(forward((X86, 1), (ARM, 0)), forward((X86, 1), (ARM, 0))), "it has 2 forward actions"),
        (rule(forward(*((f"{X86}{n}", 1) for n in range(6)))), "has 6 target groups; the load balancer takes at most 5"),
    ],
)
def test_impossible_actions(found: Rule, words: str) -> None:
    assert words in refusal(balance(found), share(5, 95))


def test_everything_else_in_the_action_is_kept() -> None:
    auth: dict[str, Json] = {"Type": "authenticate-cognito", "Order": 1, "AuthenticateCognitoConfig": {"UserPoolArn": "arn:pool"}}
    start = rule(auth, forward((X86, 90), (THIRD, 5), (ARM, 0), sticky=600))
    plan = lever().plan(balance(start), share(25, 75))
    (write,) = plan.writes
    assert write.request["actions"] == [auth, forward((X86, 75), (THIRD, 5), (ARM, 25), sticky=600)]
    assert "sticky clients keep their target group for up to 600 s" in plan.blast_radius
    assert canonical(lever().undo(plan).writes[0].request["actions"]) == canonical([dict(a) for a in start.actions])


def test_an_oidc_actions_secret_is_neither_needed_nor_kept() -> None:
    oidc: dict[str, Json] = {
        "Type": "authenticate-oidc",
        "Order": 1,
        "AuthenticateOidcConfig": {"ClientId": "c", "ClientSecret": "s3cret"},
    }
    start = rule(oidc, forward((X86, 100), (ARM, 0)))
    (write,) = lever().plan(balance(start), share(5, 95)).writes
    assert "s3cret" not in canonical([dict(write.request), dict(write.expects), write.before, write.after])
    actions = cast("list[dict[str, Json]]", write.request["actions"])
    assert actions[0]["AuthenticateOidcConfig"] == {"ClientId": "c", "UseExistingClientSecret": True}
    assert same(start.actions, sendable(start.actions))


def test_the_order_of_target_groups_means_nothing_but_all_else_does() -> None:
    left, right = (forward((X86, 1), (ARM, 2)),), (forward((ARM, 2), (X86, 1)),)
    assert same(left, right)
    assert not same(left, (forward((ARM, 1), (X86, 2)),))
    assert not same(left, (forward((X86, 1), (ARM, 2), sticky=5),))
    assert not same(left, (*left, *left))


def test_no_shift_onto_a_group_that_is_not_known_to_be_healthy() -> None:
    sick = (HEALTHY[0], replace(HEALTHY[1], healthy=0, unhealthy=3))
    assert "no traffic may be moved to arm64" in refusal(balance(targets=sick), share(5, 95))
    assert "3 unhealthy, 0 draining" in refusal(balance(targets=sick), share(5, 95))
    assert "its health is not known" in refusal(balance(targets=None), share(5, 95))
    assert "its health is not known" in refusal(balance(targets=HEALTHY[:1]), share(5, 95))
    away = balance(rule(forward((X86, 50), (ARM, 50))), targets=sick)
    assert lever().plan(away, share(0, 100)).writes, "away from it is always possible"


def test_restore_warns_of_a_sick_x86_group_and_goes_anyway() -> None:
    moved = rule(forward((X86, 0), (ARM, 100)), tags={ORIGINAL: record(rule())})
    sick = balance(moved, targets=(replace(HEALTHY[0], healthy=0, unhealthy=1), HEALTHY[1]))
    plan = lever().restore(sick)
    assert [(w.after, w.request["untag"]) for w in plan.writes] == [({"amd64": 100, "arm64": 0}, True)]
    assert "target group 0000000000000000 (amd64) has no healthy target: requests to it will fail" in plan.blast_radius
    assert "is not known" in lever().restore(balance(moved, targets=None)).blast_radius
    assert "healthy" not in lever().restore(balance(moved)).blast_radius


def test_one_damaged_record_does_not_hold_back_the_others() -> None:
    good = rule(forward((X86, 0), (ARM, 100)), arn=LISTENER, tags={ORIGINAL: record(rule())})
    bad = rule(forward((X86, 0), (ARM, 100)), tags={ORIGINAL: "nonsense"})
    plan = lever().restore(balance(good, bad))
    assert [w.target for w in plan.writes] == ["listener a1"]
    assert "rule b2: its tag" in plan.blast_radius
    with pytest.raises(Impossible, match="remove the tag"):
        lever().restore(balance(bad))
    assert lever().reading(balance(good, bad), None).proof is Proof.CONTRADICTED


def test_a_rule_that_serves_nobody_is_neither_begun_nor_gone_back_to() -> None:
    dead = rule(forward((X86, 0), (ARM, 0)), tags={ORIGINAL: ""})
    with pytest.raises(Impossible, match="all of its weights are zero, so there is nothing to go back to"):
        lever().plan(balance(dead), share(5, 95))
    lost = rule(forward((X86, 95), (ARM, 5)), tags={ORIGINAL: record(dead)})
    with pytest.raises(Impossible, match="would leave every weight zero"):
        lever().restore(balance(lost))


groups = st.lists(st.integers(0, 2**64 - 1), min_size=2, max_size=5, unique=True)


@given(groups, st.lists(st.integers(0, 999), min_size=5, max_size=5), st.integers(0, 999), st.integers(0, 999))
def test_the_tag_gives_any_weights_back_within_what_a_tag_may_hold(
    ids: list[int], weights: list[int], arm64: int, amd64: int
) -> None:
    assume(any(weights[: len(ids)]))
    arns = [f"{_ARN}targetgroup/some-name/{n:016x}" for n in ids]
    before = rule(forward(*zip(arns, weights[: len(arns)], strict=True)))
    tag = record(before)
    moved = rule(*(dict(a) for a in with_weights(before.actions, {arns[0]: amd64, arns[1]: arm64})), tags={ORIGINAL: tag})
    back = with_weights(moved.actions, recorded(moved, arns[:2]))
    assert canonical([dict(a) for a in back]) == canonical([dict(a) for a in before.actions])
    assert len(tag) <= 256
    assert all(c.isalnum() or c in " +-=._:/@" for c in tag)


def test_readings() -> None:
    def reading(*rules: Rule, desired: WeightsSet | None) -> tuple[str, str, Proof]:
        found = lever().reading(balance(*rules), desired)
        return found.intended, found.configured, found.proof

    quarter, none = forward((X86, 75), (ARM, 25)), forward((X86, 100), (ARM, 0))
    assert reading(rule(quarter, arn=LISTENER), rule(quarter), desired=share(25, 75)) == ("25%", "25%", Proof.PROVEN)
    assert reading(rule(quarter, arn=LISTENER), rule(none), desired=share(25, 75)) == ("25%", "25% / 0%", Proof.CONTRADICTED)
    assert reading(rule(forward((X86, 0), (ARM, 0))), desired=share(1, 2)) == ("33.33%", "none", Proof.CONTRADICTED)
    assert reading(rule(quarter, tags={ORIGINAL: record(rule())}), desired=None) == ("0%", "25%", Proof.CONTRADICTED)
    assert reading(rule(quarter), desired=None) == ("25%", "25%", Proof.PROVEN)


def test_seen_needs_every_rule_and_believes_only_live_targets() -> None:
    rules = {r.arn: r for r in balance().rules}
    states = dict.fromkeys((SourceName.RULES, SourceName.TARGETS), SourceState(Freshness.LIVE, 1.0))
    targets = {t.arn: t for t in HEALTHY}
    whole = Snapshot(1, ManualClock().now(), 0.0, sources=states, rules=rules, targets=targets)
    assert lever().seen(whole) == balance()
    assert lever().seen(replace(whole, sources={})) is None
    assert lever().seen(replace(whole, rules={RULE: rules[RULE]})) is None
    fault = {**states, SourceName.TARGETS: SourceState(Freshness.FAULT, 5.0, "not allowed")}
    assert lever().seen(replace(whole, sources=fault)) == Balance(balance().rules, None, "not allowed")
