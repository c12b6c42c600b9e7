from __future__ import annotations

import json
import tracemalloc
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.clock import ManualClock
from cockpit.errors import UsageError
from cockpit.model.cluster import Ref
from cockpit.model.playbook import Agent
from cockpit.rehearsal.crowd.crowd import Crowd
from cockpit.rehearsal.crowd.journal import Journal, Moment
from cockpit.rehearsal.crowd.names import Suffixes
from cockpit.rehearsal.crowd.rows import Phase, Row, Rows, packed
from cockpit.rehearsal.crowd.size import Size, asked
from cockpit.rehearsal.kube.errors import KubeError
from cockpit.rehearsal.kube.negotiate import Form
from cockpit.rehearsal.kube.resources import stored
from cockpit.rehearsal.kube.selectors import parse
from cockpit.rehearsal.kube.streaming import pieces
from cockpit.rehearsal.kube.table import partial, table_row
from cockpit.rehearsal.objects import arch_of, is_ready
from cockpit.rehearsal.world import ORIGIN, World
from tests.unit.rehearsal.crowds import crowded, held
from tests.unit.rehearsal.worlds import playbook, world

BYTES_AN_OBJECT = 64


@given(count=st.integers(1, 200_000), seed=st.integers(0, 1000), data=st.data())
def test_names_are_in_the_order_of_their_numbers_whoever_was_replaced(count: int, seed: int, data: st.DataObject) -> None:
    suffixes = Suffixes(count, seed)
    numbers = sorted(data.draw(st.sets(st.integers(0, count - 1), min_size=1, max_size=6)))
    generations = st.integers(0, 300)
    names = [suffixes.of(n, data.draw(generations)) for n in numbers]
    assert names == sorted(set(names))


@given(number=st.integers(0, 9), generation=st.integers(0, 1000))
def test_whoever_replaces_has_another_name(number: int, generation: int) -> None:
    suffixes = Suffixes(10, 1)
    assert suffixes.of(number, generation) != suffixes.of(number, generation + 1)


@given(born=st.integers(0, 2**32 - 1), generation=st.integers(0, 2**18 - 1), phase=st.sampled_from(Phase))
def test_a_state_is_what_was_packed(born: int, generation: int, phase: Phase) -> None:
    row = Row(0, 1, 2, packed(born, generation, phase))
    assert (row.born, row.generation, row.phase) == (born, generation, phase)
    assert row.absent == (phase is Phase.ABSENT)


@given(seed=st.integers(0, 10_000))
def test_the_rows_of_any_moment_are_known_while_they_change(seed: int) -> None:
    random, rows, journal = Random(seed), Rows(), Journal(keep=1000)
    for slot in range(5):
        rows.append(slot + 1, 100, 100)
    journal.floor = journal.newest = 5
    seen = {5: [rows.row(slot) for slot in range(5)]}
    moments = {5: Moment(rows, journal, 5)}
    for number in range(6, 40):
        new = Row(random.randrange(5), number, number, packed(100, number, random.choice([*Phase])))
        journal.append(rows.row(new.slot), new)
        rows.put(new)
        seen[number] = [rows.row(slot) for slot in range(5)]
        moments[number] = Moment(rows, journal, number)
        at = random.choice([*seen])
        assert [moments[at].row(slot) for slot in range(5)] == seen[at]
    for at, was in seen.items():
        assert [moments[at].row(slot) for slot in range(5)] == was
        empty = {row.slot for row in seen[39] if row.absent}
        assert moments[at].absent(empty) == {row.slot for row in was if row.absent}


def test_a_journal_forgets_the_oldest_and_says_so() -> None:
    rows, journal = Rows(), Journal(keep=10)
    rows.append(1, 0, 0)
    for number in range(2, 60):
        new = Row(0, number, number, packed(0, number, Phase.READY))
        journal.append(rows.row(0), new)
        rows.put(new)
    assert 10 <= 59 - journal.floor <= 20
    assert [new.number for _, new in journal.since(journal.floor)] == [*range(journal.floor + 1, 60)]
    with pytest.raises(KubeError, match="too old resource version") as refused:
        journal.check(journal.floor - 1)
    assert refused.value.code == 410


