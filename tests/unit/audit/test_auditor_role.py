"""The shipped auditor's role grants what the audit lists, and nothing that changes anything."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from cockpit.audit.cluster import MAKERS
from cockpit.model.playbook import Portability
from cockpit.preflight import optional
from tests.factories import PLAYBOOK

RBAC = Path(__file__).parents[3] / "playbooks" / "rbac"


def granted() -> set[tuple[str, str, str]]:
    """Group, resource and verb."""
    objects: list[dict[str, Any]] = list(yaml.safe_load_all((RBAC / "auditor.yaml").read_text()))
    rules = [rule for obj in objects if obj["kind"] == "ClusterRole" for rule in obj["rules"]]
    return {(g, r, v) for rule in rules for g in rule["apiGroups"] for r in rule["resources"] for v in rule["verbs"]}


def test_the_auditor_may_list_all_that_the_audit_lists_and_nothing_else() -> None:
    paths = [path.format("").split("/") for path in MAKERS.values()]
    listed = {(parts[2] if parts[1] == "apis" else "", parts[-1], "list") for parts in paths}
    assert granted() == listed | {("", "nodes", "list"), ("policy", "poddisruptionbudgets", "list")}


def test_a_gate_that_is_asked_for_asks_for_its_permissions() -> None:
    def asked(require: str) -> set[tuple[str, str]]:
        playbook = replace(PLAYBOOK, portability=Portability(require))  # type: ignore[arg-type]
        return {(p.verb, p.resource) for p in optional(playbook, writes=True)}

    more = {("list", name) for name in ("statefulsets", "replicasets", "jobs", "cronjobs", "replicationcontrollers")}
    assert asked("waived_ok") - asked("off") == more
