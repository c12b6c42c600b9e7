"""What the shipped RBAC manifests grant, verb by verb."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from tests.real.kind.cluster import RBAC


def manifest(name: str) -> list[dict[str, Any]]:
    """The objects of `observer` or `operator`."""
    return [obj for obj in yaml.safe_load_all((RBAC / f"{name}.yaml").read_text()) if obj]


@dataclass(frozen=True)
class Grant:
    """One verb on one resource, in one role; `spaces` are the namespaces in which it is bound ("" for the whole cluster)."""

    kind: str
    role: str
    namespace: str
    rule: int
    group: str
    resource: str
    name: str
    verb: str
    spaces: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.verb}-{self.resource}-{self.spaces[0] or 'cluster'}"


def grants(name: str) -> Iterator[Grant]:
    """Every verb of a manifest."""
    objs = manifest(name)
    for obj in objs:
        if obj["kind"] not in ("Role", "ClusterRole"):
            continue
        meta = obj["metadata"]
        for number, rule in enumerate(obj["rules"]):
            for group in rule["apiGroups"]:
                for resource in rule["resources"]:
                    for verb in rule["verbs"]:
                        only = rule.get("resourceNames", [""])[0]
                        where = (obj["kind"], meta["name"], meta.get("namespace", ""), number)
                        yield Grant(*where, group, resource, only, verb, _spaces(objs, obj))


def _spaces(objs: list[dict[str, Any]], role: dict[str, Any]) -> tuple[str, ...]:
    wanted = (role["kind"], role["metadata"]["name"], role["metadata"].get("namespace", ""))
    found = []
    for binding in objs:
        if "roleRef" in binding:
            space = binding["metadata"].get("namespace", "")
            home = space if binding["roleRef"]["kind"] == "Role" else ""
            if (binding["roleRef"]["kind"], binding["roleRef"]["name"], home) == wanted:
                found.append(space)
    return tuple(found)
