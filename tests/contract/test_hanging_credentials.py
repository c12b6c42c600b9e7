"""A credential program that never ends holds up its own lever, and that not for ever."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cockpit.assembly import Options, connect, servers
from tests.unit.playbook.base import BASE

KUBECONFIG = """
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:9"}}]
users: [{name: u, user: {token: t}}]
contexts: [{name: staging, context: {cluster: c, user: u}}]
"""
LEAVING = """
import asyncio, sys
from pathlib import Path
from cockpit.assembly import Options, connect, servers
from cockpit.playbook.loader import load
servers.OPENING_SECONDS = 0.2
async def main():
    found = await connect(load(Path(sys.argv[1])), Options(going_home=True))
    print(sorted(found.failures), found.kube is not None)
    await found.aclose()
asyncio.run(main())
"""


@pytest.fixture
def hanging(tmp_path: Path) -> dict[str, str]:
    """An environment in which AWS credentials come from a program that never ends."""
    (tmp_path / "aws").write_text("[default]\ncredential_process = sleep 300\n")
    (tmp_path / "kubeconfig").write_text(KUBECONFIG)
    (tmp_path / "playbook.yaml").write_text(BASE)
    mine = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    given = {"AWS_CONFIG_FILE": "aws", "AWS_SHARED_CREDENTIALS_FILE": "none", "KUBECONFIG": "kubeconfig", "COCKPIT_HOME": "home"}
    return mine | {"AWS_EC2_METADATA_DISABLED": "true"} | {name: str(tmp_path / file) for name, file in given.items()}


def test_the_way_home_goes_on_without_it_and_the_process_ends(hanging: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "-c", LEAVING, str(tmp_path / "playbook.yaml")]
    done = subprocess.run(command, env=hanging, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "['weights'] True\n"


async def test_it_says_what_hangs(hanging: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cockpit.playbook.loader import load

    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in hanging.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(servers, "OPENING_SECONDS", 0.2)
    found = await connect(load(tmp_path / "playbook.yaml"), Options(going_home=True))
    await found.aclose()
    assert "credential_process" in str(found.failures["weights"])
