"""Validation of node affinity and tolerations."""

from __future__ import annotations

from cockpit.rehearsal.kube.causes import forbidden, required, unsupported, wrong
from cockpit.rehearsal.kube.errors import Cause, Obj
from cockpit.rehearsal.kube.labels import key_faults, value_faults

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_OPERATORS, _GATED = ["Equal", "Exists"], ["Lt", "Gt"]
"""1.36 takes the last two behind a feature gate only, and lists them when it refuses one of them."""
_EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"]


def affinity_causes(affinity: Obj, path: str) -> list[Cause]:
    """Every rule that this `affinity` breaks in its nodeAffinity."""
    node = affinity.get("nodeAffinity") or {}
    path = f"{path}.nodeAffinity"
    out: list[Cause] = []
    if _REQUIRED in node:
        terms = node[_REQUIRED].get("nodeSelectorTerms") or []
        here = f"{path}.{_REQUIRED}.nodeSelectorTerms"
        if not terms:
            out.append(required(here, "must have at least one node selector term"))
        for i, term in enumerate(terms):
            out += _term(term, f"{here}[{i}]")
    for i, preferred in enumerate(node.get(_PREFERRED) or []):
        here = f"{path}.{_PREFERRED}[{i}]"
        weight = preferred.get("weight", 0)
        if not 1 <= weight <= 100:
            out.append(wrong(f"{here}.weight", weight, "must be in the range 1-100"))
        out += _term(preferred.get("preference") or {}, f"{here}.preference")
    return out


def _term(term: Obj, path: str) -> list[Cause]:
    out: list[Cause] = []
    for i, requirement in enumerate(term.get("matchExpressions") or []):
        out += _requirement(requirement, f"{path}.matchExpressions[{i}]")
    for i, match in enumerate(term.get("matchFields") or []):
        here = f"{path}.matchFields[{i}]"
        if match.get("operator") not in ("In", "NotIn"):
            out.append(wrong(f"{here}.operator", match.get("operator", ""), "not a valid selector operator"))
        elif len(match.get("values") or []) != 1:
            why = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
            out.append(required(f"{here}.values", why))
        if match.get("key") != "metadata.name":
            out.append(wrong(f"{here}.key", match.get("key", ""), "not a valid field selector key"))
    return out


def _requirement(requirement: Obj, path: str) -> list[Cause]:
    operator, values, key = requirement.get("operator", ""), requirement.get("values") or [], requirement.get("key", "")
    out: list[Cause] = []
    if operator in ("In", "NotIn"):
        if not values:
            out.append(required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'"))
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            out.append(forbidden(f"{path}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
    elif operator in ("Gt", "Lt"):
        if len(values) != 1:
            out.append(required(f"{path}.values", "must be specified single value when `operator` is 'Lt' or 'Gt'"))
    else:
        out.append(wrong(f"{path}.operator", operator, "not a valid selector operator"))
    out += [wrong(f"{path}.key", key, why) for why in key_faults(key)]
    return out + [wrong(f"{path}.values[{i}]", v, why) for i, v in enumerate(values) for why in value_faults(v)]


def toleration_causes(tolerations: list[Obj], path: str) -> list[Cause]:
    """Every rule that these tolerations break."""
    return [cause for i, toleration in enumerate(tolerations) for cause in _toleration(toleration, f"{path}[{i}]")]


def _toleration(toleration: Obj, path: str) -> list[Cause]:
    key, value, effect = (toleration.get(name) or "" for name in ("key", "value", "effect"))
    operator = toleration.get("operator") or ""
    out = [wrong(f"{path}.key", key, why) for why in key_faults(key)] if key else []
    if not key and operator != "Exists":
        why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
        out.append(wrong(f"{path}.operator", operator, why))
    if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
        out.append(wrong(f"{path}.effect", effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"))
    if operator in ("", "Equal"):
        out += [wrong(f"{path}.operator", value, why) for why in value_faults(value)[:1]]
    elif operator != "Exists":
        out.append(unsupported(f"{path}.operator", operator, _OPERATORS + (_GATED if operator in _GATED else [])))
    elif value:
        out.append(wrong(f"{path}.operator", value, "value must be empty when `operator` is 'Exists'"))
    if effect and effect not in _EFFECTS:
        out.append(unsupported(f"{path}.effect", effect, _EFFECTS))
    return out
