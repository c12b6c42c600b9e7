"""`cockpit audit` against a served world, from outside."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from cockpit.rehearsal.client import Ready, World
from tests.contract.shell import SHORT, UNSAFE, Shell, shell_of

MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: report, namespace: payments}
spec:
  selector: {matchLabels: {app: report}}
  template:
    metadata: {labels: {app: report}}
    spec:
      nodeSelector: {kubernetes.io/arch: amd64}
      containers:
        - {name: report, image: "registry.example.com/payments/payments-api:2.14.0"}
"""
PINNED = "scheduling/deployment/payments/report"


@pytest.fixture(scope="module")
def ready() -> Iterator[Ready]:
    with World.spawn(SHORT, speed=20.0) as world:
        yield world.wait_ready()


@pytest.fixture
def shell(ready: Ready, tmp_path: Path) -> Shell:
    return shell_of(ready, tmp_path)


def gated(shell: Shell, require: str, expires: str = "2999-12-31") -> str:
    """The path of the playbook with a gate and a waiver for what the manifest brings."""
    waiver = f"{{component: {PINNED}, reason: a report of the old world, owner: ana, expires: {expires}}}"
    path = shell.home / "gated.yaml"
    path.write_text(f"{shell.playbook.read_text()}\nportability: {{require: {require}, waivers: [{waiver}]}}\n")
    return str(path)


def manifest(shell: Shell) -> str:
    path = shell.home / "report.yaml"
    path.write_text(MANIFEST)
    return str(path)


def test_a_world_without_a_blocker_is_green_and_fits(shell: Shell) -> None:
    said = shell("audit", str(shell.playbook))
    assert said.code == 0, said.out + said.err
    assert "✓ GREEN: " in said.out
    assert re.search(r"^✓ PASS +agent/security/edr-sensor", said.out, re.MULTILINE)
    assert max(map(len, said.out.splitlines())) <= 110
    assert not UNSAFE.search(said.out)
    assert "asking cluster https://127.0.0.1" in said.err
    assert "[2K" not in said.err, "a bar is for terminals"


def test_the_json_is_what_the_printed_schema_says(shell: Shell) -> None:
    described = json.loads(shell("schema", "--audit").out)
    said = shell("audit", str(shell.playbook), "--all-namespaces", "--json")
    assert said.code == 0, said.err
    told = json.loads(said.out)
    Draft202012Validator(described).validate(told)
    assert told["cluster"] == "rehearsal"
    assert told["playbook"]["name"] == "short"
    assert "scheduling/deployment/storefront/catalogue" in {row["component"] for row in told["rows"]}
    assert re.fullmatch(r"2026-11-22T\d\d:\d\d:\d\dZ", told["time"]), "the world's own clock"


@pytest.mark.parametrize(
    ("require", "expires", "code"), [("waived_ok", "2999-12-31", 0), ("green", "2999-12-31", 1), ("waived_ok", "2026-11-21", 1)]
)
def test_a_manifest_beside_the_cluster_is_waived_until_that_expires(shell: Shell, require: str, expires: str, code: int) -> None:
    playbook = gated(shell, require, expires)
    said = shell("audit", playbook, "--manifest", manifest(shell), "--sarif")
    assert said.code == code, said.err
    results = json.loads(said.out)["runs"][0]["results"]
    assert [result["ruleId"] for result in results] == ["scheduling/fix" if expires < "2026-11-22" else "scheduling/waived"]
    place = results[0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"].endswith("report.yaml")
    assert bool(results[0]["suppressions"]) is (expires > "2026-11-22")
    told = shell("validate", playbook).out
    assert f"portability {require}: the first phase waits" in told
    assert ("! waiver" in told) is (expires < "2026-11-22")


def test_a_pipeline_takes_registries_and_waivers_from_the_playbook_and_asks_no_cluster(shell: Shell) -> None:
    playbook = gated(shell, "waived_ok")
    said = shell(
        "audit", playbook, "--no-cluster", "--manifest", manifest(shell), "--markdown", KUBECONFIG=str(shell.home / "none")
    )
    assert said.code == 0, said.err
    assert said.out.startswith("## Portability to arm64: short\n")
    assert "| ◇ **WAIVED** |" in said.out
    assert "| ✓ **PASS** | `image/registry.example.com/payments/payments-api:2.14.0` |" in said.out


def test_images_alone_need_nothing_and_what_cannot_be_asked_is_red(shell: Shell) -> None:
    said = shell("audit", "--image", "127.0.0.1:1/a:1", "127.0.0.1:1/b:1", KUBECONFIG=str(shell.home / "none"))
    assert said.code == 1
    assert "RED: 2 UNKNOWN" in said.out


def test_whoever_may_not_list_is_told_and_not_green(shell: Shell, ready: Ready) -> None:
    config = yaml.safe_load(Path(ready.kubeconfig).read_text())
    for user in config["users"]:
        user["user"] = {}  # nobody: /version is all that the server tells them
    kubeconfig = shell.home / "nobody"
    kubeconfig.write_text(yaml.safe_dump(config))
    said = shell("audit", str(shell.playbook), KUBECONFIG=str(kubeconfig))
    assert said.code == 1, said.out + said.err
    assert "NOT LOOKED AT" in said.out
    assert "DaemonSets of all namespaces could not be listed" in said.out


def test_whoever_only_reads_finds_the_same(shell: Shell) -> None:
    said = shell("audit", str(shell.playbook), "--context", "rehearsal-observer")
    assert said.code == 0, said.out + said.err


def test_a_cluster_that_is_gone_ends_with_3(shell: Shell) -> None:
    kubeconfig = shell.home / "gone"
    kubeconfig.write_text(
        "apiVersion: v1\nkind: Config\nclusters: [{name: a, cluster: {server: 'https://127.0.0.1:1'}}]\n"
        "users: [{name: a, user: {token: abcdefgh}}]\ncontexts: [{name: rehearsal, context: {cluster: a, user: a}}]\n"
    )
    said = shell("audit", str(shell.playbook), KUBECONFIG=str(kubeconfig))
    assert said.code == 3
    assert said.out == ""
    assert "127.0.0.1:1" in said.err
