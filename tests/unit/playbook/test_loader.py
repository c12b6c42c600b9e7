from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from cockpit.errors import Exit, PlaybookInvalid, UsageError
from cockpit.model.arch import Arch
from cockpit.model.cluster import Ref
from cockpit.model.playbook import (
    AffinityMode,
    AffinitySet,
    Agent,
    AgentsCheck,
    NativeCheck,
    OnAbort,
    Playbook,
    Promote,
    RollbackCheck,
    ShareCheck,
    SignalCheck,
    Waiver,
)
from cockpit.model.signal import Signal, Unit
from cockpit.playbook import available, bundled, find, load, loads
from tests.unit.playbook.base import BASE

EXAMPLE = Path(__file__).parent / "example.yaml"


@pytest.fixture(scope="module")
def example() -> Playbook:
    return load(EXAMPLE)


def test_the_example_of_the_specification_loads(example: Playbook) -> None:
    assert example.source == str(EXAMPLE)
    assert example.metadata.runbook == "https://wiki.example.com/payments/graviton"
    assert example.target.baseline == Ref("deployment", "payments", "payments-api")
    assert example.target.canary == Ref("deployment", "payments", "payments-api-arm64")
    assert (example.target.context, example.target.from_arch, example.target.to_arch) == ("prod-eks", Arch.AMD64, Arch.ARM64)
    assert example.alb is not None
    assert (example.alb.account, example.alb.endpoint_url, example.alb.listeners) == ("111122223333", None, ())
    assert example.alb.target_groups[Arch.ARM64].endswith("targetgroup/arm/73e2d6bc24d8a067")
    assert example.prometheus is not None
    assert (example.prometheus.every, example.prometheus.stale_after) == (15.0, 60.0)
    query = 'sum(rate(http_requests_total{app="payments",arch="{{arch}}"}[2m]))'
    assert example.signals["requests"] == Signal("requests", Unit.REQUESTS_PER_SECOND, query, None)
    assert example.agents == (
        Agent(Ref("daemonset", "kube-system", "aws-node")),
        Agent(
            Ref("daemonset", "security", "edr-sensor"), ("registry.example.com/edr/sensor:7.16.2",), "security", date(2026, 11, 1)
        ),
    )
    waiver = Waiver(
        "image/registry.example.com/legacy/hsm-client", "rebuilt, waiting for release 4.2", "team-hsm", date(2026, 12, 15)
    )
    assert (example.portability.require, example.portability.waivers) == ("off", (waiver,))
    assert example.rollback_order == ("weights", "affinity")


def test_its_phases_carry_what_they_say_and_else_the_defaults(example: Playbook) -> None:
    first, second, prefer, require = example.phases
    assert first.weights is not None
    assert (first.name, first.soak, first.weights.share) == ("canary-5", 900.0, 0.05)
    assert first.gates == (
        SignalCheck("latency_p99", max_drift=0.04, min_samples=20),
        SignalCheck("error_rate", max=0.001),
        AgentsCheck("ready"),
        NativeCheck(),
        ShareCheck(0.02),
        RollbackCheck(),
    )
    assert first.abort == (
        SignalCheck("latency_p99", max_drift=0.1, for_seconds=120.0),
        SignalCheck("error_rate", max=0.01, for_seconds=60.0),
        AgentsCheck("crash_loop"),
    )
    assert (first.promote, first.on_abort) == (Promote.MANUAL, OnAbort.HOLD)
    assert second.gates == (SignalCheck("latency_p99", max=0.25), AgentsCheck("ready"))
    assert second.abort == (SignalCheck("latency_p99", max=0.5, for_seconds=90.0),)
    assert (second.promote, second.on_abort, second.affinity) == (Promote.AUTO, OnAbort.ROLLBACK, None)
    assert prefer.affinity == AffinitySet(example.target.baseline, AffinityMode.PREFERRED, Arch.ARM64, 80)
    assert require.affinity == AffinitySet(example.target.baseline, AffinityMode.REQUIRED, Arch.ARM64, 100)
    assert (require.soak, require.promote, require.weights) == (86400.0, Promote.TWO_PERSON, None)


def test_an_empty_list_is_not_a_missing_one() -> None:
    text = (
        BASE.replace("soak: 1h30m\n", "soak: 1h30m\n    gates: []\n")
        + "defaults: {gates: [{agents: ready}], abort: [{signal: errors, max: 1%}]}\n"
    )
    phase = loads(text, "p.yaml").phases[1]
    assert phase.gates == ()
    assert phase.abort == (SignalCheck("errors", max=0.01),)


