# ruff: noqa: E501 - messages stand here as they are printed
"""Faults of meaning: each with its exact line."""

from __future__ import annotations

import pytest

from cockpit.playbook import loads
from tests.unit.playbook.base import BASE, broken, errors

ARN = "arn:aws:elasticloadbalancing:ap-south-1:111122223333:"
LISTENER = f"      - {ARN}listener/app/pay/50dc6c495c0c9188/f2f7dc8efc522ab2\n"
ALB = BASE[BASE.index("traffic:\n") : BASE.index("metrics:\n")]
METRICS = BASE[BASE.index("  prometheus:\n") : BASE.index("  signals:\n")]
NO_ALB = [
    "23:20: phases[0].set.weights: there is no load balancer to set weights on; add traffic.alb, or set affinity instead",
    "29:17: phases[0].gates[3].share: without traffic.alb no share is intended; remove this gate, or add traffic.alb",
]

CASES: list[tuple[str, str, list[str]]] = [
    # name
    (
        "metadata:\n  name: payments\n",
        "metadata:\n  name: payments-approval\n",
        [
            "4:9: metadata.name: this ends in -approval, as the object in the cluster does that keeps the second person's word of payments; choose a name with another ending"
        ],
    ),
    # target
    (
        "  namespace: payments\n",
        "  namespace: payments\n  from: arm64\n",
        ["8:9: target.from: from and to are both arm64; write the other architecture for one of them"],
    ),
    (
        "  namespace: payments\n",
        "  namespace: payments\n  from: amd64\n  to: amd64\n",
        ["9:7: target.to: from and to are both amd64; write the other architecture for one of them"],
    ),
    (
        "api-arm64\n",
        "api\n",
        ["10:13: target.workloads.canary: baseline and canary are the same workload; name the other one, or leave canary out"],
    ),
    (
        "    canary: deployment/api-arm64\n",
        "",
        ["42:32: phases[1].set.affinity.workload: target.workloads has no canary; add it there, or write baseline"],
    ),
    # load balancer
    (ALB, "", NO_ALB),
    (
        LISTENER,
        "",
        ["15:15: traffic.alb.listeners: a list is due here, not nothing; begin each item with `- `, or write [] for none"],
    ),
    (
        "    listeners:\n" + LISTENER,
        "",
        [
            "13:5: traffic.alb: neither listeners nor rules are listed, so nothing could be moved; list at least one ARN in listeners or rules, or say ingress where the AWS Load Balancer Controller owns them"
        ],
    ),
    (
        "    listeners:\n" + LISTENER,
        "    listeners:\n" + LISTENER + "    ingress: {name: a, action: b}\n",
        [
            "17:14: traffic.alb.ingress: rules that an Ingress owns are set by its controller, which sets back what is written to "
            "listed ones; remove listeners and rules, or remove ingress where no controller owns them"
        ],
    ),
    (
        "    listeners:\n" + LISTENER,
        "    ingress: {name: a, action: b, services: {amd64: api, arm64: api}}\n",
        [
            "15:65: traffic.alb.ingress.services.arm64: both architectures have the same Service; "
            "each architecture needs a Service of its own"
        ],
    ),
    (
        LISTENER,
        LISTENER * 2,
        [f'17:9: traffic.alb.listeners[1]: "{ARN}listen…" is already traffic.alb.listeners[0]; list each ARN once'],
    ),
    (
        "targetgroup/arm/73e2d6bc24d8a067",
        "targetgroup/x86/6d0ecf831eec9f09",
        [
            "19:14: traffic.alb.target_groups.arm64: both architectures have the same target group; each architecture needs a target group of its own"
        ],
    ),
    (
        "ap-south-1:111122223333:targetgroup/arm",
        "eu-west-1:111122223333:targetgroup/arm",
        [
            "19:14: traffic.alb.target_groups.arm64: this ARN is in eu-west-1, traffic.alb.region is ap-south-1; one playbook moves one load balancer: use one Region"
        ],
    ),
    (
        "111122223333:targetgroup/arm",
        "999922223333:targetgroup/arm",
        [
            "19:14: traffic.alb.target_groups.arm64: this ARN is of the account 999922223333, traffic.alb.account is 111122223333; use one account"
        ],
    ),
    # metrics
    (METRICS, "", ["22:5: metrics.signals: there is nobody to ask for these signals; add metrics.prometheus with its url"]),
    (
        "com:9090\n",
        "com:9090\n    every: 0s\n",
        ["23:12: metrics.prometheus.every: this asks without a pause; write 1s or more, like 15s"],
    ),
    (
        "com:9090\n",
        "com:9090\n    stale_after: 10s\n",
        [
            "23:18: metrics.prometheus.stale_after: samples would be stale before the next ones come; stale_after is longer than every, like 60s"
        ],
    ),
    (
        "com:9090\n",
        "com:9090\n    every: 2m\n",
        [
            "23:12: metrics.prometheus.every: samples would be stale before the next ones come; stale_after is longer than every, like 480s"
        ],
    ),
    # phases
    (
        "name: require-arm64",
        "name: canary-5",
        ['42:11: phases[1].name: "canary-5" is already phases[0].name; give each phase a name of its own'],
    ),
    (
        "set: {affinity: {workload: canary, mode: required}}",
        "set: {}",
        ["43:10: phases[1].set: the phase sets nothing; set weights, affinity or both"],
    ),
    (
        "set: {affinity: {workload: canary, mode: required}}",
        "set: {affinity: ~}",
        ["43:10: phases[1].set: the phase sets nothing; set weights, affinity or both"],
    ),
    (
        "mode: required}",
        "mode: required, weight: 80}",
        [
            "43:64: phases[1].set.affinity.weight: a weight means nothing to the mode required; remove it, or write mode: preferred"
        ],
    ),
    (
        "mode: required}",
        "mode: none, weight: 80}",
        ["43:60: phases[1].set.affinity.weight: a weight means nothing to the mode none; remove it, or write mode: preferred"],
    ),
    (
        "arm64: 5, amd64: 95",
        "arm64: 11, amd64: 89",
        [
            "32:20: phases[0].set.weights: the first shift gives arm64 11% of the traffic; begin with 10% or less, like {arm64: 5, amd64: 95}"
        ],
    ),
    (
        "arm64: 5, amd64: 95",
        "arm64: 1, amd64: 1",
        [
            "32:20: phases[0].set.weights: the first shift gives arm64 50% of the traffic; begin with 10% or less, like {arm64: 5, amd64: 95}"
        ],
    ),
    (
        "arm64: 5, amd64: 95",
        "arm64: 0, amd64: 0",
        [
            "32:20: phases[0].set.weights: all weights are 0: the load balancer would serve nobody; give at least one of them a weight"
        ],
    ),
    (
        "set: {affinity: {workload: canary, mode: required}}",
        "set: {weights: {arm64: 9, amd64: 191}}",
        [
            "43:20: phases[1].set.weights: the share of arm64 goes down, from 5% in phases[0] to 4.5%; let it only rise: going back is what a rollback does"
        ],
    ),
]


