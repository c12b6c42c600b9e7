"""`{finding: KIND}` among the abort triggers: what is read, and what is refused with which words."""

from __future__ import annotations

from typing import get_args

import pytest

from cockpit.model.finding import FindingKind
from cockpit.model.playbook import FindingCheck
from cockpit.playbook import loads
from cockpit.playbook.checks import FindingAbort
from tests.unit.playbook.base import BASE, broken

TRIGGER = "{signal: errors, max: 1%}"
AGENTS = BASE[BASE.index("agents:\n") : BASE.index("phases:\n")]


@pytest.mark.parametrize("kind", list(FindingKind))
def test_every_kind_is_read(kind: FindingKind) -> None:
    playbook = loads(BASE.replace(TRIGGER, f"{{finding: {kind}}}"), "p.yaml")
    assert playbook.phases[0].abort[1] == FindingCheck(kind)


def test_what_may_be_written_is_what_the_matrix_finds() -> None:
    field = FindingAbort.model_fields["finding"]
    assert set(get_args(field.annotation)) == set(FindingKind)


def test_an_unknown_kind_names_the_nearest_and_all_others() -> None:
    (error,) = broken((TRIGGER, "{finding: exec_fromat}"))
    assert error.startswith('41:19: phases[0].abort[1].finding: "exec_fromat" is not allowed here; write exec_format (allowed: ')
    assert all(kind in error for kind in FindingKind)


def test_a_symptom_of_agents_needs_agents() -> None:
    edits = ((TRIGGER, "{finding: agent_missing}"), (AGENTS, ""), ("      - {agents: ready}\n", ""))
    (error,) = broken(*edits)
    assert error.endswith("this can never be found: the playbook lists no agents; list the DaemonSets in agents, or remove this")


def test_it_is_no_gate() -> None:
    (error,) = broken(("{agents: ready}", "{finding: exec_format}"))
    assert "this is no gate that is known" in error
