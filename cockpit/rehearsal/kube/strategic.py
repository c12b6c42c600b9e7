"""Strategic merge patch: lists merged by key where the API says so, replaced where it does not."""

from __future__ import annotations

from typing import Any

from cockpit.rehearsal.kube.errors import KubeError, Obj
from cockpit.rehearsal.kube.schema import element, types

_KEYS = {
    ("PodSpec", "containers"): "name",
    ("PodSpec", "initContainers"): "name",
    ("PodSpec", "ephemeralContainers"): "name",
    ("PodSpec", "volumes"): "name",
    ("PodSpec", "imagePullSecrets"): "name",
    ("PodSpec", "hostAliases"): "ip",
    ("PodSpec", "topologySpreadConstraints"): "topologyKey",
    ("PodSpec", "schedulingGates"): "name",
    ("PodSpec", "resourceClaims"): "name",
    ("PodStatus", "podIPs"): "ip",
    ("Container", "env"): "name",
    ("Container", "ports"): "containerPort",
    ("Container", "volumeMounts"): "mountPath",
    ("Container", "volumeDevices"): "devicePath",
    ("ServiceSpec", "ports"): "port",
    ("NodeStatus", "addresses"): "type",
    ("ObjectMeta", "ownerReferences"): "uid",
    ("ServiceAccount", "secrets"): "name",
    ("ServiceAccount", "imagePullSecrets"): "name",
}
_SETS = {("ObjectMeta", "finalizers"), ("NodeSpec", "podCIDRs")}
"""Lists of plain values that are united. Affinity terms, tolerations, taints, args and all others are atomic."""


def merge_key(kind: str, name: str) -> str | None:
    """The key by which a list's items are merged, None where the list is atomic."""
    return "type" if name == "conditions" else _KEYS.get((kind, name))


def merge(kind: str, old: Obj, patch: Obj) -> Obj:
    """`old` (of this type) with the patch merged in; KubeError 400 for a patch that makes no sense."""
    directive = patch.get("$patch")
    if directive == "delete":
        return {}
    if directive == "replace":
        return {k: v for k, v in patch.items() if k != "$patch"}
    if directive not in (None, "merge"):
        raise KubeError(500, "", f"unknown patch type: {directive} in map: {go_map(patch)}")
    out = dict(old)
    if "$retainKeys" in patch:
        out = {k: v for k, v in out.items() if k in patch["$retainKeys"]}
    for name, value in patch.items():
        if not name.startswith("$"):
            _field(kind, out, name, value)
    for name, value in patch.items():
        if name.startswith("$deleteFromPrimitiveList/"):
            target = name.partition("/")[2]
            out[target] = [v for v in out.get(target, []) if v not in value]
        elif name.startswith("$setElementOrder/"):
            _reorder(kind, out, name.partition("/")[2], value)
    return out


def _field(kind: str, out: Obj, name: str, value: Any) -> None:
    if value is None:
        out.pop(name, None)
        return
    expression = types().get(kind, {}).get(name, "any")
    if isinstance(value, dict) and not expression.startswith("["):
        held = out.get(name)
        inner = element(expression) if expression.startswith("{") else expression
        merged = merge(inner, held if isinstance(held, dict) else {}, value)
        out[name] = merged
        if value.get("$patch") == "delete":
            out.pop(name)
    elif isinstance(value, list):
        out[name] = _list(kind, name, out.get(name) or [], value, expression)
    else:
        out[name] = value


def _list(kind: str, name: str, old: list[Any], patch: list[Any], expression: str) -> list[Any]:
    key = merge_key(kind, name)
    if (kind, name) in _SETS:
        return old + [v for v in patch if v not in old]
    items = [p for p in patch if not (isinstance(p, dict) and p.keys() == {"$patch"})]
    if key is None or len(items) < len(patch):
        return items
    inner = element(expression)
    out = list(old)
    for item in items:
        if not isinstance(item, dict) or key not in item:
            raise KubeError(500, "", f"map: {go_map(item)} does not contain declared merge key: {key}")
        _item(inner, key, out, item)
    return _woven(key, old, items, out)


def go_map(value: Any) -> str:
    """JSON as Go prints it with %v."""
    if isinstance(value, dict):
        return f"map[{' '.join(f'{k}:{go_map(v)}' for k, v in sorted(value.items()))}]"
    if isinstance(value, list):
        return f"[{' '.join(map(go_map, value))}]"
    if value is None:
        return "<nil>"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _woven(key: str, old: list[Any], patch: list[Any], merged: list[Any]) -> list[Any]:
    """The order of a merged list: a patch's own items come as early as the order of the old list lets them."""
    ranks = [item.get(key) for item in old]
    named = [item[key] for item in patch]
    mine = sorted((m for m in merged if m[key] in named), key=lambda m: named.index(m[key]))
    others = [m for m in merged if m[key] not in named]
    out = []
    while mine and others:
        first, own = others[0][key], mine[0][key]
        out.append((others if own in ranks and ranks.index(first) < ranks.index(own) else mine).pop(0))
    return out + mine + others


def _item(inner: str, key: str, out: list[Any], item: Obj) -> None:
    at = next((i for i, held in enumerate(out) if held.get(key) == item[key]), None)
    if item.get("$patch") == "delete":
        if at is not None:
            del out[at]
    elif at is None:
        out.append(merge(inner, {}, item))
    else:
        out[at] = merge(inner, out[at], item)


def _reorder(kind: str, out: Obj, name: str, order: list[Any]) -> None:
    key = merge_key(kind, name)
    ranks = [o.get(key) if isinstance(o, dict) and key else o for o in order]

    def rank(item: Any) -> int:
        value = item.get(key) if isinstance(item, dict) and key else item
        return ranks.index(value) if value in ranks else len(ranks)

    if isinstance(out.get(name), list):
        out[name] = sorted(out[name], key=rank)
