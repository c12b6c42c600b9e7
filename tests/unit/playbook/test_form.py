# ruff: noqa: E501 - messages stand here as they are printed
"""Faults of form: each with its exact line."""

from __future__ import annotations

import re

import pytest

from tests.unit.playbook.base import BASE, broken, errors

LISTENERS = "    listeners:\n      - arn:aws:elasticloadbalancing:ap-south-1:111122223333:listener/app/pay/50dc6c495c0c9188/f2f7dc8efc522ab2\n"
CASES: list[tuple[str, str, list[str]]] = [
    # the document
    (
        "apiVersion: cockpit/v1",
        "apiVersion: cockpit/v2",
        ['1:13: apiVersion: "cockpit/v2" is not allowed here; write cockpit/v1'],
    ),
    ("kind: Playbook", "kind: Playbok", ['2:7: kind: "Playbok" is not allowed here; write Playbook']),
    ("kind: Playbook\n", "", ["1:1: kind: this key is missing; add it, like `kind: Playbook`"]),
    ("rollback:", "rolback:", ["45:1: rolback: this key is unknown; did you mean rollback?"]),
    (
        "phases:\n",
        "xyz: 1\nphases:\n",
        [
            "30:1: xyz: this key is unknown; the keys here are apiVersion, kind, metadata, target, traffic, metrics, prices, agents, portability, registries, probes, phases, defaults and rollback"
        ],
    ),
    # names
    (
        "name: payments\n",
        "name: Payments_API\n",
        [
            '4:9: metadata.name: "Payments_API" is no DNS-1123 label; '
            "write lower-case letters, digits and - (not first or last), at most 63, like payments-api"
        ],
    ),
    ("name: payments\n", "name: 12\n", ['4:9: metadata.name: text is due here, 12 is a number; write "12" in quotes']),
    ("name: payments\n", "name: 1.10\n", ['4:9: metadata.name: text is due here, 1.10 is a number; write "1.10" in quotes']),
    ("name: payments\n", "name: true\n", ['4:9: metadata.name: text is due here, true is true or false; write "true" in quotes']),
    ("name: payments\n", "name:\n", ["4:8: metadata.name: text is due here, not nothing; write it like payments-api"]),
    ("name: payments\n", "name: []\n", ["4:9: metadata.name: text is due here, not a list; write it like payments-api"]),
    (
        "name: payments\n",
        "nmae: payments\n",
        [
            "3:1: metadata.name: this key is missing; add it, like `name: payments-api`",
            "4:3: metadata.nmae: this key is unknown; did you mean name?",
        ],
    ),
    (
        "name: payments\n",
        "name: NO\n",
        ['4:9: metadata.name: unquoted NO is false to YAML 1.1; write "NO" in quotes if text is meant, else false'],
    ),
    (
        "name: payments\n",
        "name: payments\n  name: twice\n",
        ['5:3: metadata.name: the key "name" is here twice, first on line 4; keep one'],
    ),
    (
        "  name: payments\n",
        "  - name\n",
        ["4:3: metadata: a mapping is due here, not a list; write a mapping with the keys name, description, owner and runbook"],
    ),
    # target
    (
        "deployment/api\n",
        "statefulset/api\n",
        ["9:15: target.workloads.baseline: a StatefulSet cannot be moved in this version; only a deployment can: deployment/api"],
    ),
    (
        "deployment/api\n",
        "Deployment/api\n",
        ["9:15: target.workloads.baseline: the kind Deployment is written in lower case; write deployment/api"],
    ),
    (
        "deployment/api\n",
        "api\n",
        ['9:15: target.workloads.baseline: "api" does not say what kind of workload it is; write deployment/api'],
    ),
    (
        "deployment/api\n",
        "deployment/a_b\n",
        ['9:15: target.workloads.baseline: "deployment/a_b" is no workload; write kind/name, like deployment/payments-api'],
    ),
    (
        "    baseline: deployment/api\n",
        "",
        ["8:3: target.workloads.baseline: this key is missing; add it, like `baseline: deployment/payments-api`"],
    ),
    (
        "  namespace: payments\n",
        "  namespace: payments\n  to: arm\n",
        ['8:7: target.to: "arm" is not allowed here; write arm64 (allowed: amd64 or arm64)'],
    ),
    # load balancer
    (
        '"111122223333"',
        "111122223333",
        [
            '14:14: traffic.alb.account: an account is text: as a number it would lose leading zeros; write "111122223333" in quotes'
        ],
    ),
    (
        '"111122223333"',
        "011122223333",
        [
            '14:14: traffic.alb.account: unquoted 011122223333 is the octal number 1229530843 to YAML 1.1; write "011122223333" in quotes if text is meant, else 11122223333'
        ],
    ),
    (
        '"111122223333"',
        '"1111"',
        ['14:14: traffic.alb.account: "1111" is no AWS account; write its 12 digits in quotes, like "111122223333"'],
    ),
    ("region: ap-south-1", "region: Mumbai", ['13:13: traffic.alb.region: "Mumbai" is no AWS Region; write it like ap-south-1']),
    (
        LISTENERS,
        "    ingress: {name: Payments, action: 'a b'}\n",
        [
            '15:21: traffic.alb.ingress.name: "Payments" is no name of an Ingress; write it like payments',
            '15:39: traffic.alb.ingress.action: "a b" is no name of an action; write what follows '
            "alb.ingress.kubernetes.io/actions. in the annotation, like split",
        ],
    ),
    (
        LISTENERS,
        "    ingress: {name: a}\n",
        ["15:5: traffic.alb.ingress.action: this key is missing; add it, like `action: split`"],
    ),
    (
        "      amd64: arn:aws:elasticloadbalancing:ap-south-1:111122223333:targetgroup/x86/6d0ecf831eec9f09\n",
        "",
        ["17:5: traffic.alb.target_groups.amd64: this key is missing; add it, like `amd64: arn:aws:elasticloadbalancing:...`"],
    ),
    (
        "listener/app/pay",
        "listener/net/pay",
        [
            '16:9: traffic.alb.listeners[0]: "arn:aws:elasticloadbalancing:ap-south-1:111122223333:listen…" is no ARN of an Application Load Balancer\'s listener; write it like arn:aws:elasticloadbalancing:ap-south-1:111122223333:listener/app/payments/50dc6c495c0c9188/f2f7dc8efc522ab2'
        ],
    ),
    # metrics
    (
        "    url: http://prometheus.example.com:9090\n",
        "    url: prometheus:9090\n",
        ['22:10: metrics.prometheus.url: "prometheus:9090" is no address; write it like http://prometheus.monitoring:9090'],
    ),
    (
        "http://prometheus.example.com:9090",
        "http://me:secret@prometheus.example.com",
        ["22:10: metrics.prometheus.url: the address holds credentials; keep secrets out of a playbook: use bearer_token_file"],
    ),
    (
        "    url: http://prometheus.example.com:9090\n",
        "    url: http://p:9090\n    every: 15\n",
        ["23:12: metrics.prometheus.every: 15 has no unit; write 15m for minutes, 15s for seconds or 15h for hours"],
    ),
    (
        "  prometheus:\n",
        "  cloudwach: {}\n  prometheus:\n",
        ["21:3: metrics.cloudwach: this key is unknown; did you mean cloudwatch?"],
    ),
    (
        "unit: percent",
        "unit: percents",
        [
            '26:18: metrics.signals.load.unit: "percents" is not allowed here; write percent (allowed: seconds, ratio, count, requests_per_second or percent)'
        ],
    ),
    (
        "    load:",
        "    CPU load:",
        [
            '26:5: metrics.signals["CPU load"]: "CPU load" is no signal name; write lower-case letters, digits and _, like latency_p99'
        ],
    ),
    (
        "'cpu{arch=\"{{arch}}\"}'",
        "'cpu{arch=\"{{ arch }}\"}'",
        ["26:34: metrics.signals.load.query: {{ arch }} is not substituted; only {{arch}} is, written exactly so"],
    ),
    (
        "'cpu{arch=\"{{arch}}\"}'",
        "'cpu{arch=\"{{arch}}\", x={{team}}}'",
        ["26:34: metrics.signals.load.query: {{team}} is not substituted; only {{arch}} is, written exactly so"],
    ),
    (
        "'cpu{arch=\"{{arch}}\"}'",
        "'cpu'",
        [
            '26:34: metrics.signals.load.query: the query does not tell the architectures apart; put {{arch}} where the label\'s value is: arch="{{arch}}"'
        ],
    ),
    (
        "'cpu{arch=\"{{arch}}\"}'",
        "'cpu{arch=\"{{arch\"}'",
        ['26:34: metrics.signals.load.query: the double braces do not close around {{arch}}; write it like arch="{{arch}}"'],
    ),
    # agents
    (
        "kube-system/aws-node",
        "aws-node",
        ['29:16: agents[0].daemonset: "aws-node" has no namespace; write namespace/name, like kube-system/aws-node'],
    ),
    (
        "kube-system/aws-node",
        "daemonset/aws-node",
        [
            '29:16: agents[0].daemonset: "daemonset/aws-node" names a kind, not a namespace; write namespace/name, like kube-system/aws-node'
        ],
    ),
    (
        "kube-system/aws-node\n",
        "kube-system/aws-node\n    certified: {images: [a], signed_off_by: b, on: 2026-02-30}\n",
        ['30:52: agents[0].certified.on: "2026-02-30" is not in the calendar; write it like 2026-11-01'],
    ),
    (
        "kube-system/aws-node\n",
        "kube-system/aws-node\n    certified: {images: [], signed_off_by: b, on: 1.11.2026}\n",
        [
            "30:25: agents[0].certified.images: the list is empty; it has at least 1 item",
            '30:51: agents[0].certified.on: "1.11.2026" is no date; write it like 2026-11-01',
        ],
    ),
    (
        "agents:\n  - daemonset: kube-system/aws-node\n",
        "agents:\n",
        [
            "28:8: agents: a list is due here, not nothing; begin each item with `- `, or write [] for none",
            "36:18: phases[0].gates[2].agents: the playbook lists no agents; list the DaemonSets in agents, or remove this",
        ],
    ),
]


