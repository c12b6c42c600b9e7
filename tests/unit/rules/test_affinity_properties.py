"""Whatever the affinity and the nodes: narrowing never widens, keeps all that was there, and can be taken back."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.levers.affinity_patch import RUN, Part
from cockpit.model.arch import ARCH_LABEL, Arch
from cockpit.model.cluster import Node
from cockpit.model.json import Json, canonical
from cockpit.rules.affinity import admits, narrow, prefer
from cockpit.rules.original import ORIGINAL
from tests.thorough import either
from tests.unit.levers.wire import FOREIGN, body, send
from tests.unit.rules import affinities as some

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PAIRS = either(10_000, 1_000)


def _required(affinity: Json) -> Json:
    node_affinity = affinity.get("nodeAffinity") if isinstance(affinity, dict) else None
    return node_affinity.get(REQUIRED) if isinstance(node_affinity, dict) else None


def _take_back(before: Json, after: Json, arch: Arch) -> None:
    """Remove from `after` exactly what narrowing adds, term by term; asserts that it is nothing else."""
    assert isinstance(before, dict)
    assert isinstance(after, dict)
    old_terms, new_terms = before["nodeSelectorTerms"] or [], after["nodeSelectorTerms"] or []
    assert isinstance(old_terms, list)
    assert isinstance(new_terms, list)
    assert len(old_terms) == len(new_terms)
    for old, new in zip(old_terms, new_terms, strict=True):
        assert isinstance(old, dict)
        assert isinstance(new, dict)
        if canonical(old) != canonical(new):
            expressions = new["matchExpressions"]
            assert isinstance(expressions, list)
            assert expressions.pop() == {"key": ARCH_LABEL, "operator": "In", "values": [str(arch)]}
            if not expressions and "matchExpressions" not in old:
                del new["matchExpressions"]
            elif not expressions:
                new["matchExpressions"] = old["matchExpressions"]  # null or [], which both mean none
    assert canonical(before) == canonical(after)


def _check_narrowing(affinity: Json, selector: Mapping[str, str], nodes: list[Node], arch: Arch) -> None:
    narrowed = narrow(affinity, arch)
    for node in nodes:
        wanted = admits(affinity, selector, node) and node.labels.get(ARCH_LABEL) == arch
        assert admits(narrowed, selector, node) == wanted, "the same nodes as before, less those of the other architecture"
    assert canonical(narrow(narrowed, arch)) == canonical(narrowed), "idempotent"
    assert isinstance(narrowed, dict)
    for key, value in (affinity if isinstance(affinity, dict) else {}).items():
        assert key == "nodeAffinity" or narrowed[key] == value
    if isinstance(_required(affinity), dict):
        _take_back(_required(affinity), _required(copy.deepcopy(narrowed)), arch)


def _check_preferring(affinity: Json, selector: Mapping[str, str], nodes: list[Node], arch: Arch, weight: int) -> None:
    preferred = prefer(affinity, arch, weight)
    assert [admits(preferred, selector, n) for n in nodes] == [admits(affinity, selector, n) for n in nodes]
    assert canonical(prefer(preferred, arch, weight)) == canonical(preferred)
    assert canonical(_required(preferred)) == canonical(_required(affinity))


def _check_undo(affinity: Json, annotations: dict[str, str] | None, arch: Arch, weight: int) -> None:
    """Preferred, then required, then back, as JSON Patches."""
    world = body(affinity, annotations)
    first, patch = send(world, Part(prefer(affinity, arch, weight), {ORIGINAL: canonical(affinity), RUN: "one"}))
    second, _ = send(first, Part(narrow(affinity, arch), {ORIGINAL: canonical(affinity), RUN: "two"}))
    back, _ = send(second, Part(json.loads(second["metadata"]["annotations"][ORIGINAL])))
    assert canonical(second["spec"]["template"]["spec"]["affinity"]) == canonical(narrow(affinity, arch))
    assert canonical(back) == canonical(world)
    changed = [op["path"] for op in patch if op["op"] != "test"]
    assert all(path.startswith(("/metadata/annotations", "/spec/template/spec/affinity")) for path in changed)


@pytest.mark.timeout(600)
def test_random_affinities_and_node_sets() -> None:
    seen: Counter[str] = Counter()

    @settings(max_examples=PAIRS, deadline=None, database=None)
    @given(some.affinities, some.selectors, st.lists(some.nodes, min_size=1, max_size=5), some.arches, st.integers(1, 100))
    def check(affinity: Json, selector: dict[str, str], nodes: list[Node], arch: Arch, weight: int) -> None:
        untouched = copy.deepcopy(affinity)
        _check_narrowing(affinity, selector, nodes, arch)
        _check_preferring(affinity, selector, nodes, arch, weight)
        _check_undo(affinity, (None, {FOREIGN: "3"}, {FOREIGN: "3", "a~b/c": "é"})[weight % 3], arch, weight)
        assert affinity == untouched, "no argument is changed"
        terms = isinstance(_required(affinity), dict)
        before = {n.name for n in nodes if admits(affinity, selector, n)}
        after = {n.name for n in nodes if admits(narrow(affinity, arch), selector, n)}
        seen.update({"pairs": 1, "terms": terms, "narrower": terms and after < before, "still some": terms and bool(after)})

    check()

    assert seen["pairs"] >= PAIRS
    assert min(seen["narrower"], seen["still some"]) > PAIRS // 50, f"too few pairs say anything: {seen}"
