"""Every preset's query on a real Prometheus, over a past that is made so that the right answers are known."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from cockpit.connections.prometheus import NoData, PrometheusClient
from cockpit.model.arch import Arch
from tests.real.processes import Process, free_ports
from tests.real.prometheus import MISSING, REQUIRED, installed
from tests.unit.playbook.preset_cases import every, one

if not installed() and not REQUIRED:
    pytest.skip(MISSING, allow_module_level=True)

STEP, BEFORE, AFTER = 15, 600, 900
RATES = {Arch.AMD64: 30.0, Arch.ARM64: 10.0}
FAILING = {Arch.AMD64: 0.0, Arch.ARM64: 0.02}
"""Of amd64's requests none ever failed: there is no such series."""
NAMES = {Arch.AMD64: "api", Arch.ARM64: "api-arm64"}
PODS = {"api-5d9c7b4f6d-abcde": "x0", "api-5d9c7b4f6d-fghij": "a0", "api-arm64-6f7c9d8b5-klmno": "a0"}
"""The baseline spans both architectures."""
CORES = {"api-5d9c7b4f6d-abcde": 0.4, "api-5d9c7b4f6d-fghij": 0.1, "api-arm64-6f7c9d8b5-klmno": 0.2}
HELD = {"api-5d9c7b4f6d-abcde": 0.0, "api-5d9c7b4f6d-fghij": 1.0, "api-arm64-6f7c9d8b5-klmno": 2.0}


def series() -> Iterator[tuple[str, float, float]]:
    """Every series with its growth a second, and its value at the beginning."""
    for arch in Arch:
        yield from requests(arch)
    for pod, node in PODS.items():
        place = f'namespace="payments",pod="{pod}"'
        for container in ('container="main"', 'container=""'):
            yield f"container_cpu_usage_seconds_total{{{place},{container}}}", CORES[pod], 0
        yield f'container_cpu_cfs_periods_total{{{place},container="main"}}', 10.0, 0
        yield f'container_cpu_cfs_throttled_periods_total{{{place},container="main"}}', HELD[pod], 0
        for instance in ("ksm-0", "ksm-1"):
            own = f'{place},instance="{instance}"'
            yield f'kube_pod_info{{{own},node="{node}"}}', 0, 1
            yield f'kube_pod_container_resource_requests{{{own},container="main",resource="cpu"}}', 0, 0.5
            yield f'kube_pod_status_ready{{{own},condition="true"}}', 0, 1
    for node, arch in (("x0", Arch.AMD64), ("a0", Arch.ARM64)):
        yield f'kube_node_labels{{node="{node}",label_kubernetes_io_arch="{arch}"}}', 0, 1
    yield 'container_cpu_usage_seconds_total{namespace="payments",pod="api-other-1-6f7c9d8b5-klmno",container="main"}', 9, 0
    yield 'http_request_duration_seconds_count{arch="amd64",app="half",code="200"}', 5, 0


def requests(arch: Arch) -> Iterator[tuple[str, float, float]]:
    """One side's requests, half of them within 50 ms and all within 100 ms, as each source exports them."""
    canary = "payments-api-arm64-80" if arch is Arch.ARM64 else ""
    mesh = f'destination_workload_namespace="payments",destination_workload="{NAMES[arch]}"'
    pods = f'direction="inbound",namespace="payments",deployment="{NAMES[arch]}"'
    nginx = f'ingress="pay",exported_namespace="payments",canary="{canary}"'
    good, bad = 1 - FAILING[arch], FAILING[arch]
    for share, code, classified in ((good, "200", "success"), (bad, "500", "failure")):
        rate = share * RATES[arch]
        if not rate:
            continue
        plain = f'arch="{arch}",app="pay",code="{code}"'
        yield from histogram("http_request_duration_seconds", plain, rate, 1)
        for reporter in ("source", "destination"):
            labels = f'reporter="{reporter}",{mesh},response_code="{code}"'
            yield from histogram("istio_request_duration_milliseconds", labels, rate, 1000)
            yield f"istio_requests_total{{{labels}}}", rate, 0
        yield from histogram("response_latency_ms", f'{pods},status_code="{code}"', rate, 1000)
        yield f'request_total{{{pods},tls="{code}"}}', rate, 0
        yield f'response_total{{{pods},classification="{classified}"}}', rate, 0
        yield from histogram("nginx_ingress_controller_request_duration_seconds", f'{nginx},status="{code}"', rate, 1)
        yield f'nginx_ingress_controller_requests{{{nginx},status="{code}"}}', rate, 0


