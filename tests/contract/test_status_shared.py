"""`cockpit status` while others fly: it tells of the run and of the controls, as text and as JSON, and asks to change nothing."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cockpit.settings import operator
from tests.contract.crowd_bench import Crowd, follows, opened, soaking, until
from tests.contract.shell import Shell
from tests.fuzz.front import fronted

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@pytest.fixture
async def crowd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Crowd]:
    async with opened(tmp_path, monkeypatch) as made:
        yield made


async def status(crowd: Crowd, folder: Path) -> tuple[str, dict[str, dict[str, object]]]:
    """What it says as text and as JSON, through fronts that see whatever it asks for."""
    await asyncio.to_thread(folder.mkdir, 0o700)
    async with fronted(crowd.ready, folder) as fronts:
        environment = {"PATH": os.environ["PATH"], "KUBECONFIG": str(fronts.kubeconfig), **crowd.ready.env}
        shell = Shell(folder, environment, fronts.playbook)
        words = ("status", str(fronts.playbook))
        text, facts = await asyncio.gather(asyncio.to_thread(shell, *words), asyncio.to_thread(shell, *words, "--json"))
        assert (text.code, facts.code) == (0, 0), text.err + facts.err
        assert fronts.seen["kube"]["GET"] > 0
        assert fronts.mutating == []
    return text.out, json.loads(facts.out)


async def test_it_tells_whose_run_it_is_and_who_watches(crowd: Crowd, tmp_path: Path) -> None:
    text, facts = await status(crowd, tmp_path / "before")
    assert facts["run"]["id"] is None
    assert facts["controls"]["holder"] is None
    assert facts["controls"]["why"] == ""
    assert "run          none\n" in text
    assert "controls     nobody\n" in text

    ana = await soaking(crowd)
    bob = await crowd.open("rehearsal-second")
    await follows(bob, ana)
    await until(ana, lambda: len(ana.seat.view().watchers) == 1)
    text, facts = await status(crowd, tmp_path / "mid-soak")
    run, controls = facts["run"], facts["controls"]
    assert (run["id"], run["stage"], run["epoch"], run["holder"]) == (ana.state.run, "soaking", 1, operator())
    assert (controls["holder"], controls["epoch"], controls["watching"]) == (operator(), 1, [operator()])
    assert STAMP.fullmatch(str(run["since"]))
    assert STAMP.fullmatch(str(controls["since"]))
    assert f"run          {run['id']}, since {run['since']}, stage soaking, epoch 1, holder {operator()}\n" in text
    assert f"controls     {operator()}, since {controls['since']}, epoch 1, watching {operator()}\n" in text

    assert ana.seat.hand_over("") == ""
    await until(ana, lambda: not ana.seat.view().mine)
    text, facts = await status(crowd, tmp_path / "handed-back")
    assert facts["controls"]["holder"] is None
    assert facts["run"]["id"] == ana.state.run
    assert f"controls     nobody, epoch 1, watching {operator()}, {operator()}\n" in text
