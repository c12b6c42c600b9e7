"""The algebra of Kubernetes node affinity: what it admits, and how it is bound to an architecture without ever widening it.

Semantics are those of the scheduler's own matcher (k8s.io/component-helpers, package nodeaffinity): terms are ORed, the
requirements inside a term ANDed, an empty or malformed term matches nothing. Every function returns new JSON.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping, Sequence

from cockpit.model.arch import ARCH_LABEL, ARCH_LABELS, Arch
from cockpit.model.cluster import Node
from cockpit.model.json import Json

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"

_NAME = r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_LABEL = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_KEY = re.compile(rf"(?:(?=[^/]{{1,253}}/){_LABEL}(?:\.{_LABEL})*/)?{_NAME}", re.ASCII)
_VALUE = re.compile(rf"(?:{_NAME})?", re.ASCII)
_INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
_INT64 = 2**63


def admits(affinity: Json, node_selector: Mapping[str, str], node: Node) -> bool:
    """Whether the scheduler's node affinity and node selector filters let a pod onto `node` (taints and room aside)."""
    if any(node.labels.get(key) != value for key, value in node_selector.items()):
        return False
    required = _required(affinity)
    if required is None:
        return True
    return any(_term_matches(term, node.labels, node.name) for term in _objects(required.get("nodeSelectorTerms")))


def alternatives(affinity: Json, node_selector: Mapping[str, str]) -> list[list[dict[str, Json]]]:
    """The label requirements of which one list has to hold in whole: a required term each, with the node selector in it.

    Empty when nothing can match. A term that asks for a node's name is left out: this is for nodes that have none yet.
    """
    selected: list[dict[str, Json]] = [{"key": k, "operator": "In", "values": [v]} for k, v in node_selector.items()]
    required = _required(affinity)
    if required is None:
        return [selected]
    terms = [t for t in _objects(required.get("nodeSelectorTerms")) if not _empty(t) and not t.get("matchFields")]
    return [[*selected, *_objects(term.get("matchExpressions"))] for term in terms]


def holds(requirement: Mapping[str, Json], labels: Mapping[str, str]) -> bool:
    """Whether labels meet one label requirement; a malformed one is never met."""
    return _expression_matches(dict(requirement), labels)


def narrow(affinity: Json, arch: Arch) -> Json:
    """`affinity` with `kubernetes.io/arch In [arch]` ANDed into every required term; one such term when nothing is required.

    Adding it as a term of its own would widen the placement, as terms are ORed. A term that matches nothing is left as it
    is, since a requirement in it would make it match. Narrowing twice is narrowing once.
    """
    result = _copy(affinity)
    node_affinity = _child(result, "nodeAffinity")
    required = node_affinity.get(REQUIRED)
    if not isinstance(required, dict):
        node_affinity[REQUIRED] = {"nodeSelectorTerms": [{"matchExpressions": [_is(arch)]}]}
        return result
    for term in _objects(required.get("nodeSelectorTerms")):
        expressions = _objects(term.get("matchExpressions"))
        if not _empty(term) and _is(arch) not in expressions:
            term["matchExpressions"] = [*expressions, _is(arch)]
    return result


def prefer(affinity: Json, arch: Arch, weight: int) -> Json:
    """`affinity` with a preference of `weight` (1-100) for `arch`; one that is there already gets the weight. Admits the same."""
    result = _copy(affinity)
    node_affinity = _child(result, "nodeAffinity")
    terms = _list(node_affinity.get(PREFERRED))
    preference: dict[str, Json] = {"matchExpressions": [_is(arch)]}
    mine = [t for t in _objects(terms) if t.get("preference") == preference]
    for term in mine:
        term["weight"] = weight
    if not mine:
        terms = [*terms, {"weight": weight, "preference": preference}]
    node_affinity[PREFERRED] = terms
    return result


def preference_for(affinity: Json, arch: Arch) -> int:
    """The summed weight of the preferred terms that ask for exactly `arch`, 0 when there is none."""
    node_affinity = _get(affinity, "nodeAffinity")
    terms = _objects(_get(node_affinity, PREFERRED))
    weights = [t.get("weight") for t in terms if _objects(_get(t.get("preference"), "matchExpressions")) == [_is(arch)]]
    return sum(w for w in weights if isinstance(w, int))


def pinned_to(affinity: Json, node_selector: Mapping[str, str]) -> Arch | None:
    """The only architecture that the required terms and the node selector leave, by either arch label; None when not one."""
    possible = [arch for arch in Arch if _possible(affinity, node_selector, arch)]
    return possible[0] if len(possible) == 1 else None


