"""The embedded CloudWatch, asked through the real client and source."""

from __future__ import annotations

from dataclasses import replace

import pytest
from aiohttp import web

from cockpit.clock import ManualClock
from cockpit.connections.cloudwatch import CloudWatchClient
from cockpit.model.arch import Arch
from cockpit.model.series import Series
from cockpit.model.signal import ARCH_PLACE
from cockpit.playbook import loads
from cockpit.rehearsal.cloudwatch import TARGET, CloudWatchModel
from cockpit.rehearsal.windows import Measured, Windows
from cockpit.sources.base import Kind
from cockpit.sources.cloudwatch import CloudWatchSource
from tests.contract.small_api import serving
from tests.contract.test_source_cloudwatch import GROUPS
from tests.unit.playbook.preset_cases import text

PLAYBOOK = loads(text("    latency_p50: {preset: alb}\n    error_rate: {preset: alb}\n    requests: {preset: alb}\n"), "p.yaml")
FIRST = -1800


def model(clock: ManualClock) -> CloudWatchModel:
    """amd64 serves 30 req/s and never fails; arm64 serves 10, a tenth of them badly, but nothing in its last ten minutes."""
    windows = {arch: Windows(FIRST) for arch in Arch}
    for step in range(FIRST, 60):
        windows[Arch.AMD64].add(Measured(30.0, 0.0, 0.1))
        windows[Arch.ARM64].add(Measured(10.0, 1.0, 0.2) if step < -600 else Measured())
    return CloudWatchModel({group: arch for arch, group in GROUPS.items()}, windows, clock.start, clock.monotonic)


async def test_the_model_s_traffic_is_seen_as_the_load_balancer_would_report_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, "testing")
    clock = ManualClock()
    answers = model(clock)

    async def handle(request: web.Request) -> web.StreamResponse:
        assert request.headers["X-Amz-Target"] == TARGET
        return web.Response(text=answers.answer(await request.read()), content_type="application/x-amz-json-1.0")

    assert PLAYBOOK.cloudwatch
    found: dict[object, Series] = {}
    async with serving(handle) as url:
        client = await CloudWatchClient.connect(replace(PLAYBOOK.cloudwatch, endpoint_url=url))
        stream = CloudWatchSource(client, PLAYBOOK.cloudwatch, PLAYBOOK.signals, clock).observe()
        async for observation in stream:
            if observation.kind is Kind.LISTED:
                break
            assert isinstance(observation.value, Series)
            found[observation.key] = observation.value
        await stream.aclose()
        client.close()
    amd, arm = ({name: found[name, arch] for name in PLAYBOOK.signals} for arch in (Arch.AMD64, Arch.ARM64))
    assert {s.value for s in amd["requests"].samples} == {30.0}
    assert {s.value for s in amd["error_rate"].samples} == {0.0}
    assert {round(s.value, 6) for s in amd["latency_p50"].samples} == {0.031}
    assert not amd["requests"].error
    assert {s.value for s in arm["error_rate"].samples} == {0.1}
    assert arm["requests"].error_is_no_data
    assert max(s.time for s in arm["requests"].samples) < clock.start
    assert all(ARCH_PLACE not in signal.query for signal in PLAYBOOK.signals.values())
