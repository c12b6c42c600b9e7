# ruff: noqa: E501 - queries and messages stand here as they are
"""Presets: what they become, and what is said of those that cannot."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.commands.queries import queries
from cockpit.model.arch import Arch
from cockpit.model.signal import Measure, Unit
from cockpit.playbook import loads
from tests.unit.playbook.base import BASE, errors
from tests.unit.playbook.preset_cases import every, one, text


def test_a_preset_brings_query_unit_and_good_direction() -> None:
    signal = one("preset: http-histogram").signals["requests"]
    assert (signal.unit, signal.better, signal.preset, signal.measure) == (
        Unit.REQUESTS_PER_SECOND,
        "higher",
        "http-histogram",
        None,
    )
    assert signal.query_for(Arch.ARM64) == (
        'sum(rate(http_request_duration_seconds_count{arch="arm64"}[2m])) or 0 * sum(rate(http_request_duration_seconds_count{}[2m]))'
    )
    assert signal.query == signal.query_for(Arch.ARM64).replace('"arm64"', '"{{arch}}"')


def test_labels_metric_window_and_the_architecture_s_own_label() -> None:
    more = "metric: http_server_request_duration_seconds, status_label: http_response_status_code, window: 5m"
    labels = 'labels: {app: pay, kubernetes_io_arch: "{{arch}}"}'
    query = one(f"preset: http-histogram, of: error_rate, {more}, {labels}", "wrong").signals["wrong"].query_for(Arch.AMD64)
    series = 'http_server_request_duration_seconds_count{app="pay",kubernetes_io_arch="amd64"'
    whole = f"sum(rate({series}}}[5m]))"
    assert query == f'(sum(rate({series},http_response_status_code=~"5.."}}[5m])) or 0 * {whole}) / {whole}'


def test_a_mesh_tells_the_workloads_apart_by_name() -> None:
    signal = one("preset: istio, of: latency_p99", "p99").signals["p99"]
    side = '{{reporter="destination",destination_workload_namespace="payments",destination_workload="{}"}}'
    for arch, name in ((Arch.AMD64, "api"), (Arch.ARM64, "api-arm64")):
        buckets = f"istio_request_duration_milliseconds_bucket{side.format(name)}"
        assert signal.query_for(arch) == f"histogram_quantile(0.99, sum by (le) (rate({buckets}[2m]))) / 1000"


def test_cloudwatch_is_asked_by_measure_and_takes_its_names_from_the_load_balancer() -> None:
    playbook = one("source: cloudwatch")
    assert playbook.signals["requests"].measure is Measure.REQUESTS
    assert playbook.cloudwatch is not None
    assert playbook.cloudwatch.region == "ap-south-1"
    assert playbook.cloudwatch.load_balancer == "app/pay/50dc6c495c0c9188"
    assert playbook.cloudwatch.target_groups[Arch.ARM64] == "targetgroup/arm/73e2d6bc24d8a067"
    cadence = playbook.freshness_of("requests")
    assert cadence is not None
    assert (cadence.every, cadence.stale_after) == (60.0, 300.0)


def test_what_the_load_balancer_s_error_rate_leaves_out_is_said_in_the_plan() -> None:
    shown = [*queries(one("preset: alb", "error_rate"))]
    assert shown[0].startswith("signal error_rate: CloudWatch error_rate by target group: 5xx of targets and failed connections")
    assert "without the load balancer's own 5xx" in shown[0]
    assert shown[1] == "  amd64: app/pay/50dc6c495c0c9188 targetgroup/x86/6d0ecf831eec9f09"


def test_a_playbook_on_cloudwatch_alone_needs_no_prometheus() -> None:
    whole = text("    requests: {preset: alb}\n").replace("  prometheus:\n    url: http://prometheus.example.com:9090\n", "")
    playbook = loads(whole, "p.yaml")
    assert playbook.prometheus is None
    assert playbook.freshness_of("requests") is not None
    assert playbook.freshness_of("nothing") is None


def test_rps_per_pod_divides_the_playbook_s_own_requests_by_the_ready_pods() -> None:
    query = every().signals["rps_per_pod"].query_for(Arch.ARM64)
    assert query.startswith(f"({every().signals['requests'].query_for(Arch.ARM64)}) / (sum(")
    assert "> 0" in query


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), max_size=60))
def test_whatever_a_label_s_value_holds_stays_inside_its_quotes(value: str) -> None:
    from cockpit.playbook.presets.scope import quote

    quoted = quote(value)
    inner = quoted[1:-1]
    assert quoted[0] == quoted[-1] == '"'
    assert "\n" not in inner
    assert inner.replace("\\\\", "").replace('\\"', "").count('"') == 0
    assert inner.replace("\\\\", "\0").replace('\\"', '"').replace("\\n", "\n").replace("\0", "\\") == value


@pytest.mark.parametrize(
    ("signal", "said"),
    [
        ("preset: istioo", 'preset: "istioo" is not allowed here; write istio'),
        ("preset: istio", "of: its name does not say what of istio this is; add `of:` with one of latency_p50"),
        ("preset: istio, of: latency_p98", 'of: "latency_p98" is not allowed here; write latency_p99'),
        (
            'preset: istio, of: requests, query: "x{{arch}}"',
            "query: the preset istio brings its own query; remove query, or the preset",
        ),
        ("preset: istio, of: requests, unit: ratio", "unit: the preset istio brings its own unit"),
        ("preset: istio, of: requests, metric: x", "metric: the preset istio does not take this; it takes labels and window"),
        ("preset: istio, of: requests, source: cloudwatch", "source: the preset istio is asked of prometheus"),
        ("preset: alb, of: requests, source: prometheus", "source: the preset alb is asked of cloudwatch"),
        ("preset: alb, of: requests, window: 5m", "window: the preset alb does not take this; remove it"),
        (
            "preset: nginx-ingress, of: requests",
            "ingress: the preset nginx-ingress needs this key; add it, like `ingress: payments`",
        ),
        ("preset: cpu, of: requests", "of: the preset cpu measures one thing only; remove of"),
        ("preset: rps-per-pod", "preset: this divides the signal requests, which is not defined"),
        (
            'preset: istio, of: requests, labels: {a: "{{arch}}"}',
            "labels.a: the preset istio tells the architectures apart itself",
        ),
        ('preset: istio, of: requests, labels: {a: "x{{arch}}"}', 'labels.a: "x{{arch}}" is not substituted'),
        ("preset: istio, of: requests, labels: {a-b: x}", '"a-b" is no Prometheus label'),
        ('preset: http-histogram, of: requests, metric: "a{b"', 'metric: "a{b" is no metric\'s name'),
        ("preset: http-histogram, of: requests, window: 1s", "window: rates over so little have no samples"),
        ("unit: seconds", "query: this key is missing; add it, like `query: "),
        ('query: "x{{arch}}"', "unit: this key is missing; add it, like `unit: seconds`"),
        ('unit: ratio, query: "x{{arch}}", of: requests', "of: only a preset takes this"),
        ('unit: ratio, query: "x{{arch}}", source: cloudwatch', "query: the preset alb brings its own query"),
    ],
)
def test_what_cannot_be_is_said_where_it_stands(signal: str, said: str) -> None:
    found = errors(text(f"    load: {{{signal}}}\n"))
    assert any(f"metrics.signals.load.{said}" in line or said in line for line in found), found


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("cloudwatch: {}", "cloudwatch: {region: eu-west-1}", "cloudwatch.region: the load balancer is in ap-south-1"),
        (
            "cloudwatch: {}",
            "cloudwatch: {load_balancer: app/x/50dc}",
            "load_balancer: the ARNs of traffic.alb are of app/pay/50dc6c",
        ),
        ("cloudwatch: {}", "cloudwatch: {load_balancer: pay}", '"pay" is no name of an Application Load Balancer'),
        ("cloudwatch: {}", "cloudwatch: {every: 15s}", "every: CloudWatch has one data point a minute; write 60s or more"),
        ("cloudwatch: {}", "cloudwatch: {stale_after: 90s}", "stale_after: data points would be stale before they can be read"),
        ("  cloudwatch: {}\n", "", "metrics.signals.load.preset: there is nobody to ask for this; add metrics.cloudwatch"),
        ("    canary: deployment/api-arm64\n", "", "preset: istio tells workloads apart by name"),
    ],
)
def test_a_source_that_cannot_answer_is_said(old: str, new: str, said: str) -> None:
    whole = text("    load: {preset: alb, of: requests}\n    mesh: {preset: istio, of: requests}\n").replace(old, new)
    assert any(said in line for line in errors(whole)), errors(whole)


def test_gates_on_presets_are_checked_in_the_preset_s_unit_and_pace() -> None:
    whole = text("    requests: {preset: alb}\n    latency_p99: {preset: alb}\n", BASE)
    gates = "    gates:\n      - {signal: latency_p99, max: 3}\n      - {signal: latency_p99, max_drift: 4%, min_samples: 20}\n"
    found = errors(whole.replace("    soak: 15m\n", f"    soak: 15m\n{gates}"))
    assert any("3 has no unit" in line for line in found)
    assert any("20 samples, one every 60s, take longer than the soak" in line for line in found)


def test_no_share_can_be_observed_of_a_side_that_cloudwatch_says_nothing_of() -> None:
    last = "  - name: canary-100\n    set: {weights: {arm64: 100, amd64: 0}}\n    soak: 15m\n    gates: [{share: observed, within: 2%}]\n"
    whole = text("    requests: {preset: alb}\n").replace("  - name: require-arm64", f"{last}  - name: require-arm64")
    assert [line for line in errors(whole) if "the share gate could never pass" in line]
    loads(whole.replace("gates: [{share: observed, within: 2%}]", "gates: [{agents: ready}]"), "p.yaml")
    loads(whole.replace("amd64: 0", "amd64: 1"), "p.yaml")
    loads(whole.replace("preset: alb", "preset: istio"), "p.yaml")


@pytest.mark.parametrize(
    ("prices", "said"),
    [
        ("{per_hour: {m7g.xlarge: 0}}", ": 0 is no price an hour"),
        ("{per_hour: {m7g.xlarge: cheap}}", '"cheap" is no price an hour'),
        ("{per_hour: {m7g: 1}}", '"m7g" is no instance type'),
        ("{per_hour: {}}", "empty"),
        ("{currency: dollars, per_hour: {m7g.large: 1}}", '"dollars" is no currency'),
    ],
)
def test_prices_are_plain_numbers_by_instance_type(prices: str, said: str) -> None:
    found = errors(f"{BASE}prices: {prices}\n")
    assert any(said in line for line in found), found


def test_the_shipped_prices_hold_until_the_playbook_has_its_own() -> None:
    shipped = loads(BASE, "p.yaml").prices
    assert (shipped.of("m7g.xlarge"), shipped.of("m6i.xlarge"), shipped.of("m9z.large")) == (0.1632, 0.192, None)
    assert "us-east-1" in shipped.said(["m7g.xlarge"])
    own = loads(f"{BASE}prices: {{label: plan, per_hour: {{m7g.xlarge: 0.1}}}}\n", "p.yaml").prices
    assert (own.of("m7g.xlarge"), own.of("m6i.xlarge")) == (0.1, 0.192)
    assert own.said(["m7g.xlarge"]) == "plan"
    assert own.said(["m7g.xlarge", "m6i.xlarge"]).startswith("plan; on-demand")
    foreign = loads(f"{BASE}prices: {{currency: EUR, per_hour: {{m7g.xlarge: 0.1}}}}\n", "p.yaml").prices
    assert (foreign.currency, foreign.of("m6i.xlarge")) == ("EUR", None)
