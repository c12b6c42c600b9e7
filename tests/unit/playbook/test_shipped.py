"""The shipped playbooks and the JSON Schema beside them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

import playbooks
from cockpit.errors import PlaybookInvalid
from cockpit.model.arch import Arch
from cockpit.model.playbook import AffinityMode, AgentsCheck, Promote, RollbackCheck, ShareCheck, SignalCheck
from cockpit.playbook import bundled, find, load, loads
from cockpit.playbook.jsonschema import schema
from cockpit.playbook.text import read
from tests.unit.playbook import test_form, test_form_phases
from tests.unit.playbook.base import BASE

FOLDER = Path(playbooks.__file__).parent
VALID = [*bundled(), Path(__file__).parent / "example.yaml"]


def accepts(text: str) -> bool:
    return bool(Draft202012Validator(schema()).is_valid(read(text, "p.yaml").root))


def test_the_schema_is_shipped_as_it_is_generated() -> None:
    assert json.loads((FOLDER / "playbook.schema.json").read_text()) == schema()


def test_the_schema_is_one_and_describes_every_key() -> None:
    Draft202012Validator.check_schema(schema())
    assert schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema()["$id"].startswith("urn:")
    bare = [
        f"{name}.{key}"
        for name, part in (("root", schema()), *schema()["$defs"].items())
        for key, value in part["properties"].items()
        if not value.get("description") and "$ref" not in value
    ]
    assert bare == []
    assert all(part["description"] and part["additionalProperties"] is False for part in schema()["$defs"].values())


def test_examples_in_the_schema_fit_it() -> None:
    parts: list[Any] = [schema(), *schema()["$defs"].values()]
    tried = 0
    for part in parts:
        for key, value in part["properties"].items():
            validator = Draft202012Validator({"$defs": schema()["$defs"], **value})
            for example in value.get("examples", ()):
                if "..." not in str(example):
                    assert validator.is_valid(example), (key, example)
                    tried += 1
    assert tried > 40


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.name)
def test_the_schema_accepts_what_the_loader_accepts(path: Path) -> None:
    load(path)
    assert accepts(path.read_text())


@pytest.mark.parametrize("path", bundled(), ids=lambda path: path.name)
def test_shipped_playbooks_lead_editors_to_the_schema(path: Path) -> None:
    assert path.read_text().splitlines()[0] == "# yaml-language-server: $schema=playbook.schema.json"
    assert (path.parent / "playbook.schema.json").is_file()


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.name)
def test_plain_values_can_be_written_back_and_load_alike(path: Path) -> None:
    again = yaml.safe_dump(read(path.read_bytes(), "p.yaml").root, sort_keys=False)
    assert loads(again, str(path)) == load(path)


# What JSON Schema cannot say: double keys and unquoted numbers are gone when it looks, and it knows no calendar and no secrets.
BEYOND_SCHEMA = {
    "name: payments\n  name: twice\n",
    "011122223333",
    "http://me:secret@prometheus.example.com",
    "'cpu{arch=\"{{arch}}\", x={{team}}}'",
    "daemonset/aws-node",
    "kube-system/aws-node\n    certified: {images: [a], signed_off_by: b, on: 2026-02-30}\n",
}


@pytest.mark.parametrize(("old", "new"), [(old, new) for old, new, _ in (*test_form.CASES, *test_form_phases.CASES)])
def test_schema_and_loader_agree_on_faults_of_form(old: str, new: str) -> None:
    text = BASE.replace(old, new)
    with pytest.raises(PlaybookInvalid):
        loads(text, "p.yaml")
    assert accepts(text) == (new in BEYOND_SCHEMA)


def test_the_rehearsal_ramps_as_the_runbook_does() -> None:
    playbook = load(find("rehearsal"))
    shares = [phase.weights.share for phase in playbook.phases if phase.weights]
    assert shares == [0.05, 0.25, 0.5, 1.0]
    assert [p.name for p in playbook.phases] == ["canary-5", "canary-25", "canary-50", "canary-100", "require-arm64"]
    last = playbook.phases[-1].affinity
    assert last is not None
    assert (last.workload, last.mode, last.arch) == (playbook.target.baseline, AffinityMode.REQUIRED, Arch.ARM64)
    assert [str(a.daemonset.name) for a in playbook.agents] == ["aws-node", "edr-sensor", "fluent-bit"]
    assert {phase.promote for phase in playbook.phases} == {Promote.MANUAL}


@pytest.mark.parametrize("path", bundled(), ids=lambda path: path.name)
def test_the_gates_of_shipped_playbooks_can_pass_within_their_soak(path: Path) -> None:
    playbook = load(path)
    assert playbook.prometheus is not None
    for phase in playbook.phases:
        kinds = {type(gate) for gate in phase.gates}
        assert {SignalCheck, AgentsCheck, RollbackCheck} <= kinds
        assert (ShareCheck in kinds) == (playbook.alb is not None)
        assert AgentsCheck("crash_loop") in phase.abort
        for gate in (g for g in phase.gates if isinstance(g, SignalCheck)):
            assert gate.min_samples * playbook.prometheus.every < phase.soak - 60


@pytest.mark.parametrize("path", bundled(), ids=lambda path: path.name)
def test_no_shipped_phase_compares_with_a_baseline_that_serves_nothing(path: Path) -> None:
    playbook = load(path)
    alone = playbook.alb is None
    for phase in playbook.phases:
        alone = alone or bool(phase.weights and phase.weights.share == 1)
        drifts = [c for c in (*phase.gates, *phase.abort) if isinstance(c, SignalCheck) and c.max_drift is not None]
        assert bool(drifts) != alone


@pytest.mark.parametrize("path", [*bundled(), *FOLDER.glob("*/kind-*affinity.yaml")], ids=lambda path: path.name)
def test_a_side_without_traffic_is_0_by_the_word_of_prometheus(path: Path) -> None:
    requests = load(path).signals.get("requests")
    assert requests is None or requests.query.endswith(" or vector(0)")