@pytest.mark.parametrize(("old", "new", "lines"), CASES, ids=[f"{n}-{new.strip()[:30]}" for n, (_, new, _) in enumerate(CASES)])
def test_faults_of_meaning(old: str, new: str, lines: list[str]) -> None:
    assert broken((old, new)) == lines


def test_the_base_itself_is_valid() -> None:
    assert loads(BASE, "p.yaml").name == "payments"


def test_no_soak_at_all_is_for_other_places_than_production() -> None:
    edit = ("soak: 1h30m", "soak: 0s")
    assert loads(BASE.replace(*edit), "p.yaml").phases[1].soak == 0
    assert broken(edit, ("context: staging", "context: eu-PROD-1")) == [
        '44:11: phases[1].soak: a soak of 0 on what looks like production (target.context is "eu-PROD-1"); '
        "give the gates time to see something, like 15m"
    ]


def test_accounts_of_arns_agree_even_when_none_is_named() -> None:
    edits = (('    account: "111122223333"\n', ""), ("111122223333:targetgroup/arm", "999922223333:targetgroup/arm"))
    assert broken(*edits) == [
        "18:14: traffic.alb.target_groups.arm64: this ARN is of the account 999922223333, "
        "traffic.alb.target_groups.amd64 is of 111122223333; use one account"
    ]


def test_shares_are_those_of_the_architecture_that_is_moved_to() -> None:
    back = BASE.replace("  namespace: payments\n", "  namespace: payments\n  from: arm64\n  to: amd64\n")
    assert errors(back) == [
        "34:20: phases[0].set.weights: the first shift gives amd64 95% of the traffic; begin with 10% or less, like {arm64: 5, amd64: 95}"
    ]
    assert loads(back.replace("arm64: 5, amd64: 95", "arm64: 95, amd64: 5"), "p.yaml").target.to_arch == "amd64"


def test_an_expired_waiver_is_no_fault_of_the_file() -> None:
    waiver = "{component: image/a, reason: b, owner: c, expires: 2001-01-01}"
    playbook = loads(f"{BASE}portability:\n  waivers: [{waiver}]\n", "p.yaml")
    assert playbook.portability.waivers[0].expires.year == 2001


@pytest.mark.parametrize("word", ["green", "waived_ok", '"off"'])
def test_the_gate_asks_for_green_for_what_is_waived_or_for_nothing(word: str) -> None:
    waiver = "{component: image/a, reason: b, owner: c, expires: 2001-01-01}"
    text = f"{BASE}portability: {{require: {word}, waivers: [{waiver}]}}\n"
    assert loads(text, "p.yaml").portability.require == word.strip('"')


def test_a_waiver_names_a_row_says_why_and_who() -> None:
    text = f"""{BASE}portability:
  require: waived_ok
  waivers:
    - {{component: hsm-client, reason: " ", owner: "  ", expires: 2026-12-15}}
    - {{component: image/a, reason: b, owner: c, expires: 2026-12-15}}
    - {{component: image/a, reason: b, owner: c, expires: 2026-12-15}}
    - {{component: agent/, owner: c, expires: 2026-13-15}}
"""
    layers = "image/..., agent/..., sidecar/..., library/..., dependency/..., scheduling/..., topology/... or aws/..."
    copied = f"names no row of the portability matrix; copy it from `cockpit audit`: {layers}"
    assert errors(text) == [
        f'50:19: portability.waivers[0].component: "hsm-client" {copied}',
        "50:39: portability.waivers[0].reason: this is blank; say why it may wait: what is awaited, and from whom",
        "50:51: portability.waivers[0].owner: this is blank; name the team or person who answers for it",
        '52:19: portability.waivers[2].component: "image/a" is already portability.waivers[1].component; '
        "write one waiver for each component",
        "53:7: portability.waivers[3].reason: this key is missing; add it, like `reason: rebuilt, waiting for release 4.2`",
        f'53:19: portability.waivers[3].component: "agent/" {copied}',
        '53:46: portability.waivers[3].expires: "2026-13-15" is not in the calendar; write it like 2026-11-01',
    ]


def test_a_refused_scalar_draws_no_second_fault() -> None:
    for old, new in [
        ('"111122223333"', "011122223333"),
        ("region: ap-south-1", "region: NO"),
        ("soak: 15m", "soak: 1:30"),
        ("arm64: 5,", "arm64: 05,"),
    ]:
        assert len(broken((old, new))) == 1
