"""What the plane can do to itself: forget, restart, hang; and that nothing of it outlives its starter."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.real.api import path, until
from tests.real.content import wait_rolled_out
from tests.real.plane import API_SERVER, Plane
from tests.real.processes import exists

STARTER = """
import signal, sys
from pathlib import Path
from tests.real.processes import Process
print(Process("sleeper", ["sleep", "600"], Path(sys.argv[1])).pid, flush=True)
signal.pause()
"""


def test_a_forgetful_server_answers_gone(plane: Plane) -> None:
    api = plane.admin
    page = api.ask("GET", path("nodes"), params={"limit": "5"})["metadata"]
    # Both a change and a compaction are needed: the present version is never forgotten.
    api.create("configmaps", {"metadata": {"name": "passing", "namespace": "payments"}})
    api.delete("configmaps", "payments", "passing")
    plane.forget()

    listed = api.raw("GET", path("nodes"), params={"limit": "5", "continue": page["continue"]})
    assert (listed.status_code, listed.json()["reason"]) == (410, "Expired")
    assert listed.json()["metadata"]["continue"], "with a token for those who can live with an inconsistent rest"
    query = {"watch": "1", "resourceVersion": page["resourceVersion"], "timeoutSeconds": "5"}
    event = json.loads(api.raw("GET", path("nodes"), params=query).text.splitlines()[0])
    assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")


@pytest.mark.timeout(400)
def test_the_controllers_find_a_restarted_server_again(plane: Plane) -> None:
    wait_rolled_out(plane.admin)
    plane.restart(API_SERVER)
    pod = plane.admin.items("pods", "payments", labelSelector="app=ledger-worker")[0]["metadata"]
    plane.admin.delete("pods", "payments", pod["name"])
    until("another pod is ready in its place", lambda: _replaced(plane, pod["uid"]), 300)


def _replaced(plane: Plane, gone: str) -> bool:
    wanted = plane.admin.get("deployments", "payments", "ledger-worker")["spec"]["replicas"]
    pods = plane.admin.items("pods", "payments", labelSelector="app=ledger-worker")
    ready = [p for p in pods if any(c["type"] == "Ready" and c["status"] == "True" for c in p["status"].get("conditions", []))]
    return len(ready) == len(pods) == wanted and gone not in {p["metadata"]["uid"] for p in pods}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_nothing_outlives_a_starter_that_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", STARTER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        assert exists(pid)
        starter.send_signal(signal.SIGKILL)
    until("its child is gone too", lambda: not exists(pid), 10)