def _possible(affinity: Json, node_selector: Mapping[str, str], arch: Arch) -> bool:
    labels = dict.fromkeys(ARCH_LABELS, str(arch))
    if any(node_selector.get(key, arch) != arch for key in ARCH_LABELS):
        return False
    required = _required(affinity)
    if required is None:
        return True
    terms = _objects(required.get("nodeSelectorTerms"))
    return any(not _empty(term) and _arch_part_matches(term, labels) for term in terms)


def _arch_part_matches(term: dict[str, Json], labels: Mapping[str, str]) -> bool:
    about_arch = [e for e in _objects(term.get("matchExpressions")) if e.get("key") in ARCH_LABELS]
    return all(_expression_matches(e, labels) for e in about_arch)


def _term_matches(term: dict[str, Json], labels: Mapping[str, str], name: str) -> bool:
    if _empty(term):
        return False
    expressions, fields = _list(term.get("matchExpressions")), _list(term.get("matchFields"))
    # A malformed requirement makes the whole term match nothing, whatever the others say: `all` does the same.
    return all(_expression_matches(e, labels) for e in expressions) and all(_field_matches(f, name) for f in fields)


def _expression_matches(expression: Json, labels: Mapping[str, str]) -> bool:
    key, operator, values = _requirement(expression)
    matches = _OPERATORS.get(operator)
    if matches is None or not _KEY.fullmatch(key) or not all(_VALUE.fullmatch(v) for v in values):
        return False
    return matches(labels.get(key), values)


def _field_matches(field: Json, name: str) -> bool:
    key, operator, values = _requirement(field)
    if len(values) != 1 or operator not in ("In", "NotIn"):
        return False
    actual = name if key == "metadata.name" else ""
    return (actual == values[0]) is (operator == "In")


def _in(label: str | None, values: Sequence[str]) -> bool:
    return label is not None and label in values


def _not_in(label: str | None, values: Sequence[str]) -> bool:
    return bool(values) and label not in values


def _exists(label: str | None, values: Sequence[str]) -> bool:
    return label is not None and not values


def _does_not_exist(label: str | None, values: Sequence[str]) -> bool:
    return label is None and not values


def _greater(label: str | None, values: Sequence[str]) -> bool:
    pair = _integers(label, values)
    return pair is not None and pair[0] > pair[1]


def _less(label: str | None, values: Sequence[str]) -> bool:
    pair = _integers(label, values)
    return pair is not None and pair[0] < pair[1]


_OPERATORS: Mapping[str, Callable[[str | None, Sequence[str]], bool]] = {
    "In": _in,
    "NotIn": _not_in,
    "Exists": _exists,
    "DoesNotExist": _does_not_exist,
    "Gt": _greater,
    "Lt": _less,
}


def _integers(label: str | None, values: Sequence[str]) -> tuple[int, int] | None:
    if label is None or len(values) != 1:
        return None
    left, right = _int64(label), _int64(values[0])
    return None if left is None or right is None else (left, right)


def _int64(text: str) -> int | None:
    # Length first: Python refuses to read numbers of thousands of digits. Label values have at most 63 characters.
    if len(text) > 63 or not _INTEGER.fullmatch(text):
        return None
    number = int(text)
    return number if -_INT64 <= number < _INT64 else None


def _requirement(value: Json) -> tuple[str, str, list[str]]:
    if not isinstance(value, dict):
        return "", "", []
    return str(value.get("key", "")), str(value.get("operator", "")), [str(v) for v in _list(value.get("values"))]


def _empty(term: dict[str, Json]) -> bool:
    return not term.get("matchExpressions") and not term.get("matchFields")


def _is(arch: Arch) -> dict[str, Json]:
    return {"key": ARCH_LABEL, "operator": "In", "values": [str(arch)]}


def _required(affinity: Json) -> dict[str, Json] | None:
    required = _get(_get(affinity, "nodeAffinity"), REQUIRED)
    return required if isinstance(required, dict) else None


def _get(value: Json, key: str) -> Json:
    return value.get(key) if isinstance(value, dict) else None


def _child(parent: dict[str, Json], key: str) -> dict[str, Json]:
    child = parent.get(key)
    if not isinstance(child, dict):
        child = parent[key] = {}
    return child


def _copy(affinity: Json) -> dict[str, Json]:
    return copy.deepcopy(affinity) if isinstance(affinity, dict) else {}


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _objects(value: Json) -> list[dict[str, Json]]:
    return [item for item in _list(value) if isinstance(item, dict)]
