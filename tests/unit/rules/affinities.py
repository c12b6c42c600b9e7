"""Strategies for affinities and nodes: few keys and values, so that things match often enough to prove something."""

from __future__ import annotations

from typing import TypeVar

from hypothesis import strategies as st

from cockpit.model.arch import ARCH_LABEL, LEGACY_ARCH_LABEL, Arch
from cockpit.model.cluster import Node
from cockpit.model.json import Json

T = TypeVar("T")

KEYS = [ARCH_LABEL, LEGACY_ARCH_LABEL, "pool", "generation"]
_ARCHES = [str(arch) for arch in Arch]
VALUES = {ARCH_LABEL: _ARCHES, LEGACY_ARCH_LABEL: _ARCHES, "pool": ["general", ""], "generation": ["5", "07"]}


def _need(key: str, operator: str, *values: str) -> Json:
    return {"key": key, "operator": operator, "values": list(values)} if values else {"key": key, "operator": operator}


def _mostly(usual: st.SearchStrategy[T], rare: st.SearchStrategy[T], of: int = 6) -> st.SearchStrategy[T]:
    return st.integers(0, of - 1).flatmap(lambda n: rare if n == of - 1 else usual)


_SOUND = [
    *(_need(key, "In", *VALUES[key]) for key in KEYS),
    *(_need(key, operator, value) for key in KEYS for operator in ("In", "NotIn") for value in VALUES[key]),
    *(_need(key, operator) for key in [*KEYS, "absent"] for operator in ("Exists", "DoesNotExist")),
    _need("absent", "NotIn", "x"),
    _need("generation", "Gt", "3"),
    _need("generation", "Lt", "7"),
]
_MALFORMED = [
    _need("pool", "In"),
    _need("pool", "NotIn"),
    _need("absent", "NotIn", "no good"),
    _need("no good", "DoesNotExist"),
    _need("", "DoesNotExist"),
    _need("pool", "Exists", "general"),
    _need("generation", "Gt", "-1"),
    _need("generation", "Lt", "1", "9"),
    _need("pool", "Like", "general"),
]
_FIELDS = [_need("metadata.name", operator, name) for operator in ("In", "NotIn") for name in ("a", "b")]
_BAD_FIELDS = [_need("metadata.name", "In", "a", "b"), _need("metadata.name", "Exists"), _need("spec.x", "In", "y")]
_EMPTY_TERMS: list[Json] = [{}, {"matchExpressions": []}, {"matchExpressions": None, "matchFields": []}]

names = st.sampled_from(["a", "b", "c"])
arches = st.sampled_from(list(Arch))

_expression = _mostly(st.sampled_from(_SOUND), st.sampled_from(_MALFORMED), 12)
_field = _mostly(st.sampled_from(_FIELDS), st.sampled_from(_BAD_FIELDS))
_expressions: st.SearchStrategy[Json] = st.builds(
    lambda found: {"matchExpressions": found}, st.lists(_expression, min_size=1, max_size=2)
)
_fields: st.SearchStrategy[Json] = st.builds(
    lambda field, more: {"matchFields": [field], **more},
    _field,
    st.one_of(st.just({}), st.just({"matchExpressions": None}), st.builds(lambda e: {"matchExpressions": [e]}, _expression)),
)
terms = _mostly(_expressions, st.one_of(_fields, _fields, st.sampled_from(_EMPTY_TERMS)), 3)
_required: st.SearchStrategy[Json] = _mostly(
    st.lists(terms, min_size=1, max_size=3).map(lambda found: {"nodeSelectorTerms": found}),
    st.sampled_from([None, {"nodeSelectorTerms": []}, {"nodeSelectorTerms": None}]),
)
_preferred: st.SearchStrategy[Json] = st.lists(
    st.builds(lambda weight, preference: {"weight": weight, "preference": preference}, st.integers(1, 100), terms), max_size=1
)
_others: st.SearchStrategy[dict[str, Json]] = st.sampled_from(
    [{}, {}, {"podAffinity": {"x": [{"topologyKey": "zone"}]}}, {"podAntiAffinity": {}}]
)
_whole: st.SearchStrategy[Json] = st.builds(
    lambda required, preferred, others: {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": required,
            **({"preferredDuringSchedulingIgnoredDuringExecution": preferred} if preferred else {}),
        },
        **others,
    },
    _required,
    _preferred,
    _others,
)
_sparse: st.SearchStrategy[Json] = st.one_of(
    st.none(),
    _others,
    st.sampled_from([{"nodeAffinity": None}, {"nodeAffinity": {}}]),
    st.builds(lambda found: {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": found}}, _preferred),
)
affinities = _mostly(_whole, _sparse, 4)

_labels: st.SearchStrategy[dict[str, str]] = st.fixed_dictionaries(
    {ARCH_LABEL: st.sampled_from(VALUES[ARCH_LABEL])},
    optional={key: st.sampled_from(VALUES[key]) for key in KEYS if key != ARCH_LABEL},
)
nodes = st.builds(
    lambda name, labels: Node(name, labels.get(ARCH_LABEL, ""), "", True, labels=labels),
    names,
    _mostly(_labels, st.just({})),
)
selectors: st.SearchStrategy[dict[str, str]] = _mostly(
    st.just({}), st.sampled_from([{key: value} for key in KEYS for value in VALUES[key]]), 4
)