def histogram(name: str, labels: str, rate: float, factor: int) -> Iterator[tuple[str, float, float]]:
    for bound, share in (("0.05", 0.5), ("0.1", 1.0), ("+Inf", 1.0)):
        le = bound if bound == "+Inf" else f"{float(bound) * factor:g}"
        yield f'{name}_bucket{{{labels},le="{le}"}}', rate * share, 0
    yield f"{name}_count{{{labels}}}", rate, 0


def past(now: int) -> str:
    """All of it as text, from BEFORE seconds ago until AFTER seconds from now: no test is in a hurry."""
    times = range(now - BEFORE, now + AFTER, STEP)
    rows = [f"{name} {first + grows * (t - times[0]):.6f} {t}" for name, grows, first in series() for t in times]
    return "\n".join([*rows, "# EOF", ""])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Prometheus that scrapes nothing."""
    folder = tmp_path_factory.mktemp("presets")
    (folder / "past.om").write_text(past(int(time.time())))
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "past.om", "data"]
    subprocess.run(command, check=True, capture_output=True, timeout=120, cwd=folder)
    (folder / "prometheus.yml").write_text("{}\n")
    address = f"127.0.0.1:{free_ports(1)[0]}"
    process = Process(
        "prometheus",
        ["prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data", f"--web.listen-address={address}"],
        folder,
    )
    try:
        yield f"http://{address}"
    finally:
        process.stop(10.0)


@pytest.fixture
async def client(server: str) -> PrometheusClient:
    """Connected to it, once it answers."""
    client = PrometheusClient(server)
    deadline = time.monotonic() + 30
    while True:
        try:
            await client.instant("1")
            return client
        except Exception:
            if time.monotonic() > deadline:
                raise


EXPECTED: Mapping[str, Mapping[Arch, float]] = {
    "latency_p50": dict.fromkeys(Arch, 0.05),
    "latency_p95": dict.fromkeys(Arch, 0.095),
    "latency_p99": dict.fromkeys(Arch, 0.099),
    "error_rate": FAILING,
    "requests": RATES,
    # Used over requested: the second pod of the baseline is on the arm64 node.
    "cpu": {Arch.AMD64: 0.4 / 0.5, Arch.ARM64: 0.3 / 1.0},
    "throttling": {Arch.AMD64: 0.0, Arch.ARM64: 3.0 / 20.0},
    "rps_per_pod": {Arch.AMD64: 30.0, Arch.ARM64: 5.0},
}


async def test_every_preset_gives_the_number_that_is_right(client: PrometheusClient) -> None:
    wrong = {}
    asked = 0
    try:
        for name, signal in every().signals.items():
            if signal.measure:
                continue
            right = next(values for measure, values in EXPECTED.items() if name.endswith(measure))
            for arch in Arch:
                sample = await client.instant(signal.query_for(arch))
                asked += 1
                if sample.value != pytest.approx(right[arch], rel=0.01, abs=1e-9):
                    wrong[name, arch] = (sample.value, right[arch])
    finally:
        await client.aclose()
    assert not wrong
    assert asked == 2 * (4 * 5 + 3 + 1)


async def test_zero_is_zero_where_the_metric_is_and_no_data_where_it_is_not(client: PrometheusClient) -> None:
    half = {m: one(f"preset: http-histogram, of: {m}, labels: {{app: half}}", m).signals[m] for m in ("requests", "error_rate")}
    none = one("preset: http-histogram, labels: {app: nobody}").signals["requests"]
    mute = [s for s in every().signals.values() if s.preset in ("istio", "linkerd", "nginx-ingress")]
    try:
        assert (await client.instant(half["requests"].query_for(Arch.AMD64))).value == pytest.approx(5)
        assert (await client.instant(half["requests"].query_for(Arch.ARM64))).value == 0
        assert (await client.instant(half["error_rate"].query_for(Arch.AMD64))).value == 0
        silent = [half["error_rate"].query_for(Arch.ARM64), *(none.query_for(arch) for arch in Arch)]
        silent += [s.query_for(arch).replace('="payments"', '="elsewhere"') for s in mute for arch in Arch]
        for query in silent:
            with pytest.raises(NoData):
                await client.instant(query)
    finally:
        await client.aclose()


def test_promtool_finds_nothing_wrong_with_any_query(tmp_path: Path) -> None:
    rules = [
        {"record": f"{name}:{arch}", "expr": signal.query_for(arch)}
        for name, signal in every().signals.items()
        if not signal.measure
        for arch in Arch
    ]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "presets", "rules": rules}]}))
    checked = subprocess.run(
        ["promtool", "check", "rules", "rules.yml"], capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert f"SUCCESS: {len(rules)} rules found" in checked.stdout
