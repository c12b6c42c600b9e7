"""The portability gate on the embedded world: an agent without an arm64 build keeps a run from beginning until it is waived."""

from __future__ import annotations

from pathlib import Path

import pytest

from cockpit.playbook import find, load
from tests.scenarios.flights import PLAYBOOK, Flown, every_seed, rehearse

SENSOR = "image/registry.example.com/edr/sensor:7.16.2"
EXPORT = "image/registry.example.com/payments/ledger-export:1.9.4"
SHIPPED = find("rehearsal")


def waiver(component: str) -> str:
    return f'    - {{component: "{component}", reason: it waits for January, owner: security, expires: 2099-12-31}}\n'


def gated(folder: Path, *waived: str) -> Path:
    """The short playbook with a gate and these waivers."""
    block = "portability:\n  require: waived_ok\n" + ("  waivers:\n" + "".join(map(waiver, waived)) if waived else "")
    path = folder / "gated.yaml"
    path.write_text(PLAYBOOK.read_text().replace("defaults:\n", f"{block}\ndefaults:\n", 1))
    return path


def portability(flown: Flown) -> list[tuple[str, list[object]]]:
    """The verdict of each event of the gate, with the waivers that it records."""
    told = [e for e in flown.of("gate") if e.get("gate") == "portability"]
    return [(str(e["verdict"]), [w["component"] for w in e.get("waivers", ())]) for e in told]


@every_seed
def test_an_agent_without_an_arm64_build_keeps_the_run_from_beginning(seed: int, tmp_path: Path) -> None:
    """The shipped playbook, as it is shipped: its own waiver does not help."""
    flown = rehearse(tmp_path, "veto", seed, "--give-up-after", "300", playbook=SHIPPED)
    assert (flown.code, flown.outcome) == (1, "held"), flown.last_words + flown.errors
    assert flown.of("phase_started") == flown.of("write_intended") == []
    assert portability(flown) == [("FAIL", [])]
    assert "portability: FIX image/…/edr/sensor:7.16.2" in flown.last_words
    [told] = [e for e in flown.of("gate") if e.get("gate") == "portability"]
    assert told["red"] == [SENSOR]


@every_seed
def test_a_copy_of_the_playbook_that_waives_it_begins_and_its_own_triggers_still_judge(seed: int, tmp_path: Path) -> None:
    copy = tmp_path / "waived.yaml"
    copy.write_text(
        SHIPPED.read_text("utf-8").replace(f"    - component: {EXPORT}", f"{waiver(SENSOR)}    - component: {EXPORT}", 1), "utf-8"
    )
    flown = rehearse(tmp_path, "veto", seed, playbook=copy)
    assert [e["phase"] for e in flown.of("phase_started")] == ["canary-5"], flown.last_words + flown.errors
    passed, begun = portability(flown)
    assert passed == ("PASS", [])
    assert begun[0] == "PASS" and sorted(map(str, begun[1])) == [SENSOR, EXPORT]
    assert (flown.code, flown.outcome) == (1, "rolled_back"), "a waiver lets a run begin, it makes no agent run"
    assert flown.of("abort_triggered")[0]["message"].startswith("finding no_manifest")


def test_one_waiver_stands_in_the_shipped_playbook_and_is_needed(tmp_path: Path) -> None:
    assert [w.component for w in load(SHIPPED).portability.waivers] == [EXPORT]
    flown = rehearse(tmp_path, "clean", 7, playbook=gated(tmp_path))
    assert (flown.code, flown.outcome) == (1, "held")
    assert "portability: FIX image/…/payments/ledger-export:1.9.4" in flown.last_words


@pytest.mark.parametrize("scenario", ["clean", "api-conflict"])
def test_a_gated_run_completes_and_its_record_names_the_waiver(scenario: str, tmp_path: Path) -> None:
    flown = rehearse(tmp_path, scenario, 7, playbook=gated(tmp_path, EXPORT))
    assert (flown.code, flown.outcome) == (0, "completed"), flown.last_words + flown.errors
    assert portability(flown) == [("PASS", []), ("PASS", [EXPORT])]
