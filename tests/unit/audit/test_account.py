"""Which account's AWS surfaces the audit of a run may look at."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from cockpit.assembly.observed import audits
from cockpit.assembly.servers import Connections
from cockpit.audit import survey
from cockpit.audit.ask import Ask
from cockpit.clock import ManualClock
from cockpit.connections.kube import KubeClient
from cockpit.model.audit import Audit
from cockpit.playbook import loads
from cockpit.store import Store, drive
from tests.unit.playbook.base import BASE

BALANCER = '    account: "111122223333"\n'
GATE = "portability: {{require: waived_ok, aws: {{rds: {{names: [ledger]}}{more}}}}}\n"
PINNED = "999988887777"


@pytest.mark.parametrize(
    ("text", "pinned", "expected"),
    [
        (BASE.replace(BALANCER, "") + GATE.format(more=""), PINNED, PINNED),
        (BASE.replace(BALANCER, "") + GATE.format(more=""), "", None),
        (BASE.replace(BALANCER, "") + GATE.format(more=', account: "444455556666"'), PINNED, "444455556666"),
        (BASE + GATE.format(more=""), PINNED, "111122223333"),
    ],
)
async def test_it_is_the_playbooks_or_else_the_one_that_the_run_is_pinned_to(
    text: str, pinned: str, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: asyncio.Future[Ask] = asyncio.get_running_loop().create_future()

    async def surveyed(ask: Ask, *_: object) -> Audit:
        asked.set_result(ask)
        return Audit()

    monkeypatch.setattr(survey, "survey", surveyed)
    clock, servers = ManualClock(), Connections()
    servers.kube = cast(KubeClient, object())
    source = audits(loads(text, "pay.yaml"), servers, clock, pinned)
    assert source is not None
    task = asyncio.create_task(drive(source, Store(clock)))
    try:
        ask = await asyncio.wait_for(asked, 10)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        servers.kube = None
        await servers.aclose()
    assert ask.playbook is not None and ask.playbook.portability.aws is not None
    assert ask.playbook.portability.aws.account == expected
