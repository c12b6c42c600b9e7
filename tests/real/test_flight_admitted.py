"""A whole flight as the shipped service account, with the shipped roles and under the shipped admission policies."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import yaml

from cockpit.rehearsal.aws import Account
from tests.real.api import Api, Refusal, path, until
from tests.real.flights import AFFINITY, OPERATOR, Bench, assert_ended, bench, load_balancer, shipped
from tests.real.plane import Plane

ACCOUNT = "cockpit-operator"
WORKER = "ledger-worker"


@pytest.fixture(scope="module")
def token(plane: Plane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The service account's, once both manifests are in force."""
    folder = tmp_path_factory.mktemp("admitted")
    files = []
    for name in ("operator", "admission"):
        files.append(folder / f"{name}.yaml")
        files[-1].write_text(shipped(name, AFFINITY))
    _kubectl(plane, "apply", files)
    try:
        found = _token(plane)
        with Api(plane.server, plane.files.path("ca.crt"), found) as operator:
            until("roles and policies are in force", lambda: _refused_by_policy(operator), 60)
        yield found
    finally:
        _kubectl(plane, "delete", files)


def _token(plane: Plane) -> str:
    where = f"/api/v1/namespaces/payments/serviceaccounts/{ACCOUNT}/token"

    def asked() -> str:
        try:
            return str(plane.admin.ask("POST", where, {"spec": {}})["status"]["token"])
        except Refusal as refusal:
            if refusal.code != 404:
                raise
            return ""

    return str(until("the service account", asked, 60))


def _kubectl(plane: Plane, verb: str, files: list[Path]) -> None:
    words = [word for file in files for word in ("-f", str(file))]
    done = subprocess.run([*plane.kubectl, verb, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _refused_by_policy(operator: Api) -> bool:
    """A change of anything but the affinity is let through by the role, and refused by the policy."""
    try:
        operator.ask(
            "PATCH",
            f"{path('deployments', 'payments', WORKER)}?dryRun=All",
            {"spec": {"paused": True}},
            headers={"Content-Type": "application/merge-patch+json"},
        )
    except Refusal as refusal:
        return "ValidatingAdmissionPolicy 'cutover-cockpit-deployments'" in str(refusal)
    return False


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with load_balancer() as account:
        yield account


@pytest.fixture
async def admitted(plane: Plane, token: str, account: Account, tmp_path: Path) -> AsyncIterator[Bench]:
    config = tmp_path / "kubeconfig"
    config.touch(mode=0o600)
    authority = base64.b64encode(plane.files.certificates.authority).decode()
    config.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "c", "cluster": {"server": plane.server, "certificate-authority-data": authority}}],
                "users": [{"name": "u", "user": {"token": token}}],
                "contexts": [{"name": f"rehearsal-{OPERATOR}", "context": {"cluster": "c", "user": "u"}}],
            }
        )
    )
    async with bench(plane, account, AFFINITY, tmp_path, config) as made:
        yield made


async def test_flown_to_its_end_and_taken_back(plane: Plane, admitted: Bench) -> None:
    who = f"system:serviceaccount:payments:{ACCOUNT}"
    plane.admin.delete("configmaps", "payments", f"cutover-cockpit-{WORKER}")  # another flight's record would be updated
    before, seen = admitted.as_it_is(), len(plane.audit([who]))
    flown = await admitted.fly("--autopilot")
    assert_ended(flown, 0, "completed")
    assert [e["phase"] for e in flown.of("write_done")] == ["prefer-arm64", "require-arm64"]
    back = await admitted.roll_back()
    assert_ended(back, 0, "rolled_back")
    assert admitted.as_it_is() == before

    asked = plane.audit([who])[seen:]
    assert [e["requestURI"] for e in asked if e["responseStatus"]["code"] in (401, 403, 422)] == []
    kept = {
        (e["verb"], e["objectRef"]["resource"])
        for e in asked
        if not e["objectRef"]["resource"].startswith("selfsubject") and e["responseStatus"]["code"] < 300
    }
    # Each verb of the operator's own that changes something was used, and no other.
    assert kept == {
        ("patch", "deployments"),
        ("create", "leases"),
        ("update", "leases"),
        ("delete", "leases"),
        ("create", "configmaps"),
        ("update", "configmaps"),
    }
    taken = [
        e["requestObject"]["metadata"].get("annotations", {})
        for e in asked
        if e["objectRef"].get("resource") == "leases" and e["verb"] == "create"
    ]
    assert who in {notes.get("cutover-cockpit.dev/user") for notes in taken}