@pytest.mark.parametrize(("old", "new", "lines"), CASES, ids=[f"{n}-{new.strip()[:30]}" for n, (_, new, _) in enumerate(CASES)])
def test_faults_of_form(old: str, new: str, lines: list[str]) -> None:
    assert broken((old, new)) == lines


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "[]",
            "1:1: a mapping is due here, not a list; write a mapping with the keys apiVersion, kind, metadata, target, traffic, metrics, prices, agents, portability, registries, probes, phases, defaults and rollback",
        ),
        (
            "hello",
            '1:1: a mapping is due here, not "hello"; write a mapping with the keys apiVersion, kind, metadata, target, traffic, metrics, prices, agents, portability, registries, probes, phases, defaults and rollback',
        ),
        (
            "~",
            "1:1: a mapping is due here, not nothing; write a mapping with the keys apiVersion, kind, metadata, target, traffic, metrics, prices, agents, portability, registries, probes, phases, defaults and rollback",
        ),
    ],
)
def test_what_is_no_playbook_at_all(text: str, line: str) -> None:
    assert errors(text) == [line]


def test_all_faults_of_a_file_come_at_once_in_the_order_of_the_text() -> None:
    lines = broken(
        ("name: payments\n", "name: NO\n"),
        ("context: staging", "contxt: staging"),
        ("max: 0.1%", "max: 0.001"),
        ("signal: latency, max_drift: 10%", "signal: latncy, max_drift: 10%"),
        ("soak: 1h30m", "soak: 90"),
    )
    assert lines == [
        '4:9: metadata.name: unquoted NO is false to YAML 1.1; write "NO" in quotes if text is meant, else false',
        "6:3: target.contxt: this key is unknown; did you mean context?",
        "36:31: phases[0].gates[1].max: 0.001 has no unit; write 0.1%, or 0.001% if that is meant: the signal is a ratio",
        '40:18: phases[0].abort[0].signal: the signal "latncy" is not defined; the signals are latency, errors, load and requests',
        "44:11: phases[1].soak: 90 has no unit; write 90m for minutes, 90s for seconds or 90h for hours",
    ]


def test_no_message_speaks_the_library_s_language() -> None:
    jargon = re.compile(
        r"pydantic|BaseModel|dict\b|str\b|\bint\b|NoneType|Input should|valid (string|integer)|extra_forbidden|literal|tag <",
        re.I,
    )
    values = ["[]", "{}", "1", "1.5", "true", "~", '""', "x", "'" + "y" * 2000 + "'"]
    places = sorted({m.group(1) for m in re.finditer(r": ([^\s{\[\]},]+)(?=[,}\n])", BASE)})
    for place in places:
        for value in values:
            text = BASE.replace(f": {place}", f": {value}", 1)
            for line in _maybe(text):
                assert not jargon.search(line.partition(": ")[2]), line
                assert len(line) < 600


def _maybe(text: str) -> list[str]:
    from cockpit.errors import PlaybookInvalid
    from cockpit.playbook import loads

    try:
        loads(text, "p.yaml")
    except PlaybookInvalid as invalid:
        return invalid.lines
    return []