def test_each_agent_is_ready_once_on_each_node_and_its_daemonset_counts_it() -> None:
    made, _ = crowded()
    nodes = {n.name for n in held(made, "nodes")}
    pods = [h.obj for h in held(made, "pods")]
    assert (len(nodes), len(pods)) == (50, 500)
    daemonsets = made.storage.list("daemonsets")
    assert {d["metadata"]["name"] for d in daemonsets} == {"aws-node", "edr-sensor", "kube-proxy"}
    for owner in daemonsets:
        uid, status = owner["metadata"]["uid"], owner["status"]
        mine = [p for p in pods if p["metadata"]["ownerReferences"][0]["uid"] == uid]
        own = made.cluster.pods_of[uid]
        assert {p["spec"]["nodeName"] for p in mine} == nodes and len(mine) == 50
        assert all(is_ready(p) for p in mine)
        assert {h["controller-revision-hash"] for p in mine for h in [p["metadata"]["labels"]]} == {
            p["metadata"]["labels"]["controller-revision-hash"] for p in own.values()
        }
        names = ("desiredNumberScheduled", "currentNumberScheduled", "numberReady", "updatedNumberScheduled", "numberAvailable")
        assert {status[n] for n in names} == {50 + len(own)}


def test_the_rest_are_pods_of_replicasets_elsewhere_spread_over_the_nodes() -> None:
    made, _ = crowded()
    others = [o for h in held(made, "pods") if (o := h.obj)["metadata"]["ownerReferences"][0]["kind"] == "ReplicaSet"]
    assert len(others) == 350
    assert set(Counter(p["spec"]["nodeName"] for p in others).values()) == {7}
    assert "payments" not in {p["metadata"]["namespace"] for p in others}
    assert all(made.storage.find("namespaces", None, p["metadata"]["namespace"]) for p in others)
    addresses = Counter(p["status"]["podIP"] for p in others)
    assert max(addresses.values()) == 1


def test_half_of_the_nodes_are_arm64() -> None:
    made, _ = crowded(nodes=51, pods=500)
    nodes = [h.obj for h in held(made, "nodes")]
    assert Counter(arch_of(n) for n in nodes) == {"amd64": 26, "arm64": 25}
    assert all(n["status"]["nodeInfo"]["architecture"] == arch_of(n) for n in nodes)


@pytest.mark.parametrize("size", [6000, 27_000])
def test_objects_are_as_big_as_those_of_a_real_cluster(size: int) -> None:
    made, _ = crowded(pod_bytes=size)
    bodies = [len(h.body) for h in held(made, "pods")]
    assert size * 0.98 <= sum(bodies) / len(bodies) <= size * 1.07
    nodes = [len(h.body) for h in held(made, "nodes")]
    assert min(nodes) > 9_000 and max(nodes) < 10_000


def test_the_same_seed_makes_the_same_crowd_and_the_same_changes() -> None:
    def story(seed: int) -> list[bytes]:
        made, crowd = crowded(seed=seed)
        crowd.churn.change(300, 1_800_000_000)
        return [h.body for resource in ("nodes", "pods") for h in held(made, resource)]

    assert story(3) == story(3)
    assert set(story(3)).isdisjoint(story(4))


def test_what_happens_is_of_every_kind_and_never_makes_an_agent_unready() -> None:
    made, crowd = crowded()
    before, start = {h.key: h for h in held(made, "pods")}, made.storage.resource_version
    crowd.churn.change(2000, 1_800_000_000)
    assert made.storage.resource_version == start + 2000
    pods = {h.key: h for h in held(made, "pods")}
    gone, new = before.keys() - pods.keys(), pods.keys() - before.keys()
    assert gone and new and len(pods) == 500 - len(crowd.pods.empty)
    ready = Counter((o["metadata"]["ownerReferences"][0]["kind"], is_ready(o)) for h in pods.values() if (o := h.obj))
    assert ready["DaemonSet", False] == 0 and 0 < ready["ReplicaSet", False] <= 16
    beats = {h.obj["status"]["conditions"][-1]["lastHeartbeatTime"] for h in held(made, "nodes")}
    assert "2027-01-15T08:00:00Z" in beats


def test_what_was_is_listed_as_it_was_whatever_happens_since() -> None:
    made, crowd = crowded()
    at, was = made.storage.resource_version, [h.body for h in held(made, "pods")]
    for _ in range(5):
        crowd.churn.change(100, 1_800_000_000)
        assert [h.body for h in held(made, "pods", at)] == was
    assert [h.body for h in held(made, "pods")] != was


