"""The workloads' pods are found by selector, and looked for once as long as nothing changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import MappingProxyType

from hypothesis import given
from hypothesis import strategies as st

from cockpit.model.cluster import Pod
from cockpit.rules.kept import forget
from cockpit.rules.nodes import pods_of
from tests.factories import API, CANARY, deployment, pod, snapshot


class Counted(dict[str, Pod]):
    """Counts how often its pods are read, one by one or all of them."""

    reads = 0

    def values(self) -> Iterator[Pod]:  # type: ignore[override]
        self.reads += len(self)
        return iter(super().values())

    def get(self, key: str, default: Pod | None = None) -> Pod | None:  # type: ignore[override]
        self.reads += 1
        return super().get(key, default)


def test_every_rule_of_a_tick_and_of_the_next_reads_the_pods_once() -> None:
    forget()
    pods = Counted(snapshot().pods)
    first = snapshot(pods=pods)
    following = replace(first, seq=2)
    assert [len(pods_of(s, ref)) for s in (first, following) for ref in (API, CANARY)] == [4, 4, 4, 4]
    assert pods.reads <= 2 * len(pods)  # once for whose they are, once by a new selector
    grown = Counted({**pods, "payments/canary-9": pod("canary-9", "a0", CANARY)})
    assert len(pods_of(replace(first, pods=grown), CANARY)) == 5
    narrow = {**first.deployments, f"payments/{CANARY.name}": deployment(CANARY, selector={"app": CANARY.name, "track": "x"})}
    assert not pods_of(replace(first, deployments=narrow), CANARY)
    assert len(pods_of(first, CANARY)) == 4


_LABELS = st.dictionaries(st.sampled_from(["app", "track"]), st.sampled_from(["a", "b"]))


@given(_LABELS, st.lists(st.tuples(_LABELS, st.booleans(), st.sampled_from(["Running", "Failed", "Succeeded"]))))
def test_a_selector_picks_live_pods_that_have_all_of_its_labels(selector: dict[str, str], made: list[tuple[object, ...]]) -> None:
    found = {
        f"payments/{n}": pod(str(n), "x0", labels=labels, terminating=going, phase=phase)
        for n, (labels, going, phase) in enumerate(made)
    }
    seen = snapshot(pods=MappingProxyType(found), deployments={f"payments/{API.name}": deployment(selector=selector)})
    alive = [p for _, p in sorted(found.items()) if not p.terminating and p.phase == "Running"]
    assert list(pods_of(seen, API)) == [p for p in alive if all(p.labels.get(k) == v for k, v in selector.items())]
    assert not pods_of(seen, CANARY), "there is no such Deployment"
