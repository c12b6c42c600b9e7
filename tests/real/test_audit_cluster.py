"""The audit on the real control plane: 40 workloads, 12 DaemonSets, a real registry. It finds what was planted, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cockpit.audit.ask import Ask, Scope, Servers
from cockpit.audit.survey import survey
from cockpit.connections.kube import KubeClient
from cockpit.model.audit import Audit, Mark
from tests.real.audited import DAY, NAMESPACE, Audited, audited
from tests.real.plane import Plane


@pytest.fixture(scope="module")
def ground(plane: Plane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audited]:
    with audited(plane, tmp_path_factory.mktemp("audited")) as made:
        yield made


@pytest.fixture(autouse=True)
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))


async def _audit(ground: Audited, context: str = "rehearsal", scope: Scope = Scope.TARGET) -> Audit:
    kube = await KubeClient.connect(context, ground.plane.kubeconfig)
    kube.read_only = "an audit only looks"
    try:
        return await survey(Ask(DAY, ground.playbook, scope), Servers(kube))
    finally:
        await kube.aclose()


@pytest.mark.parametrize("scope", [Scope.TARGET, Scope.EVERYTHING])
async def test_every_planted_blocker_is_found_and_nothing_else(ground: Audited, scope: Scope) -> None:
    audit = await _audit(ground, scope=scope)
    assert audit.faults == ()
    assert {row.component: row.mark for row in audit.red()} == ground.red
    rows = {row.component: row for row in audit.rows}
    mesh = rows[f"image/{ground.registry.host}/mesh/proxy:1"]
    assert mesh.used_by == (f"deployment/{NAMESPACE}/meshed, injected container proxy",)
    debug = rows[f"image/{ground.registry.host}/old/debug:1"]
    assert debug.used_by == (f"pod/{NAMESPACE}/plain, ephemeral container debug",)
    own = [c for c in rows if c.startswith("scheduling/") and f"/{NAMESPACE}/" in c and "poddisruption" not in c]
    assert len(own) == ground.workloads
    assert len([c for c in rows if c.startswith(f"agent/{NAMESPACE}/")]) == ground.daemonsets + 1
    assert rows["topology/cluster"].mark is Mark.PASS and rows["topology/cluster"].status == "mixed x86 and Arm workers"


async def test_nothing_is_written_but_dry_runs(ground: Audited) -> None:
    before = len(ground.plane.audit())
    await _audit(ground)
    written = ground.plane.audit()[before:]
    assert written and {(e["verb"], e["objectRef"]["resource"], "dryRun=All" in e["requestURI"]) for e in written} == {
        ("create", "pods", True)
    }


async def test_who_may_see_nothing_gets_faults_and_no_green(ground: Audited) -> None:
    audit = await _audit(ground, "rehearsal-nobody")
    assert not audit.clear and not list(audit.rows)[1:]
    assert any(fault.startswith("DaemonSets of all namespaces could not be listed: not allowed") for fault in audit.faults)
