"""Where a pod may run: node selectors, affinity terms, taints, as kube-scheduler reads them."""

from __future__ import annotations

from collections.abc import Mapping

from cockpit.rehearsal.kube.errors import Obj


def requirement_holds(requirement: Obj, labels: Mapping[str, str]) -> bool:
    """One matchExpressions or matchFields entry. NotIn holds where the key is absent; Gt and Lt compare whole numbers."""
    have = labels.get(requirement["key"])
    values = [str(v) for v in requirement.get("values") or []]
    match requirement["operator"]:
        case "In":
            return have in values
        case "NotIn":
            return have not in values
        case "Exists":
            return have is not None
        case "DoesNotExist":
            return have is None
        case "Gt" | "Lt" as operator:
            return _compare(have, values, greater=operator == "Gt")
        case _:
            return False


def _compare(have: str | None, values: list[str], *, greater: bool) -> bool:
    try:
        mine, limit = int(have or ""), int(values[0])
    except (ValueError, IndexError):
        return False
    return mine > limit if greater else mine < limit


def term_holds(term: Obj, node: Obj) -> bool:
    """All expressions and fields of a term hold; an empty term matches nothing."""
    expressions, fields = term.get("matchExpressions") or [], term.get("matchFields") or []
    if not expressions and not fields:
        return False
    labels = node["metadata"].get("labels") or {}
    named = {"metadata.name": node["metadata"]["name"]}
    return all(requirement_holds(e, labels) for e in expressions) and all(requirement_holds(f, named) for f in fields)


def _node_affinity(spec: Obj) -> Obj:
    affinity: Obj = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    return affinity


def affinity_holds(spec: Obj, node: Obj) -> bool:
    """nodeSelector and required node affinity (terms are ORed) admit the node."""
    labels = node["metadata"].get("labels") or {}
    if any(labels.get(k) != v for k, v in (spec.get("nodeSelector") or {}).items()):
        return False
    required = _node_affinity(spec).get("requiredDuringSchedulingIgnoredDuringExecution")
    if required is None:
        return True
    return any(term_holds(t, node) for t in required.get("nodeSelectorTerms") or [])


def preference(spec: Obj, node: Obj) -> int:
    """The sum of the weights of the preferred terms that the node meets. An empty preference meets every node."""
    preferred = _node_affinity(spec).get("preferredDuringSchedulingIgnoredDuringExecution") or []
    return sum(p["weight"] for p in preferred if _prefers(p["preference"], node))


def _prefers(term: Obj, node: Obj) -> bool:
    empty = not term.get("matchExpressions") and not term.get("matchFields")
    return empty or term_holds(term, node)


def tolerates(toleration: Obj, taint: Obj) -> bool:
    """A toleration covers a taint (core/v1 ToleratesTaint)."""
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    if toleration.get("operator", "Equal") == "Exists":
        return True
    return bool(toleration.get("key")) and toleration.get("value", "") == taint.get("value", "")


def untolerated(spec: Obj, node: Obj, effects: tuple[str, ...] = ("NoSchedule", "NoExecute")) -> Obj | None:
    """The first taint with one of these effects that the pod does not tolerate, or None."""
    tolerations = spec.get("tolerations") or []
    for taint in node.get("spec", {}).get("taints") or []:
        if taint["effect"] in effects and not any(tolerates(t, taint) for t in tolerations):
            found: Obj = taint
            return found
    return None
