"""Write by write: what the journal records of a flight, the API server's audit log and a stock kubectl tell alike."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cockpit.model.json import canonical
from cockpit.playbook.loader import load
from cockpit.preflight import optional, permissions
from cockpit.rehearsal.aws import Account
from tests.real.api import Obj, until
from tests.real.flights import AFFINITY, OPERATOR, WEIGHTS, Bench, assert_ended, bench, load_balancer, operator_may
from tests.real.kind.cluster import arches_of
from tests.real.plane import Plane
from tests.real.writes import AuditLog, assert_same_writes, journals, ours, recorded

WORKER = "ledger-worker"


@pytest.fixture(scope="module")
def account(plane: Plane) -> Iterator[Account]:
    """A load balancer, and the operator's permissions."""
    with operator_may(plane, AFFINITY), load_balancer() as account:
        yield account


@pytest.fixture
async def affinity(plane: Plane, account: Account, tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(plane, account, AFFINITY, tmp_path) as made:
        yield made


class Watcher:
    """`kubectl get deploy -w`."""

    def __init__(self, plane: Plane, output: Path) -> None:
        self._plane = plane
        self._output = output

    def seen(self) -> list[Obj]:
        """Every Deployment as it was printed, in order; the last one may be half printed."""
        text, found, at = self._output.read_text(), [], 0
        while at < len(text):
            try:
                event, at = json.JSONDecoder().raw_decode(text, at)
            except ValueError:
                break
            found.append(event["object"])
            at += len(text[at:]) - len(text[at:].lstrip())
        return found

    def bumps(self) -> list[tuple[str, Obj]]:
        """Each Deployment's name and spec wherever its generation grew, by one at a time."""
        known: dict[str, Obj] = {}
        found = []
        for deployment in self.seen():
            name, generation = deployment["metadata"]["name"], deployment["metadata"]["generation"]
            before = known.get(name, deployment)
            step = generation - before["metadata"]["generation"]
            assert step in (0, 1)
            if step:
                found.append((name, deployment))
            else:
                assert canonical(before["spec"]) == canonical(deployment["spec"])
            known[name] = deployment
        return found

    async def caught_up(self) -> None:
        """It has printed the newest of every Deployment."""
        wanted = {_version(item) for item in self._plane.admin.items("deployments", "payments")}
        what = "kubectl has seen the end"
        await asyncio.to_thread(until, what, lambda: wanted <= {_version(item) for item in self.seen()}, 20)


def _version(item: Obj) -> str:
    return str(item["metadata"]["resourceVersion"])


@contextmanager
def kubectl(plane: Plane, folder: Path) -> Iterator[Watcher]:
    """A stock kubectl that watches the Deployments of `payments`."""
    output = folder / "watched.json"
    words = ["-n", "payments", "get", "deploy", "-w", "-o", "json", "--output-watch-events"]
    with output.open("wb") as file, subprocess.Popen([*plane.kubectl, *words], stdout=file) as process:
        try:
            yield Watcher(plane, output)
        finally:
            process.terminate()


async def test_affinity_flown_and_taken_back_is_told_alike_by_journal_audit_log_and_kubectl(
    plane: Plane, affinity: Bench, tmp_path: Path
) -> None:
    audit, before = AuditLog(plane), affinity.as_it_is()
    with kubectl(plane, tmp_path) as watcher:
        await watcher.caught_up()
        flown = await affinity.fly("--autopilot")
        assert_ended(flown, 0, "completed")
        assert set(arches_of(plane.admin, WORKER)) == {"arm64"}
        back = await affinity.roll_back()
        assert_ended(back, 0, "rolled_back")
        await watcher.caught_up()
    assert affinity.as_it_is() == before
    assert "amd64" in arches_of(plane.admin, WORKER)

    assert_same_writes(affinity, audit.read())
    journal = recorded(affinity.home, "affinity")
    assert [_modes(w.intended["after"]) for w in journal] == [["preferred"], ["required"], []]
    assert [(f"deployment/{name}", ours(seen)) for name, seen in watcher.bumps()] == [
        (w.intended["target"], w.intended["after"]) for w in journal
    ]
    assert {_without_affinity(seen) for _, seen in watcher.bumps()} == {_without_affinity(json.loads(before[WORKER]))}


def _modes(part: Obj) -> list[str]:
    """In which ways a Deployment that has an affinity of its own asks for arm64."""
    node = part["affinity"]["nodeAffinity"]
    return sorted(key.removesuffix("DuringSchedulingIgnoredDuringExecution") for key in node if "arm64" in json.dumps(node[key]))


def _without_affinity(deployment: Obj) -> str:
    spec = json.loads(json.dumps(deployment["spec"]))
    spec["template"]["spec"].pop("affinity", None)
    return canonical(spec)


async def test_an_abort_is_told_alike_by_journal_and_audit_log(plane: Plane, affinity: Bench) -> None:
    audit, before = AuditLog(plane), affinity.as_it_is()

    async def errors() -> None:
        affinity.service.errors = 0.05

    flown = await affinity.fly("--autopilot", proven={"prefer-arm64": errors})
    assert_ended(flown, 1, "rolled_back")
    assert affinity.as_it_is() == before
    assert_same_writes(affinity, audit.read())
    assert_another_write_is_found(affinity, audit)
    told = [e["type"] for e in journals(affinity.home)]
    one = ["write_intended", "write_done"]
    assert [t for t in told if t in (*one, "abort_triggered")] == [*one, "abort_triggered", *one]


def assert_another_write_is_found(bench: Bench, audit: AuditLog) -> None:
    with bench.plane.api(OPERATOR) as behind_its_back:
        behind_its_back.merge("deployments", "payments", WORKER, {})
    with pytest.raises(AssertionError):
        assert_same_writes(bench, audit.read())


async def test_a_dry_run_asks_the_server_for_every_write_and_keeps_none(plane: Plane, affinity: Bench) -> None:
    audit, before = AuditLog(plane), affinity.as_it_is()
    generation = plane.admin.get("deployments", "payments", WORKER)["metadata"]["generation"]
    flown = await affinity.fly("--autopilot", "--dry-run")
    assert_ended(flown, 0, "completed")
    audited = audit.read()
    assert_same_writes(affinity, audited)
    assert len(audited.writes) == 2
    assert audited.controls == []
    assert all("dryRun=All" in entry["requestURI"] for entry in audited.writes)
    assert all(w.done["dry_run"] for w in recorded(affinity.home, "affinity"))
    assert affinity.as_it_is() == before
    assert plane.admin.get("deployments", "payments", WORKER)["metadata"]["generation"] == generation


@pytest.mark.parametrize("playbook", [WEIGHTS, AFFINITY], ids=lambda p: p.stem)
async def test_whoever_only_looks_changes_nothing(plane: Plane, account: Account, tmp_path: Path, playbook: Path) -> None:
    async with bench(plane, account, playbook, tmp_path) as made:
        audit, before = AuditLog(plane), made.as_it_is()
        asked = len(plane.audit([OPERATOR], mutating=False))
        watched = await made.fly("--observe", "--give-up-after", "3")
        assert_ended(watched, 1, "held")
        assert "read-only" in watched.last_words
        audited = audit.read()
        assert (audited.writes, audited.controls) == ([], [])
        # The preflight asks about every permission but that to write, and about each only once.
        flown = load(made.playbook)
        needed = [*permissions(flown, writes=False), *optional(flown, writes=False)]
        wanted = {(p.verb, p.resource, p.namespace) for p in needed}
        told = [e["requestObject"]["spec"]["resourceAttributes"] for e in audited.reviews]
        assert sorted((a["verb"], a["resource"], a.get("namespace", "")) for a in told) == sorted(wanted)
        for command in ("plan", "status"):
            assert await made.look(command)
        assert len(plane.audit([OPERATOR], mutating=False)) > asked + len(told), "the log has what was looked at"
        assert (audit.read().writes, audit.read().controls) == ([], [])
        assert made.calls == []
        assert made.as_it_is() == before
