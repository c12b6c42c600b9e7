"""The commands that know of programs, from outside, against the embedded world."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cockpit.connections.kube import KubeClient
from cockpit.controls.document import Document
from cockpit.rehearsal.client import Ready, World
from cockpit.run.state import Stage
from tests.contract.shell import SHORT, Said, Shell, shell_of
from tests.contract.test_program import WAIVER, program, record


@pytest.fixture(scope="module")
def ready() -> Iterator[Ready]:
    with World.spawn(SHORT, speed=20.0) as world:
        yield world.wait_ready()


@pytest.fixture
def desk(ready: Ready, tmp_path: Path) -> Shell:
    for name in ("first", "second"):
        (tmp_path / f"{name}.yaml").write_text(ready.playbook.read_text().replace("name: short", f"name: {name}", 1))
    program(tmp_path)
    return shell_of(ready, tmp_path)


async def keep(ready: Ready, name: str, stage: Stage | None) -> None:
    """Put a run's record into the world, or take it away."""
    kube = await KubeClient.connect("rehearsal", ready.kubeconfig)
    try:
        document = Document(kube, "payments", name)
        there = await document.read()
        if stage is not None:
            kept = replace(record(name, stage, "require-arm64"), playbook=name)
            await document.write(kept.as_texts(), there)
        elif there:
            await kube.delete(f"/api/v1/namespaces/payments/configmaps/{document.name}", {})
    finally:
        await kube.aclose()


@pytest.fixture
def first_completed(ready: Ready) -> Iterator[None]:
    asyncio.run(keep(ready, "first", Stage.COMPLETED))
    yield
    asyncio.run(keep(ready, "first", None))


FLY = ("--headless", "--give-up-after", "1")


def events(said: Said) -> list[dict[str, object]]:
    return [json.loads(line) for line in said.out.splitlines()]


def test_a_run_is_refused_before_what_it_depends_on(desk: Shell) -> None:
    said = desk("run", "second.yaml", *FLY)
    assert (said.code, said.out) == (3, "")
    assert "second must not start yet: in program.yaml its tier stateless comes after\n  dev: first is not begun\n" in said.err
    assert "waive" in said.err
    # What only looks may be done at any time.
    assert '"run_started"' in desk("run", "second.yaml", *FLY, "--observe").out


def test_a_waiver_lets_it_start_and_is_recorded(desk: Shell) -> None:
    program(desk.home, WAIVER.replace("2026", "2099"))
    said = desk("run", "second.yaml", *FLY)
    assert said.code == 1, said.err  # nobody is there to promote
    (used,) = [one for one in events(said) if one.get("gate") == "program"]
    assert (
        used["message"]
        == "program: started early on 1 waiver: stateless before dev, by team-dev until 2099-12-31: dev is rebuilt"
    )
    assert used["waivers"] == [
        {"tier": "stateless", "before": "dev", "reason": "dev is rebuilt", "owner": "team-dev", "expires": "2099-12-31"}
    ]


def test_another_program_can_be_named_and_must_list_it(desk: Shell) -> None:
    (desk.home / "program.yaml").rename(desk.home / "estate.yaml")
    assert desk("run", "second.yaml", *FLY, "--program", "estate.yaml").code == 3
    (desk.home / "third.yaml").write_text((desk.home / "first.yaml").read_text())
    said = desk("run", "third.yaml", *FLY, "--program", "estate.yaml")
    assert (said.code, "does not list third.yaml" in said.err) == (2, True)


def test_a_program_with_faults_lets_nothing_start(desk: Shell) -> None:
    program(desk.home, "waivers:\n  - {tier: none}\n")
    said = desk("run", "first.yaml", *FLY)
    assert said.code == 2
    assert "program.yaml:8:12: waivers[0].tier: there is no tier" in said.err


@pytest.mark.usefixtures("first_completed")
def test_home_shows_the_board_as_text(desk: Shell) -> None:
    program(desk.home, WAIVER.replace("2026", "2099"))
    said = desk()
    assert said.code == 0
    rows = [line.split() for line in said.out.splitlines()]
    assert ["dev", "first", "completed", "not", "audited", "-"] in rows
    assert ["stateless", "second", "not", "begun", "not", "audited", "-", "cockpit", "audit", "second"] in rows
    assert "rehearsal" in said.out
    assert "graviton" not in said.out  # one's own program takes the place of the bundled one


def test_home_says_what_is_wrong_with_a_program(desk: Shell) -> None:
    program(desk.home, "waivers: 3\n")
    said = desk()
    assert said.code == 0
    assert "cockpit: program.yaml:7:10: waivers: a list is due here" in said.out


def test_validate_takes_a_program_and_its_playbooks(desk: Shell) -> None:
    assert desk("validate", "program.yaml").out == "program.yaml: valid: program estate, 2 tiers\n"
    (desk.home / "second.yaml").write_text("kind: x\n")
    said = desk("validate", "program.yaml")
    assert said.code == 2
    assert "second.yaml:1:7: kind:" in said.err
    assert json.loads(desk("schema", "--program").out)["title"] == "Cutover Cockpit program"
