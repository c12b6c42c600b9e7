"""Programs against API servers over sockets: how playbooks stand, who may start, and what the commands say of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from aiohttp import web

from cockpit.errors import Refused
from cockpit.model.plan import Write
from cockpit.model.program import EarlyStart, Position, Standing, Word
from cockpit.program.asking import Memory, positions
from cockpit.program.start import may_start, program_for
from cockpit.run.shared.intent import Intent
from cockpit.run.shared.record import Record
from cockpit.run.state import Hold, HoldBy, RunState, Stage
from tests.contract.small_api import kubeconfig, serving, status
from tests.unit.playbook.base import BASE

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
DAY = NOW.date()
LAST = "require-arm64"
"""The last phase of BASE."""


def record(name: str, stage: Stage, phase: str = LAST, held: bool = False) -> Record:
    hold = Hold(HoldBy.OPERATOR, "lunch", NOW) if held else None
    return Record(RunState(f"{name}-1", stage, 0, hold, stage_at=NOW), name, "f" * 64, phase, 1, "ana@bastion")


@dataclass
class Cluster:
    """An API server that has ConfigMaps and Leases by name, and nothing else."""

    texts: dict[str, Mapping[str, str]] = field(default_factory=dict)
    holders: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def has(self, name: str, kept: Record, holder: str = "") -> None:
        self.texts[f"cutover-cockpit-{name}"] = kept.as_texts()
        if holder:
            self.holders[f"cutover-cockpit-{name}"] = holder

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.append(f"{request.method} {request.path}")
        kind, name = request.path.split("/")[-2:]
        meta = {"name": name, "uid": "u", "resourceVersion": "1"}
        if kind == "configmaps" and name in self.texts:
            return web.json_response({"kind": "ConfigMap", "metadata": meta, "data": dict(self.texts[name])})
        if kind == "leases" and name in self.holders:
            return web.json_response({"kind": "Lease", "metadata": meta, "spec": {"holderIdentity": self.holders[name]}})
        return status(404, "NotFound", f"{name} not found")


@dataclass(frozen=True)
class Told:
    """A past run as a journal has it."""

    outcome: str
    phase: str = "canary"
    operator: str = "bo@laptop"


def remembering(told: Told) -> Memory:
    """A machine that has this past of every playbook."""
    return Memory(lambda _name, _context: told)


def playbook(folder: Path, name: str, context: str = "here") -> str:
    path = folder / f"{name}.yaml"
    path.write_text(BASE.replace("name: payments", f"name: {name}", 1).replace("context: staging", f"context: {context}", 1))
    return str(path)


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


async def ask(
    cluster: Cluster, folder: Path, monkeypatch: pytest.MonkeyPatch, files: list[str], memory: Memory
) -> list[Position]:
    async with serving(cluster.handle) as url:
        monkeypatch.setenv("KUBECONFIG", str(kubeconfig(folder, url)))
        found = await positions(files, memory)
    return [found[file] for file in files]


@pytest.mark.parametrize(
    ("kept", "standing"),
    [
        (None, Standing.NOT_BEGUN),
        (record("api", Stage.READY), Standing.UNDER_WAY),
        (record("api", Stage.SOAKING), Standing.UNDER_WAY),
        (record("api", Stage.SOAKING, held=True), Standing.HELD),
        (record("api", Stage.ROLLING_BACK), Standing.UNDER_WAY),
        (record("api", Stage.ROLLED_BACK), Standing.ROLLED_BACK),
        (record("api", Stage.FAILED), Standing.FAILED),
        (record("api", Stage.COMPLETED), Standing.COMPLETED),
        (record("api", Stage.COMPLETED, "an-older-last-phase"), Standing.UNKNOWN),
        (record("api", Stage.COMPLETED).intending(Intent("i", Write("weights", "x", {}, {}, {}, {}))), Standing.HELD),
    ],
)
async def test_the_clusters_record_says_how_a_playbook_stands(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: Record | None, standing: Standing
) -> None:
    if kept:
        cluster.has("api", kept, "ana@bastion/1a2b")
    memory = Memory(lambda _name, _context: Told("completed"), lambda _name, _context: "green")
    (found,) = await ask(cluster, tmp_path, monkeypatch, [playbook(tmp_path, "api")], memory)
    assert (found.standing, found.word, found.colour) == (standing, Word.CLUSTER, "green"), found
    assert found.who == ("ana@bastion" if kept else "")
    assert {verb.split()[0] for verb in cluster.asked} == {"GET"}


@pytest.mark.parametrize(
    "texts",
    [{"record.json": "{"}, {"record.json": "[" * 100_000}, {**record("api", Stage.COMPLETED).as_texts(), "stage": "done"}],
)
async def test_a_damaged_record_is_unknown(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, texts: Mapping[str, str]
) -> None:
    cluster.texts["cutover-cockpit-api"] = texts
    (found,) = await ask(cluster, tmp_path, monkeypatch, [playbook(tmp_path, "api")], Memory())
    assert found.standing is Standing.UNKNOWN
    assert found.why


async def test_what_cannot_be_asked_is_told_from_history_or_unknown(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [playbook(tmp_path, "gone", "nowhere"), playbook(tmp_path, "remembered", "nowhere"), str(tmp_path / "absent.yaml")]
    memory = Memory(lambda name, _: Told("completed") if name == "remembered" else None)
    gone, remembered, absent = await ask(cluster, tmp_path, monkeypatch, files, memory)
    assert (gone.standing, gone.why) == (Standing.UNKNOWN, "the kubeconfig has no context nowhere")
    assert (remembered.standing, remembered.word, remembered.who) == (Standing.COMPLETED, Word.HISTORY, "bo@laptop")
    assert not remembered.proven
    assert "does not exist" in absent.why
    assert cluster.asked == []


async def test_a_server_that_is_down_leaves_it_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(Cluster().handle) as url:
        pass
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path, url)))
    file = playbook(tmp_path, "api")
    found = (await positions([file]))[file]
    assert found.standing is Standing.UNKNOWN
    assert "connection refused" in found.why


async def test_two_playbooks_of_one_run_are_not_mistaken_for_each_other(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.has("api", record("api", Stage.COMPLETED))
    (tmp_path / "copies").mkdir()
    files = [playbook(folder, "api") for folder in (tmp_path, tmp_path / "copies")]
    found = await ask(cluster, tmp_path, monkeypatch, files, Memory())
    assert {one.standing for one in found} == {Standing.UNKNOWN}
    assert "names the same run" in found[0].why


WAIVER = "waivers:\n  - {tier: stateless, before: dev, reason: dev is rebuilt, owner: team-dev, expires: 2026-12-31}\n"


def program(folder: Path, waivers: str = "") -> Path:
    """A program of two tiers, with the playbooks `first` and `second`."""
    path = folder / "program.yaml"
    path.write_text(
        "apiVersion: cockpit/v1\nkind: Program\nmetadata: {name: estate}\ntiers:\n"
        f"  - {{name: dev, playbooks: [first.yaml]}}\n  - {{name: stateless, playbooks: [second.yaml]}}\n{waivers}"
    )
    return path


async def start(
    cluster: Cluster, folder: Path, monkeypatch: pytest.MonkeyPatch, name: str = "second", waivers: str = "", today: date = DAY
) -> tuple[EarlyStart, ...]:
    """Ask to start a playbook on this cluster."""
    files = {one: Path(playbook(folder, one)) for one in ("first", "second")}
    program(folder, waivers)
    async with serving(cluster.handle) as url:
        monkeypatch.setenv("KUBECONFIG", str(kubeconfig(folder, url)))
        found = program_for(files[name], None)
        assert found
        return await may_start(*found, files[name], today, Memory(lambda _name, _context: Told("completed")))


async def test_the_first_tier_may_always_start(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await start(cluster, tmp_path, monkeypatch, "first") == ()


@pytest.mark.parametrize("stage", [None, *(stage for stage in Stage if stage is not Stage.COMPLETED)])
async def test_only_a_completed_run_lets_the_next_tier_start(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: Stage | None
) -> None:
    if stage:
        cluster.has("first", record("first", stage))
    with pytest.raises(Refused, match="second must not start yet"):
        await start(cluster, tmp_path, monkeypatch)
    (waiver,) = await start(cluster, tmp_path, monkeypatch, waivers=WAIVER)
    assert waiver.owner == "team-dev"
    with pytest.raises(Refused, match="its waiver expired on 2026-12-31"):
        await start(cluster, tmp_path, monkeypatch, waivers=WAIVER, today=date(2027, 1, 1))
    cluster.has("first", record("first", Stage.COMPLETED))
    assert await start(cluster, tmp_path, monkeypatch, waivers=WAIVER) == ()


@pytest.mark.parametrize("stage", [Stage.SETTING, Stage.SOAKING, Stage.ROLLING_BACK, Stage.FAILED])
async def test_a_run_that_has_begun_may_always_be_gone_on_with(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: Stage
) -> None:
    cluster.has("second", record("second", stage))
    assert await start(cluster, tmp_path, monkeypatch) == ()


async def test_what_this_machine_remembers_starts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [Path(playbook(tmp_path, one, "nowhere")) for one in ("first", "second")]
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path, "http://127.0.0.1:1")))
    found = program_for(files[1], program(tmp_path))
    assert found
    with pytest.raises(Refused, match="complete by this machine's history alone"):
        await may_start(*found, files[1], DAY, Memory(lambda _name, _context: Told("completed")))
    for outcome in ("", "held", "failed"):
        with pytest.raises(Refused, match="second must not start yet"):
            await may_start(*found, files[1], DAY, remembering(Told(outcome)))