def test_without_canary_load_balancer_and_defaults() -> None:
    playbook = loads(
        """
        apiVersion: cockpit/v1
        kind: Playbook
        metadata: {name: small}
        target: {namespace: a, workloads: {baseline: deployment/b, canary: ~}}
        traffic:
        metrics:
        phases: [{name: one, set: {affinity: {workload: baseline, mode: none}}, soak: 0s}]
        """,
        "p.yaml",
    )
    assert (playbook.alb, playbook.prometheus, playbook.target.canary, playbook.target.context) == (None, None, None, None)
    (phase,) = playbook.phases
    assert phase.affinity == AffinitySet(playbook.target.baseline, AffinityMode.NONE, Arch.ARM64)
    assert (phase.gates, phase.abort, phase.promote, phase.on_abort) == ((), (), Promote.MANUAL, OnAbort.HOLD)
    assert playbook.portability.require == "off"


def test_percent_signals_keep_their_percents() -> None:
    text = BASE.replace("signal: latency, max_drift: 4%", "signal: load, max: 80%, min: 0.5%")
    assert loads(text, "p.yaml").phases[0].gates[0] == SignalCheck("load", max=80.0, min=0.5)


def test_words_for_people_are_one_line() -> None:
    text = BASE.replace("  name: payments\n", "  name: payments\n  description: |\n    two\n    lines\n")
    assert loads(text, "p.yaml").metadata.description == "two lines "


def test_names_of_files_cannot_write_to_a_terminal() -> None:
    with pytest.raises(PlaybookInvalid) as caught:
        loads("", "a\x1b[2J\nb.yaml")
    assert caught.value.lines[0].isprintable()
    assert caught.value.exit_code is Exit.USAGE


def test_bundled_playbooks_are_found_by_name_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert [path.name for path in bundled()] == ["affinity-only.yaml", "ingress.yaml", "rehearsal.yaml"]
    for name in ("rehearsal", "rehearsal.yaml"):
        assert find(name).name == "rehearsal.yaml"
        assert load(find(name)).name == "rehearsal"


def test_a_path_comes_before_a_name_and_a_bundled_name_before_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    mine, theirs = tmp_path / "playbooks", tmp_path / "elsewhere"
    for folder in (mine, theirs):
        folder.mkdir()
        for name in ("rehearsal.yaml", "ours.yml", "notes.txt"):
            (folder / name).write_text(BASE)
    (theirs / "theirs.yaml").write_text(BASE)
    (tmp_path / "rehearsal").mkdir()
    monkeypatch.setenv("COCKPIT_PLAYBOOKS", f":{tmp_path / 'absent'}:{theirs}")
    assert find("rehearsal") == bundled()[-1]
    assert find("ours").resolve() == mine / "ours.yml"
    assert find("theirs") == theirs / "theirs.yaml"
    assert find("playbooks/notes.txt").resolve() == mine / "notes.txt"
    assert [path.name for path in available()] == [
        "affinity-only.yaml",
        "ingress.yaml",
        "rehearsal.yaml",
        "ours.yml",
        "theirs.yaml",
    ]
    (tmp_path / "rehearsal.yaml").write_text(BASE)
    assert find("rehearsal.yaml").resolve() == tmp_path / "rehearsal.yaml"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("rehersal", "there is no playbook rehersal; did you mean rehearsal?"),
        ("zzz", "there is no playbook zzz; name a file or one of affinity-only, ingress or rehearsal"),
        (
            "no/such.yaml",
            "no/such.yaml does not exist; name a playbook file (.yaml) or one of affinity-only, ingress or rehearsal",
        ),
        (".", ". is a folder; name a playbook file (.yaml) or one of affinity-only, ingress or rehearsal"),
        ("./", "./ is a folder; name a playbook file (.yaml) or one of affinity-only, ingress or rehearsal"),
        ("", "'' is no playbook; name a file or one of affinity-only, ingress or rehearsal"),
        ("a\0b", "'a␀b' is no playbook; name a file or one of affinity-only, ingress or rehearsal"),
        ("x" * 5000, None),
    ],
)
def test_names_that_find_nothing(name: str, message: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as caught:
        find(name)
    assert message in (None, str(caught.value))
    assert caught.value.exit_code is Exit.USAGE


def test_files_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    with pytest.raises(UsageError, match=r"is a folder; name a playbook file \(\.yaml\) in it$"):
        load(tmp_path)
    with pytest.raises(UsageError, match=r"absent\.yaml does not exist; name a playbook file"):
        load(tmp_path / "absent.yaml")
    with pytest.raises(UsageError, match=r"cannot be read: .*; name a playbook file"):
        load(tmp_path / ("x" * 5000))
    file = tmp_path / "secret.yaml"
    file.write_text(BASE)
    monkeypatch.setattr(Path, "open", refuse)  # the tests may run as root, whom no mode stops
    with pytest.raises(UsageError, match=r"secret\.yaml may not be read; check its owner and mode"):
        load(file)


def test_an_endless_file_is_refused() -> None:
    with pytest.raises(PlaybookInvalid, match=r"^/dev/zero:1:1: it is larger than 256 KB"):
        load(Path("/dev/zero"))


def test_importing_the_package_loads_no_validator() -> None:
    code = "import sys, cockpit.playbook as p; p.find('rehearsal'); print(sorted({'pydantic', 'yaml'} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
