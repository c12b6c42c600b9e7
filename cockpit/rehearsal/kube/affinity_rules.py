"""Validation of node affinity and tolerations."""

from __future__ import annotations

import re

from cockpit.rehearsal.kube.causes import forbidden, required, unsupported, wrong
from cockpit.rehearsal.kube.errors import Cause, Obj

_KEY = re.compile(r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_KEY_RULE = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
    "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
_VALUE_RULE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with "
    "an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
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
    if not _KEY.fullmatch(key):
        out.append(wrong(f"{path}.key", key, _KEY_RULE))
    out += [wrong(f"{path}.values[{i}]", v, _VALUE_RULE) for i, v in enumerate(values) if not _VALUE.fullmatch(v)]
    return out


def toleration_causes(tolerations: list[Obj], path: str) -> list[Cause]:
    """Every rule that these tolerations break."""
    out: list[Cause] = []
    for i, toleration in enumerate(tolerations):
        here, operator = f"{path}[{i}]", toleration.get("operator") or "Equal"
        if operator not in ("Equal", "Exists"):
            out.append(unsupported(f"{here}.operator", operator, ["Equal", "Exists"]))
        if not toleration.get("key") and operator == "Equal":
            out.append(
                wrong(
                    f"{here}.operator",
                    operator,
                    'operator must be Exists when `key` is empty, which means "match all values and all keys"',
                )
            )
        if operator == "Exists" and toleration.get("value"):
            out.append(wrong(f"{here}.operator", toleration, "value must be empty when `operator` is 'Exists'"))
        if toleration.get("effect") and toleration["effect"] not in _EFFECTS:
            out.append(unsupported(f"{here}.effect", toleration["effect"], _EFFECTS))
    return out
