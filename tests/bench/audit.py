"""The portability audit beside what people do by hand: a shell loop of kubectl and `skopeo inspect --raw` over the same images.

Both look at the same 40 workloads and 12 DaemonSets on a real control plane, with their images in one real registry. The loop
prints each image's manifest and judges nothing; the audit is a whole process of `cockpit audit`, which also reads every
configuration, looks for every layer, has each pod admitted in a dry run, and gives the matrix.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import yaml

from tests.bench import peers
from tests.bench.figures import Row, Sample
from tests.real import build
from tests.real.audited import NAMESPACE, Audited, audited
from tests.real.content import populate, wait_rolled_out
from tests.real.plane import Plane

PATIENCE = 600.0
FASTER = 1.0
KINDS = ("deployments", "statefulsets", "replicasets", "jobs", "cronjobs", "pods")
LOOP = """
set -eu
{
  for kind in $KINDS; do $KUBECTL -n $NAMESPACE get $kind -o jsonpath='{..image}'; echo; done
  $KUBECTL get daemonsets -A -o jsonpath='{..image}'; echo
} | tr ' ' '\\n' | grep / | grep -v @sha256 | sed "s#^[a-z][^/]*/#$REGISTRY/#" | sort -u | while read -r image; do
  skopeo inspect --raw --tls-verify=false "docker://$image" > manifest 2> said && echo "$image" >> asked || true
done
"""


def measure(runs: int) -> Iterator[Row]:
    """One row; without one of the tools, or the plane, it says which."""
    name = "audit 40 workloads and 12 DaemonSets"
    binaries = build.built()
    if binaries is None or not shutil.which("docker-registry"):
        yield Row(name, "s", missing="no real control plane (make real), or no docker-registry on the PATH")
        return
    missing = "" if shutil.which("skopeo") else "no skopeo on the PATH"
    with tempfile.TemporaryDirectory(prefix="bench-") as text:
        folder = Path(text)
        (folder / "plane").mkdir(mode=0o700)
        with Plane(binaries, folder / "plane") as plane:
            populate(plane.admin)
            wait_rolled_out(plane.admin)
            with audited(plane, folder) as ground:
                yield _row(name, ground, folder, runs, missing)


def _row(name: str, ground: Audited, folder: Path, runs: int, missing: str) -> Row:
    (folder / "playbook.yaml").write_text(yaml.safe_dump(_playbook(ground)))
    ours, theirs = [], []
    for _ in range(runs + 1):  # the first of each warms the page cache; in turn, so that other work weighs on both alike
        ours.append(_cockpit(ground, folder))
        if not missing:
            theirs.append(_loop(ground, folder))
    peer = Sample(tuple(theirs[1:])) if theirs else None
    note = f"{len(ground.references)} images pushed; the loop only prints their manifests"
    return Row(name, "s", Sample(tuple(ours[1:])), peer, "kubectl + skopeo", None, FASTER, note, missing)


def _environment(ground: Audited, folder: Path) -> dict[str, str]:
    return {**os.environ, "KUBECONFIG": str(ground.plane.kubeconfig), "HOME": str(folder), "DOCKER_CONFIG": str(folder)}


def _cockpit(ground: Audited, folder: Path) -> float:
    command = [sys.executable, "-m", "cockpit", "audit", "playbook.yaml", "--json", "--output", "audit.json"]
    environment = _environment(ground, folder) | {"PYTHONPATH": str(peers.ROOT)}
    began = time.monotonic()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)
    took = time.monotonic() - began
    if done.returncode != 1:
        raise RuntimeError(f"cockpit audit ended with {done.returncode}: {done.stderr[-500:]}")
    found = {row["component"] for row in json.loads((folder / "audit.json").read_text())["rows"] if row["mark"] in _RED}
    if found != set(ground.red):
        raise RuntimeError(f"the audit did not find what was planted: {sorted(found ^ set(ground.red))}")
    return took


_RED = ("FIX", "GATE", "UNKNOWN")


def _loop(ground: Audited, folder: Path) -> float:
    (folder / "asked").write_text("")
    variables = {
        "KINDS": " ".join(KINDS),
        "KUBECTL": str(ground.plane.binaries / "kubectl"),
        "NAMESPACE": NAMESPACE,
        "REGISTRY": ground.registry.host,
    }
    environment = _environment(ground, folder) | variables
    began = time.monotonic()
    subprocess.run(["sh", "-c", LOOP], cwd=folder, env=environment, check=True, timeout=PATIENCE)
    took = time.monotonic() - began
    lacking = ground.references - set((folder / "asked").read_text().split())
    used = {reference for reference in lacking if "/team/" in reference or "/old/" in reference}
    if used:
        raise RuntimeError(f"the loop did not see {sorted(used)}")
    return took


def _playbook(ground: Audited) -> dict[str, object]:
    """The ground's playbook as a file."""
    made = ground.playbook
    agents: list[dict[str, object]] = []
    for agent in made.agents:
        entry: dict[str, object] = {"daemonset": f"{agent.daemonset.namespace}/{agent.daemonset.name}"}
        if agent.certified_images:
            day = agent.signed_off_on.isoformat() if agent.signed_off_on else ""
            entry["certified"] = {"images": list(agent.certified_images), "signed_off_by": agent.signed_off_by, "on": day}
        agents.append(entry)
    affinity = {"workload": "baseline", "mode": "required", "arch": "arm64"}
    gates: list[dict[str, object]] = [{"rollback": "ready"}]
    return {
        "apiVersion": "cockpit/v1",
        "kind": "Playbook",
        "metadata": {"name": "audited"},
        "target": {
            "context": "rehearsal",
            "namespace": NAMESPACE,
            "from": "amd64",
            "to": "arm64",
            "workloads": {"baseline": f"deployment/{made.target.baseline.name}"},
        },
        "agents": agents,
        "registries": {host: {"endpoint": url} for host, url in made.registries.items()},
        "phases": [{"name": "move", "set": {"affinity": affinity}, "soak": "5m", "gates": gates, "promote": "manual"}],
    }
