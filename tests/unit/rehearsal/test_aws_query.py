"""What the load-balancer endpoint refuses before moto would accept it."""

from __future__ import annotations

import pytest

from cockpit.rehearsal.awsquery import AwsError, check_actions, members, parse_form, weights


def _form(*pairs: tuple[str, str | None], prefix: str = "Actions", **more: str) -> dict[str, str]:
    form = {"Action": "ModifyRule", **more}
    for number, (arn, weight) in enumerate(pairs, 1):
        base = f"{prefix}.member.1.ForwardConfig.TargetGroups.member.{number}"
        form[f"{base}.TargetGroupArn"] = arn
        if weight is not None:
            form[f"{base}.Weight"] = weight
    return form


@pytest.mark.parametrize("prefix", ["Actions", "DefaultActions"])
@pytest.mark.parametrize("weight", ["0", "1", "999"])
def test_weights_in_range_pass_zero_included(prefix: str, weight: str) -> None:
    check_actions(_form(("a", weight), ("b", "0"), prefix=prefix))


@pytest.mark.parametrize(
    ("weight", "said"),
    [
        ("1000", "less than or equal to 999"),
        ("-1", "greater than or equal to 0"),
        ("0.5", "no whole number"),
        ("", "no whole number"),
    ],
)
@pytest.mark.parametrize("prefix", ["Actions", "DefaultActions"])
def test_weights_out_of_range_are_refused(prefix: str, weight: str, said: str) -> None:
    with pytest.raises(AwsError, match=said):
        check_actions(_form(("a", "1"), ("b", weight), prefix=prefix))


def test_groups_are_at_most_five_unique_and_all_weighted() -> None:
    check_actions(_form(*((str(n), "1") for n in range(5))))
    check_actions(_form(("a", None)))
    with pytest.raises(AwsError) as refused:
        check_actions(_form(*((str(n), "1") for n in range(6))))
    assert refused.value.code == "TooManyUniqueTargetGroupsPerLoadBalancer"
    with pytest.raises(AwsError, match="only be specified once"):
        check_actions(_form(("a", "1"), ("a", "2")))
    with pytest.raises(AwsError, match="weight must be specified"):
        check_actions(_form(("a", "1"), ("b", None)))


@pytest.mark.parametrize(("seconds", "good"), [("1", True), ("604800", True), ("0", False), ("604801", False)])
def test_stickiness_lasts_a_week_at_most(seconds: str, good: bool) -> None:
    form = {"Actions.member.1.ForwardConfig.TargetGroupStickinessConfig.DurationSeconds": seconds}
    if good:
        check_actions(form)
        return
    with pytest.raises(AwsError) as refused:
        check_actions(form)
    assert refused.value.code == "ValidationError"


def test_errors_have_the_shape_that_sdks_parse() -> None:
    xml = AwsError("Throttling", "Rate <exceeded>").xml()
    (error,) = members(xml, "Error")
    assert [(c.tag.rpartition("}")[2], c.text) for c in error] == [
        ("Type", "Sender"),
        ("Code", "Throttling"),
        ("Message", "Rate <exceeded>"),
    ]


def test_weights_are_read_back_zero_included() -> None:
    group = "<member><TargetGroupArn>{}</TargetGroupArn>{}</member>"
    groups = group.format("a", "<Weight>0</Weight>") + group.format("b", "<Weight>7</Weight>") + group.format("c", "")
    actions = f"<Actions><member><ForwardConfig><TargetGroups>{groups}</TargetGroups></ForwardConfig></member></Actions>"
    namespace = "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"
    xml = f'<R xmlns="{namespace}"><Rules><member>{actions}</member></Rules></R>'
    (rule,) = members(xml, "Rules/member")
    assert weights(rule, "Actions") == {"a": 0, "b": 7, "c": 1}


def test_forms_keep_blank_values() -> None:
    assert parse_form("Action=X&A.member.1=%20y&B=") == {"Action": "X", "A.member.1": " y", "B": ""}
