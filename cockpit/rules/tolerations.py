"""Which taints a pod tolerates, as the scheduler decides (core/v1 Toleration.ToleratesTaint)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cockpit.model.cluster import Node, Taint
from cockpit.model.json import Json

REPELLING = ("NoSchedule", "NoExecute")


def tolerates(toleration: Mapping[str, Json], taint: Taint) -> bool:
    """Whether one toleration covers `taint`. An empty effect covers all effects, an empty key with Exists all keys."""
    effect, key = toleration.get("effect") or "", toleration.get("key") or ""
    if effect not in ("", taint.effect) or key not in ("", taint.key):
        return False
    match toleration.get("operator") or "Equal":
        case "Exists":
            return True
        case "Equal":
            return key == taint.key and (toleration.get("value") or "") == taint.value
        case _:
            return False


def repelling(tolerations: Iterable[Mapping[str, Json]], node: Node) -> tuple[Taint, ...]:
    """The taints of `node` that keep a pod with these tolerations off it; PreferNoSchedule never does."""
    if not node.taints:
        return ()
    known = tuple(tolerations)
    hard = (taint for taint in node.taints if taint.effect in REPELLING)
    return tuple(taint for taint in hard if not any(tolerates(t, taint) for t in known))
