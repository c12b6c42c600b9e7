"""`cockpit audit` without a cluster: what it refuses, how it ends, where it writes."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.audit.outputs.cells import width
from cockpit.cli import run
from cockpit.commands.audit_progress import drawing
from cockpit.commands.portability import portability
from cockpit.model.audit import Progress
from cockpit.playbook import loads
from tests.unit.audit.reports import DAY
from tests.unit.audit.test_outputs_table import ACTS
from tests.unit.playbook.base import BASE

MANIFEST = """\
apiVersion: batch/v1
kind: CronJob
metadata: {name: report, namespace: pay}
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          nodeSelector: {kubernetes.io/arch: amd64}
          containers:
            - {name: report, image: "127.0.0.1:1/pay/report:2.0"}
"""
PINNED = "scheduling/cronjob/pay/report"
FAR = "image/127.0.0.1:1/pay/report:2.0"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No kubeconfig, and a folder of its own to work in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    (tmp_path / "job.yaml").write_text(MANIFEST)
    return tmp_path


def playbook(folder: Path, require: str, expires: str = "2999-12-31") -> str:
    waivers = "".join(f"    - {{component: {c}, reason: old, owner: ana, expires: {expires}}}\n" for c in (PINNED, FAR))
    (folder / "pay.yaml").write_text(f"{BASE}portability:\n  require: {require}\n  waivers:\n{waivers}")
    return "pay.yaml"


def test_a_manifest_is_judged_without_playbook_or_cluster(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "--manifest", "job.yaml"]) == 1
    said = capsys.readouterr()
    assert "RED: 1 FIX, 1 UNKNOWN" in said.out
    assert f"✗ FIX      {PINNED}" in said.out
    assert f"? UNKNOWN  {FAR}" in said.out
    assert "\x1b" not in said.out
    assert said.err == ""


def test_standard_input_is_a_manifest(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(MANIFEST.encode())))
    assert run(["audit", "--json", "--manifest", "-"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["files"] == ["stdin"]
    assert {row["component"] for row in told["rows"]} == {PINNED, FAR}


@pytest.mark.parametrize(
    ("require", "expires", "code", "said"),
    [
        ("waived_ok", "2999-12-31", 0, "WAIVED: 2 WAIVED"),
        ("green", "2999-12-31", 1, "portability.require is green, which accepts no waiver"),
        ("waived_ok", "2020-01-01", 1, "RED: 1 FIX, 1 UNKNOWN"),
    ],
)
def test_waivers_count_until_they_expire_and_not_for_green(
    folder: Path, capsys: pytest.CaptureFixture[str], require: str, expires: str, code: int, said: str
) -> None:
    assert run(["audit", playbook(folder, require, expires), "--no-cluster", "--manifest", "job.yaml"]) == code
    assert said in capsys.readouterr().out


def test_sarif_points_at_the_line_of_a_file_given_by_its_whole_path(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "--sarif", "--manifest", str(folder / "job.yaml")]) == 1
    results = json.loads(capsys.readouterr().out)["runs"][0]["results"]
    places = {r["ruleId"]: r["locations"][0]["physicalLocation"] for r in results}
    assert places["image/unknown"] == {
        "artifactLocation": {"uri": "job.yaml", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 13},
    }
    assert places["scheduling/fix"]["artifactLocation"]["uri"] == "job.yaml"


def test_output_is_a_file_and_a_line_says_so(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "--manifest", "job.yaml", "--json", "--output", "audit.json"]) == 1
    assert capsys.readouterr().out == "RED: 1 FIX, 1 UNKNOWN; written to audit.json\n"
    assert json.loads((folder / "audit.json").read_text())["result"] == "red"
    assert run(["audit", "--manifest", "job.yaml", "--output", "audit.txt"]) == 1
    assert (folder / "audit.txt").read_text().startswith("portability to arm64, job.yaml")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "there is nothing to audit; name a PLAYBOOK, --image"),
        ("--no-cluster", "there is nothing to audit"),
        ("--image a --no-cluster --namespace b", "--no-cluster asks none"),
        ("--image a --context b", "--context names a cluster, and none is asked"),
        ("--image a --index-url https://example.com", "add --lockfile FILE"),
        ("--lockfile uv.lock --index-url ftp://example.com", "is no address of an index"),
        ("--lockfile uv.lock --index-url me:correct-horse@example.com/simple", "--index-url: this is no address of an index"),
        ("--image a job.yaml", "write PLAYBOOK before --image"),
        ("--manifest none.yaml", "none.yaml cannot be read: No such file or directory"),
        ("--manifest broken.yaml --lockfile none.lock", "broken.yaml:2"),
        ("--lockfile job.yaml", "this is no lockfile that is known by its name"),
        ("--manifest job.yaml --output ./job.yaml", "would overwrite job.yaml"),
        ("--manifest job.yaml --output none/audit.json", "none/audit.json cannot be written: No such file or directory"),
        ("job.yaml", "apiVersion"),
        ("--json --sarif --image a", "not allowed with argument"),
    ],
)
def test_a_mistake_of_the_command_line_is_said_and_ends_with_2(
    folder: Path, capsys: pytest.CaptureFixture[str], words: str, said: str
) -> None:
    (folder / "broken.yaml").write_text("kind: Pod\n  name: [\n")
    try:
        code = run(["audit", *words.split()])
    except SystemExit as left:  # as argparse does
        code = int(str(left.code))
    assert code == 2
    told = capsys.readouterr().err
    assert said in told
    assert "correct-horse" not in told
    assert (folder / "job.yaml").read_text() == MANIFEST


def test_help_says_whose_credentials_registries_are_asked_with(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run(["audit", "--help"])
    assert "Pull secrets (imagePullSecrets) are not read" in " ".join(capsys.readouterr().out.split())


def test_all_broken_files_are_named_at_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "broken.yaml").write_text("kind: [\n")
    assert run(["audit", "--manifest", "broken.yaml", "gone.yaml", "--lockfile", "gone.lock"]) == 2
    told = capsys.readouterr().err
    assert all(name in told for name in ("broken.yaml", "gone.yaml", "gone.lock"))


def test_a_cluster_that_cannot_be_reached_ends_with_3(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cluster = "clusters: [{name: a, cluster: {server: 'https://127.0.0.1:1'}}]"
    users = "users: [{name: a, user: {token: abcdefgh}}]\ncontexts: [{name: a, context: {cluster: a, user: a}}]"
    (folder / "none").write_text(f"apiVersion: v1\nkind: Config\ncurrent-context: a\n{cluster}\n{users}\n")
    assert run(["audit", "--namespace", "pay"]) == 3
    said = capsys.readouterr()
    assert "127.0.0.1:1" in said.err
    assert said.out == ""


def test_on_a_terminal_progress_is_drawn_and_gone_and_the_table_is_as_wide(folder: Path) -> None:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "72", "COCKPIT_HOME": str(folder)}
    environment.pop("NO_COLOR", None)
    command = [sys.executable, "-m", "cockpit", "audit", "--manifest", "job.yaml"]
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, stdin=subprocess.DEVNULL, env=environment) as child:
        os.close(theirs)
        seen = b""
        while chunk := _read(ours):
            seen += chunk
        assert child.wait(60) == 1
    os.close(ours)
    text = seen.decode()
    assert "\r\x1b[2K[" in text, "the bar"
    assert text.rindex("\r\x1b[2K") < text.index("portability to arm64"), "gone before the table"
    assert "\x1b[1;31m✗ FIX" in text
    table = text[text.index("portability to arm64") :].replace("\r", "")
    plain = [row.replace("\x1b[1m", "").replace("\x1b[0m", "") for row in table.split("\n")]
    assert max(width(row) for row in plain if "\x1b" not in row) <= 72


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux says so when the other end is closed
        return b""


@given(st.integers(-5, 10**9), st.integers(-5, 10**9), st.text(max_size=300), st.integers(1, 300))
def test_progress_is_one_line_that_no_terminal_wraps(done: int, total: int, doing: str, cells: int) -> None:
    text = drawing(Progress(done, total, doing), cells)
    assert width(text) < max(3, cells)
    assert not ACTS.search(text)


def test_progress_says_how_far_it_is() -> None:
    assert drawing(Progress(5, 10, "image a:1"), 80) == "[██████████──────────] 5/10 image a:1"


def test_validate_says_what_the_gate_asks_for_and_how_long_waivers_count() -> None:
    def said(require: str, expires: str) -> list[str]:
        waiver = f"{{component: image/a, reason: old, owner: ana, expires: {expires}}}"
        made = loads(f"{BASE}portability: {{require: {require}, waivers: [{waiver}]}}\n", "p.yaml")
        return list(portability(made.portability, DAY))

    gate, waiver = said("waived_ok", "2026-12-15")
    assert gate == "portability waived_ok: the first phase waits until every row of `cockpit audit` is PASS or waived"
    assert waiver == "  waiver image/a: until 2026-12-15 UTC (23 days left); ana: old"
    assert said("waived_ok", "2026-11-01")[1] == (
        "  ! waiver image/a: expired 2026-11-01 UTC (21 days ago), so the audit counts it as red; ana: old"
    )
    assert said("green", "2026-12-15")[1].startswith("  ! green accepts no waiver")
    assert list(portability(loads(BASE, "p.yaml").portability, DAY)) == []
