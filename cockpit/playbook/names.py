"""The shapes of names: DNS-1123, workloads, ARNs, addresses, dates, queries. `Shape.check` raises Wrong with the right form.

Sources: Kubernetes' "Object Names and IDs"; AWS's Service Authorization Reference, "Resource types defined by ELB V2".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlsplit

from cockpit.playbook.issue import Wrong, listed, quoted

_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_DNS = r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?"
_ARN = r"arn:aws(-cn|-us-gov)?:elasticloadbalancing:[a-z0-9-]{4,30}:[0-9]{12}:"
_LEAF = r"[0-9a-zA-Z]{1,32}"
_PLACEHOLDER = re.compile(r"\{\{([^{}]{0,40})\}\}")
ARCH_PLACEHOLDER = "{{arch}}"
KINDS = ("deployment",)
"""Kinds of workload whose placement can be moved."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A kind of name: a pattern that means the same to Python and to JSON Schema, and words for when it does not match."""

    pattern: str
    noun: str
    right: str

    def check(self, value: str) -> None:
        """Raises Wrong when `value` is not of this shape."""
        if not re.fullmatch(self.pattern, value):
            raise Wrong(f"{quoted(value)} is no {self.noun}", self.right)


LABEL = Shape(
    f"^{_LABEL}$",
    "DNS-1123 label",
    "write lower-case letters, digits and - (not first or last), at most 63, like payments-api",
)
WORKLOAD = Shape(f"^deployment/{_DNS}$", "workload", "write kind/name, like deployment/payments-api")
DAEMONSET = Shape(f"^{_LABEL}/{_DNS}$", "DaemonSet", "write namespace/name, like kube-system/aws-node")
SIGNAL = Shape("^[a-z][a-z0-9_]{0,62}$", "signal name", "write lower-case letters, digits and _, like latency_p99")
REGION = Shape("^[a-z]{2}(-[a-z]{1,12}){1,3}-[0-9]{1,2}$", "AWS Region", "write it like ap-south-1")
ACCOUNT = Shape("^[0-9]{12}$", "AWS account", 'write its 12 digits in quotes, like "111122223333"')
UID = Shape("^[0-9a-zA-Z-]{8,64}$", "UID", "take it from `kubectl get namespace kube-system -o jsonpath={.metadata.uid}`")
TARGET_GROUP = Shape(
    f"^{_ARN}targetgroup/[0-9a-zA-Z-]{{1,32}}/{_LEAF}$",
    "target group ARN",
    "write it like arn:aws:elasticloadbalancing:ap-south-1:111122223333:targetgroup/payments-arm64/73e2d6bc24d8a067",
)
LISTENER = Shape(
    f"^{_ARN}listener/app/[0-9a-zA-Z-]{{1,32}}/{_LEAF}/{_LEAF}$",
    "ARN of an Application Load Balancer's listener",
    "write it like arn:aws:elasticloadbalancing:ap-south-1:111122223333:listener/app/payments/50dc6c495c0c9188/f2f7dc8efc522ab2",
)
RULE = Shape(
    f"^{_ARN}listener-rule/app/[0-9a-zA-Z-]{{1,32}}/{_LEAF}/{_LEAF}/{_LEAF}$",
    "ARN of an Application Load Balancer's rule",
    "write it like arn:aws:elasticloadbalancing:ap-south-1:111122223333:"
    "listener-rule/app/payments/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabee",
)
REGISTRY = Shape(
    "^[a-zA-Z0-9]([a-zA-Z0-9.-]{0,251}[a-zA-Z0-9])?(:[0-9]{1,5})?$",
    "image registry",
    "write it as images begin: its host, with a port if it has one, like registry.example.com",
)
LOAD_BALANCER = Shape(
    f"^app/[0-9a-zA-Z-]{{1,32}}/{_LEAF}$",
    "name of an Application Load Balancer as CloudWatch has it",
    "write the end of its ARN, like app/payments/50dc6c495c0c9188",
)
PROM_LABEL = Shape("^[a-zA-Z_][a-zA-Z0-9_]{0,99}$", "Prometheus label", "write letters, digits and _, like app")
PROM_METRIC = Shape(
    "^[a-zA-Z_:][a-zA-Z0-9_:]{0,199}$", "metric's name", "write it without _bucket or _count, like http_request_duration_seconds"
)
INGRESS = Shape(f"^{_DNS}$", "name of an Ingress", "write it like payments")
ACTION = Shape(
    "^[a-zA-Z0-9]([a-zA-Z0-9._-]{0,53}[a-zA-Z0-9])?$",
    "name of an action",
    "write what follows alb.ingress.kubernetes.io/actions. in the annotation, like split",
)
INSTANCE_TYPE = Shape("^[a-z0-9-]{2,20}\\.[a-z0-9-]{2,20}$", "instance type", "write it like m7g.xlarge")
CURRENCY = Shape("^[A-Z]{3}$", "currency", "write its three letters, like USD")
DATE = Shape("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "date", "write it like 2026-11-01")
URL = Shape("^https?://[^\\s/?#]+[^\\s]*$", "address", "write it like http://prometheus.monitoring:9090")


def workload(value: str) -> None:
    """`deployment/name`; other kinds are refused by name."""
    kind, slash, name = value.partition("/")
    if slash and kind.lower() not in KINDS and re.fullmatch(f"{_DNS}", name) and kind.isalpha():
        raise Wrong(f"a {clean_kind(kind)} cannot be moved in this version", f"only a {listed(KINDS)} can: deployment/{name}")
    if slash and kind != kind.lower() and kind.lower() in KINDS:
        raise Wrong(f"the kind {kind} is written in lower case", f"write {kind.lower()}/{name}")
    if not slash:
        raise Wrong(f"{quoted(value)} does not say what kind of workload it is", f"write deployment/{_short(value)}")
    WORKLOAD.check(value)


def daemonset(value: str) -> None:
    """`namespace/name`."""
    if "/" not in value:
        raise Wrong(f"{quoted(value)} has no namespace", f"write namespace/name, like kube-system/{_short(value)}")
    if value.lower().startswith("daemonset/"):
        raise Wrong(f"{quoted(value)} names a kind, not a namespace", "write namespace/name, like kube-system/aws-node")
    DAEMONSET.check(value)


def url(value: str) -> None:
    """An http or https address without credentials in it."""
    URL.check(value)
    try:
        parts = urlsplit(value)
        bad = not parts.hostname or parts.port == 0
    except ValueError:
        raise Wrong(f"{quoted(value)} is no address", URL.right) from None
    if parts.username is not None:
        raise Wrong("the address holds credentials", "keep secrets out of a playbook: use bearer_token_file")
    if bad:
        raise Wrong(f"{quoted(value)} is no address", URL.right)


def iso_date(value: str) -> date:
    """A calendar date, `2026-11-01`."""
    DATE.check(value)
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise Wrong(f"{quoted(value)} is not in the calendar", DATE.right) from None


def label_value(value: str) -> None:
    """The value of a label: plain text, or {{arch}} alone."""
    if value != ARCH_PLACEHOLDER and ("{{" in value or "}}" in value):
        raise Wrong(f"{quoted(value)} is not substituted", "write plain text, or {{arch}} alone")


def query(value: str) -> None:
    """A query in which `{{arch}}`, and nothing else in double braces, stands for the architecture."""
    for match in _PLACEHOLDER.finditer(value):
        if match.group() != ARCH_PLACEHOLDER:
            raise Wrong(f"{quoted(match.group())[1:-1]} is not substituted", "only {{arch}} is, written exactly so")
    rest = value.replace(ARCH_PLACEHOLDER, "")
    if "{{" in rest or "}}" in rest:
        raise Wrong("the double braces do not close around {{arch}}", 'write it like arch="{{arch}}"')
    if rest == value:
        raise Wrong(
            "the query does not tell the architectures apart", 'put {{arch}} where the label\'s value is: arch="{{arch}}"'
        )


def clean_kind(kind: str) -> str:
    """The kind as people say it."""
    known = {"statefulset": "StatefulSet", "daemonset": "DaemonSet", "replicaset": "ReplicaSet", "job": "Job", "pod": "Pod"}
    return known.get(kind.lower(), quoted(kind)[1:-1])


def _short(name: str) -> str:
    return name if re.fullmatch(_DNS, name) else "payments-api"
