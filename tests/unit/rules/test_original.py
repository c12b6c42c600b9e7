"""What a rollback puts back: the node affinity from before the run, and around it whatever others have made of it since."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.errors import Impossible
from cockpit.model.json import Json, canonical
from cockpit.rules.original import ORIGINAL, homeward, left
from tests.factories import deployment

X86: Json = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": []}]}}
ARM: Json = {"preferredDuringSchedulingIgnoredDuringExecution": []}
APART: Json = {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 7}]}
BESIDE = ("podAffinity", "podAntiAffinity")

parts = st.dictionaries(st.sampled_from(BESIDE), st.sampled_from([X86, APART]), max_size=2)
nodes = st.sampled_from([None, X86])


def made(node: Json, beside: dict[str, Json]) -> Json:
    return {**({} if node is None else {"nodeAffinity": node}), **beside} or None


@given(was=nodes, beside=parts)
def test_nobody_else_there_it_is_the_original_to_the_letter(was: Json, beside: dict[str, Json]) -> None:
    before = made(was, beside)
    moved = deployment(affinity={**beside, "nodeAffinity": ARM}, annotations={ORIGINAL: json.dumps(before)})
    assert canonical(homeward(moved)) == canonical(before)
    assert left(moved) == ()


@given(was=nodes, before=parts, after=parts)
def test_what_others_put_beside_it_stays(was: Json, before: dict[str, Json], after: dict[str, Json]) -> None:
    record = json.dumps(made(was, before))
    moved = deployment(affinity={**after, "nodeAffinity": ARM}, annotations={ORIGINAL: record})
    assert canonical(homeward(moved)) == canonical(made(was, after))
    assert set(left(moved)) == {part for part in BESIDE if canonical(before.get(part)) != canonical(after.get(part))}


def test_an_empty_original_stays_as_empty_as_it_was() -> None:
    moved = deployment(affinity={"nodeAffinity": ARM}, annotations={ORIGINAL: "{}"})
    assert homeward(moved) == {}


def test_a_damaged_record_is_said() -> None:
    moved = deployment(affinity={"nodeAffinity": ARM}, annotations={ORIGINAL: "{"})
    with pytest.raises(Impossible, match="damaged"):
        homeward(moved)