def test_a_crowd_ten_times_as_big_costs_a_few_bytes_an_object_more() -> None:
    def cost(nodes: int, pods: int) -> int:
        made = world()
        tracemalloc.start()
        kept = Crowd(made, Size(nodes, pods))
        current, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert len(kept.pods.rows) == pods
        return current

    small, big = cost(50, 1_500), cost(500, 15_000)
    assert big - small < BYTES_AN_OBJECT * (15_500 - 1_550)


def test_a_list_is_never_in_memory() -> None:
    made, _ = crowded(nodes=100, pods=3_000)
    chosen = made.storage.bulk["pods"].choose("", parse("pods", "", ""))
    objects = made.storage.bulk["pods"].list(made.storage.resource_version, chosen, None)
    tracemalloc.start()
    sent = sum(len(piece) for piece in pieces(stored("pods"), objects, Form(), ORIGIN, {}))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sent > 3_000 * 6_000 and peak < sent / 20


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((0, None, None, None), "--nodes 0: must be 1 to 20000"),
        ((20_001, None, None, None), "--nodes 20001: must be 1 to 20000"),
        ((10, 5, None, None), "--pods 5: must be 10 to 1100"),
        ((10, 1101, None, None), "--pods 1101: must be 10 to 1100"),
        ((10, None, -1, None), "--events -1: must be 0 to 5000"),
        ((10, None, 5001, None), "--events 5001: must be 0 to 5000"),
        ((10, None, None, 5999), "--pod-bytes 5999: must be 6000 to 64000"),
        ((None, 100, None, None), "--pods 100: goes with --nodes"),
        ((None, None, 100, None), "--events 100: goes with --nodes"),
    ],
)
def test_a_size_that_cannot_be_is_refused_by_option_and_range(
    options: tuple[int | None, int | None, int | None, int | None], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        asked(*options)


def test_a_size_has_the_limits_own_proportion_by_default_and_none_is_none() -> None:
    assert asked(None, None, None, None) is None
    assert asked(5000, None, 1000, None) == Size(5000, 150_000, 1000, 6000)


def test_fewer_pods_than_the_agents_alone_are_refused() -> None:
    with pytest.raises(UsageError, match=r"--pods 10: the world's 3 DaemonSets alone run 30 on 10 nodes; give 30 to 1100"):
        Crowd(world(), Size(10, 10))


def test_a_table_shows_of_each_object_what_it_shows_of_the_whole_of_it() -> None:
    made, crowd = crowded()
    crowd.churn.change(300, int(ORIGIN.timestamp()))
    now = ORIGIN + timedelta(hours=5)
    for resource in ("nodes", "pods"):
        for h in held(made, resource):
            quick = h.quick(now)
            assert quick is not None
            row = {"cells": quick.cells, "object": {**partial({"metadata": {}}), "metadata": json.loads(quick.metadata)}}
            assert row == table_row(resource, h.obj, now)


def test_agents_whose_names_begin_alike_are_listed_in_order_too() -> None:
    refs = [Ref("daemonset", "kube-system", name) for name in ("aws-node", "aws-node-5", "aws-node-termination-handler")]
    made = World(replace(playbook(balanced=False), agents=tuple(Agent(ref) for ref in refs)), ManualClock(), seed=1)
    Crowd(made, Size(40, 400))
    bulk, keys = made.storage.bulk["pods"], [h.key for h in held(made, "pods")]
    assert len(keys) == 400 and keys == sorted(keys)
    agents = [name for namespace, name in keys if namespace == "kube-system" and name.startswith("aws-node")]
    owners = [name.rpartition("-")[0] for name in agents]
    assert owners != sorted(owners), "or they do not lie among each other"
    chosen, at = bulk.choose("", parse("pods", "", "")), made.storage.resource_version
    for number, after in enumerate(keys, 1):
        assert next((h.key for h in bulk.list(at, chosen, after)), None) == (keys[number] if number < 400 else None)
        assert bulk.left(at, "", after) == 400 - number


def test_agents_alone_are_a_crowd_too() -> None:
    made, crowd = crowded(nodes=10, pods=30)
    crowd.churn.change(200, 1_800_000_000)
    assert len(held(made, "pods")) == 30
