"""The recordings are of the worlds as they are labelled now: all that was asked for came back, and nothing else is there."""

from __future__ import annotations

import pytest

from tests.unit.rules.matrix import files
from tests.unit.rules.matrix.files import FAMILIES, RESOURCES, Obj

BASE, RETURNED = files.asked("base"), files.recorded_base()


def came_back(asked: object, found: object) -> bool:
    """All of `asked` is in `found`: servers add fields, and leave out those that are null."""
    if isinstance(asked, dict):
        return isinstance(found, dict) and all(came_back(value, found.get(name)) for name, value in asked.items())
    if isinstance(asked, list):
        return isinstance(found, list) and len(asked) == len(found) and all(map(came_back, asked, found))
    return asked == found


def differing(case: Obj, lists: dict[str, Obj]) -> list[str]:
    """The objects of a case that are not, or not so, in its lists, and those there that are not the case's."""
    typed = ("kind", "apiVersion")
    asked = {name: {k: v for k, v in obj.items() if k not in typed} for name, obj in files.world(BASE, case).items()}
    found = {files.key(kind, item): item for kind, resource in RESOURCES.items() for item in lists[resource]["items"]}
    return [name for name in asked.keys() | found.keys() if name not in asked or not came_back(asked[name], found.get(name))]


@pytest.mark.parametrize("family", FAMILIES)
def test_what_was_asked_for_came_back(family: str) -> None:
    own = files.recorded(family)
    asked = files.asked(family)
    assert [case["name"] for case in asked] == list(own)
    stale = {case["name"]: differing(case, files.returned(RETURNED, own[case["name"]], case)) for case in asked}
    assert not {name: keys for name, keys in stale.items() if keys}, "record again: python -m tests.real.record_matrix"


def test_the_items_are_what_servers_return_and_not_what_was_written() -> None:
    for resource, whole in RETURNED.items():
        assert whole["kind"].endswith("List"), resource
        assert all("kind" not in item for item in whole["items"])
    pod = next(iter(RETURNED["pods"]["items"]))
    assert pod["spec"]["serviceAccountName"] == "default"
    assert [t["key"] for t in pod["spec"]["tolerations"]] == ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"]
