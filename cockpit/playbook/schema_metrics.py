"""The part of a playbook's shape that says what is measured, where it is asked for, and what instances cost."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from cockpit.playbook import names
from cockpit.playbook.fields import (
    Currency,
    Duration,
    IngressName,
    InstanceType,
    LabelValue,
    Line,
    LoadBalancer,
    Part,
    Price,
    PromLabel,
    PromMetric,
    Query,
    Region,
    SignalName,
    Url,
)


class Prometheus(Part):
    """Where the signals are asked for."""

    url: Url = Field(description="The server's address.", examples=["http://prometheus.monitoring:9090"])
    bearer_token_file: Line | None = Field(
        default=None,
        description="A file with a bearer token; it is read each time.",
        examples=["/var/run/secrets/prometheus/token"],
    )
    every: Duration = Field(default="15s", description="Time between two questions.", examples=["15s"])
    stale_after: Duration = Field(default="60s", description="The age at which a sample is no longer believed.", examples=["60s"])


class CloudWatch(Part):
    """Where the load balancer's own metrics are asked for. One data point a minute, a minute or two late."""

    region: Region | None = Field(default=None, description="The Region; left out, that of traffic.alb.", examples=["ap-south-1"])
    load_balancer: LoadBalancer | None = Field(
        default=None,
        description="The end of the load balancer's ARN; left out, that of the listeners or rules.",
        examples=["app/payments/50dc6c495c0c9188"],
    )
    every: Duration = Field(default="60s", description="Time between two questions, a minute or more.", examples=["60s"])
    stale_after: Duration = Field(
        default="5m", description="The age at which a data point is no longer believed.", examples=["5m"]
    )
    endpoint_url: Url | None = Field(
        default=None,
        description="Another API endpoint, for rehearsals and private endpoints.",
        examples=["http://127.0.0.1:5000"],
    )


_OWN_OR_PRESET: dict[str, Any] = {"anyOf": [{"required": ["unit", "query"]}, {"required": ["preset"]}, {"required": ["source"]}]}


class Signal(Part):
    """A number that is watched on both architectures: a query of one's own with its unit, or a preset."""

    model_config = ConfigDict(json_schema_extra=_OWN_OR_PRESET)

    unit: Literal["seconds", "ratio", "count", "requests_per_second", "percent"] | None = Field(
        default=None, description="What its numbers are; it decides how limits are written.", examples=["seconds"]
    )
    better: Literal["lower", "higher"] | None = Field(default=None, description="Which way is good.", examples=["lower"])
    query: Query | None = Field(
        default=None,
        description="PromQL that gives one series; {{arch}} stands for amd64 or arm64.",
        examples=['sum(rate(http_requests_total{arch="{{arch}}"}[2m]))'],
    )
    preset: Literal["alb", "http-histogram", "istio", "linkerd", "nginx-ingress", "cpu", "throttling", "rps-per-pod"] | None = (
        Field(
            default=None,
            description="A common source that brings unit, better and queries. alb is asked of CloudWatch.",
            examples=["http-histogram"],
        )
    )
    of: Literal["latency_p50", "latency_p95", "latency_p99", "error_rate", "requests"] | None = Field(
        default=None, description="What of the preset, where the signal's name does not say it.", examples=["latency_p99"]
    )
    source: Literal["prometheus", "cloudwatch"] | None = Field(
        default=None, description="Who is asked; `cloudwatch` alone is the preset alb.", examples=["cloudwatch"]
    )
    labels: dict[PromLabel, LabelValue] | None = Field(
        default=None,
        max_length=20,
        json_schema_extra={"propertyNames": {"pattern": names.PROM_LABEL.pattern}},
        description="More labels that the preset's series have; {{arch}} alone may be a value.",
        examples=[{"app": "payments"}],
    )
    window: Duration | None = Field(default=None, description="What the preset's rates are taken over; 2m.", examples=["2m"])
    metric: PromMetric | None = Field(
        default=None, description="The histogram's name, for http-histogram.", examples=["http_request_duration_seconds"]
    )
    status_label: PromLabel | None = Field(
        default=None, description="The label with the HTTP status, for http-histogram.", examples=["code"]
    )
    ingress: IngressName | None = Field(
        default=None, description="The main Ingress (not its canary), for nginx-ingress.", examples=["payments"]
    )


class Metrics(Part):
    """What is measured, and where."""

    prometheus: Prometheus | None = Field(default=None, description="A Prometheus server.")
    cloudwatch: CloudWatch | None = Field(
        default=None, description="CloudWatch's metrics of the load balancer in traffic.alb.", examples=[{}]
    )
    signals: dict[SignalName, Signal] = Field(
        default={},
        max_length=50,
        json_schema_extra={"propertyNames": {"pattern": names.SIGNAL.pattern}},
        description="Signals by name; `requests` gives the observed share.",
    )


class Prices(Part):
    """What instances cost an hour: for those named here instead of the shipped table's figures."""

    currency: Currency = Field(default="USD", description="Another one than USD sets the shipped table aside.", examples=["USD"])
    label: Line = Field(
        default="the playbook's prices",
        description="What these prices are.",
        examples=["ap-south-1, three-year savings plan"],
    )
    per_hour: dict[InstanceType, Price] = Field(
        min_length=1,
        max_length=500,
        json_schema_extra={"propertyNames": {"pattern": names.INSTANCE_TYPE.pattern}},
        description="Price an hour by instance type.",
        examples=[{"m7g.xlarge": 0.1632}],
    )
