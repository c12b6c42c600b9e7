"""metadata.managedFields: who wrote which field last (the Update operation only; server-side apply is not served)."""

from __future__ import annotations

from typing import Any, TypeAlias

from cockpit.rehearsal.kube.errors import Obj
from cockpit.rehearsal.kube.strategic import merge_key

_Path: TypeAlias = tuple[str, ...]
_SYSTEM = ("uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "name", "namespace", "selfLink")
_KEYED = {"containers", "initContainers", "env", "conditions", "volumes", "ports", "volumeMounts"}
_OWNERS = {"env": "Container", "ports": "Container", "volumeMounts": "Container"}


def manage(old: Obj | None, new: Obj, manager: str, subresource: str, time: str) -> Obj:
    """`new` with managedFields in which `manager` owns, at `time`, every leaf that differs from `old`."""
    before = _leaves(_fields(old)) if old else {}
    after = _leaves(_fields(new))
    changed = {path for path, value in after.items() if before.get(path, after) != value}
    gone = before.keys() - after.keys()
    held = (old or {}).get("metadata", {}).get("managedFields") or []
    if not changed and not gone:
        return _with(new, held)
    entry = {"manager": manager, "operation": "Update", "apiVersion": new["apiVersion"], "time": time, "fieldsType": "FieldsV1"}
    if subresource:
        entry["subresource"] = subresource
    others, mine = [], set(changed)
    for other in held:
        owned = _paths(other.get("fieldsV1") or {})
        if _identity(other) == _identity(entry):
            mine |= owned - gone
        elif left := owned - changed - gone:
            others.append({**other, "fieldsV1": _tree(left)})
    return _with(new, sorted([*others, *([{**entry, "fieldsV1": _tree(mine)}] if mine else [])], key=_order))


def _order(entry: Obj) -> tuple[str, str, str, str]:
    return entry["operation"], entry.get("time", ""), entry["manager"], entry.get("subresource", "")


def _with(obj: Obj, fields: list[Obj]) -> Obj:
    meta = {k: v for k, v in obj["metadata"].items() if k != "managedFields"}
    return {**obj, "metadata": {**meta, "managedFields": fields} if fields else meta}


def _identity(entry: Obj) -> tuple[str, str, str, str]:
    return entry["manager"], entry["operation"], entry.get("apiVersion", ""), entry.get("subresource", "")


def _fields(obj: Obj) -> Obj:
    meta = {k: v for k, v in obj["metadata"].items() if k not in _SYSTEM}
    return {**{k: v for k, v in obj.items() if k not in ("apiVersion", "kind")}, "metadata": meta}


def _leaves(value: Any, path: _Path = (), name: str = "") -> dict[_Path, Any]:
    """Leaf path -> value; atomic lists and empty objects are leaves."""
    out: dict[_Path, Any] = {}
    if isinstance(value, dict) and (value or not path):
        for key, inner in value.items():
            out |= _leaves(inner, (*path, f"f:{key}"), key)
    elif isinstance(value, list) and name in _KEYED and (key := merge_key(_OWNERS.get(name, "PodSpec"), name)):
        for item in value:
            mark = f'k:{{"{key}":{_quoted(item.get(key))}}}'
            out |= _leaves(item, (*path, mark))
    else:
        out[path] = value
    return out


def _quoted(value: object) -> str:
    return str(value) if isinstance(value, int) else f'"{value}"'


def _tree(paths: set[_Path]) -> Obj:
    root: Obj = {}
    for path in sorted(paths):
        node = root
        for step in path:
            node = node.setdefault(step, {})
    return root


def _paths(tree: Obj, path: _Path = ()) -> set[_Path]:
    if not tree:
        return {path} if path else set()
    return set().union(*(_paths(inner, (*path, step)) for step, inner in tree.items() if step != "."))
