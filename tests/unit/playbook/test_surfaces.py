# ruff: noqa: E501 - messages stand here as they are printed
"""The AWS surfaces of a playbook: what reaches the model, and each fault with its line."""

from __future__ import annotations

import pytest

from cockpit.model.surfaces import Selection, Surface
from cockpit.playbook import loads
from cockpit.playbook.schema_surfaces import Chosen, Surfaces
from cockpit.playbook.semantics.surfaces import _SHAPES
from tests.unit.playbook.base import BASE, errors

HEAD = "portability:\n  aws:\n"
END = BASE.count("\n") + 3
ALB = BASE[BASE.index("traffic:") : BASE.index("metrics:")]


def test_what_is_chosen_reaches_the_model() -> None:
    more = (
        "    owner: team-platform\n    eks: {cluster: prod, tags: {tier: payments}, owner: team-eks}\n"
        "    lambda: {names: [payments-webhook, 'arn:aws:lambda:ap-south-1:111122223333:function:refunds']}\n"
        "    ecr: {prefix: payments/, tag: 1.4.0}\n"
    )
    found = loads(BASE + HEAD + more, "p.yaml").portability.aws
    assert found is not None
    assert (found.region, found.account, found.endpoint_url) == ("ap-south-1", "111122223333", None)
    names = ("payments-webhook", "arn:aws:lambda:ap-south-1:111122223333:function:refunds")
    assert found.selections == (
        Selection(Surface.EKS, tags={"tier": "payments"}, owner="team-eks", cluster="prod"),
        Selection(Surface.LAMBDA, names, owner="team-platform"),
        Selection(Surface.ECR, prefix="payments/", tag="1.4.0", owner="team-platform"),
    )


def test_no_surfaces_and_an_owner_of_the_playbook() -> None:
    assert loads(BASE, "p.yaml").portability.aws is None
    owned = (
        BASE.replace("  name: payments\n", "  name: payments\n  owner: team-payments\n") + HEAD + "    rds: {names: [orders]}\n"
    )
    found = loads(owned, "p.yaml").portability.aws
    assert found is not None
    assert found.selections[0].owner == "team-payments"


def test_every_surface_has_a_key_and_a_shape() -> None:
    keys = {
        f.alias or name for name, f in Surfaces.model_fields.items() if "Chosen" in str(f.annotation) or name in ("eks", "ecr")
    }
    assert keys == set(Surface) == set(_SHAPES)
    assert set(Chosen.model_fields) == {"names", "prefix", "tags", "owner"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "    lambda: {owner: x}",
            "portability.aws.lambda: nothing is chosen of it; add names, a prefix or tags, like `names: [payments-webhook]`",
        ),
        ("    eks: {names: [a]}", "portability.aws.eks.cluster: this key is missing; add it, like `cluster: prod`"),
        (
            "    owner: x",
            "portability.aws: no surface is named, so that nothing would be looked at; name one of launch_templates, autoscaling, eks, karpenter, lambda, ecs, rds, elasticache, opensearch, msk, ecr or codebuild",
        ),
        (
            "    rds: {names: ['arn:aws:s3:::bucket']}",
            "portability.aws.rds.names[0]: this ARN is of nothing that rds looks at; write a name like payments-orders, or arn:aws:rds:...",
        ),
        (
            "    rds: {names: ['arn:aws:rds:eu-west-1:111122223333:db:x']}",
            "portability.aws.rds.names[0]: this ARN is in eu-west-1, the surfaces are in ap-south-1; use one Region",
        ),
        (
            "    rds: {names: ['arn:aws:rds:ap-south-1:222233334444:db:x']}",
            "portability.aws.rds.names[0]: this ARN is of the account 222233334444, the surfaces are of 111122223333; use one account",
        ),
        (
            "    rds: {names: [a b]}",
            "portability.aws.rds.names[0]: this is no name that rds has; write it like payments-orders, or the ARN",
        ),
        (
            "    rds: {names: [a, a]}",
            'portability.aws.rds.names[1]: "a" is already portability.aws.rds.names[0]; list each once',
        ),
        (
            "    karpenter: {names: ['arn:aws:x:y:z:t']}",
            "portability.aws.karpenter.names[0]: karpenter is named without ARNs; write it like graviton",
        ),
        ("    lamda: {names: [a]}\n    msk: {prefix: a}", "portability.aws.lamda: this key is unknown; did you mean lambda?"),
        (
            '    account: "222233334444"\n    msk: {prefix: a}',
            "portability.aws.account: this is another account than traffic.alb.account, 111122223333; one playbook has one account's credentials: leave it out",
        ),
    ],
)
def test_what_is_wrong_is_named(text: str, found: str) -> None:
    told = errors(f"{BASE}{HEAD}{text}\n")
    assert [line.split(": ", 1)[1] for line in told] == [found]
    assert int(told[0].split(":")[0]) >= END - 1


def test_without_a_load_balancer_a_region_is_due() -> None:
    without = BASE.replace(ALB, "").replace(
        "    set: {weights: {arm64: 5, amd64: 95}}", "    set: {affinity: {workload: canary, mode: preferred}}"
    )
    without = without.replace("      - {share: observed, within: 2%}\n", "").replace("[weights, affinity]", "[affinity]")
    assert errors(f"{without}{HEAD}    msk: {{prefix: a}}\n")[0].endswith(
        "portability.aws: it is in no Region, as there is no traffic.alb; add it, like `region: ap-south-1`"
    )
    found = loads(f"{without}{HEAD}    region: eu-west-1\n    msk: {{prefix: a}}\n", "p.yaml").portability.aws
    assert found is not None
    assert (found.region, found.account) == ("eu-west-1", None)


def test_the_surfaces_are_for_a_move_to_arm64() -> None:
    back = BASE.replace("  namespace: payments\n", "  namespace: payments\n  from: arm64\n  to: amd64\n")
    told = errors(f"{back}{HEAD}    msk: {{prefix: a}}\n")
    assert any("these surfaces are judged for a move to arm64 alone" in line for line in told)
