"""Who wrote a field last, by managedFields."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cockpit.model.json import Json
from cockpit.model.managed import OURS, Manager, writer

PATH = ("f:spec", "f:template", "f:spec", "f:affinity")
AFFINITY: Json = {"f:spec": {"f:template": {"f:spec": {"f:affinity": {"f:nodeAffinity": {}}}}}}
IMAGE: Json = {"f:spec": {"f:template": {"f:spec": {"f:containers": {}}}}}


def at(minute: int) -> datetime:
    return datetime(2026, 11, 22, 2, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("managers", "expected"),
    [
        ([], None),
        ([Manager(OURS, at(5), "", AFFINITY)], None),
        ([Manager("kubectl", at(1), "", AFFINITY)], "kubectl at 02:01:00"),
        ([Manager("kubectl", None, "", AFFINITY)], "kubectl"),
        # whoever wrote before us wrote nothing since
        ([Manager("helm", at(1), "", AFFINITY), Manager(OURS, at(5), "", AFFINITY)], None),
        ([Manager(OURS, at(5), "", AFFINITY), Manager("argocd", at(6), "", AFFINITY)], "argocd at 02:06:00"),
        ([Manager("argocd", at(6), "", AFFINITY), Manager("kubectl", at(7), "", AFFINITY)], "kubectl at 02:07:00"),
        # the owner of the field before one who wrote elsewhere, later
        ([Manager("argocd", at(6), "", AFFINITY), Manager("ci", at(7), "", IMAGE)], "argocd at 02:06:00"),
        # what was removed belongs to nobody: then whoever wrote last after us
        ([Manager(OURS, at(5), "", {}), Manager("kubectl-edit", at(6), "", IMAGE)], "kubectl-edit at 02:06:00"),
        ([Manager("kubectl-edit", at(6), "", IMAGE)], None),
        # within our second nobody can tell who came first, unless the field is no longer ours
        ([Manager(OURS, at(5), "", AFFINITY), Manager("helm", at(5), "", AFFINITY)], None),
        ([Manager(OURS, at(5), "", {}), Manager("argocd", at(5), "", AFFINITY)], "argocd at 02:05:00"),
        ([Manager(OURS, at(5), "", {}), Manager("helm", at(5), "", IMAGE)], None),
        # controllers report their status and scale: they set no affinity
        ([Manager(OURS, at(5), "", {}), Manager("kube-controller-manager", at(6), "status", AFFINITY)], None),
        ([Manager("odd", at(1), "", "not a tree")], None),
    ],
)
def test_the_writer(managers: list[Manager], expected: str | None) -> None:
    found = writer(managers, PATH)
    assert (str(found) if found else None) == expected
