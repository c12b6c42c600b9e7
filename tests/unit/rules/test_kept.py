"""What is kept from picture to picture against what is concluded afresh, over random changes to a small cluster."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.model.arch import Arch
from cockpit.model.cluster import Container, DaemonSet, KubeEvent, Node, Pod, Ref, Resources
from cockpit.model.image import Image
from cockpit.model.playbook import Agent
from cockpit.model.snapshot import Freshness, Snapshot, SourceName, SourceState
from cockpit.rules.agents import health, unlisted
from cockpit.rules.kept import Chosen, Remembered, fleet, forget, nodes_in
from cockpit.rules.kept.changes import changes
from cockpit.rules.kept.fleet import ENDED, sick
from cockpit.rules.matrix import look
from cockpit.rules.nodes import mix, pods_of
from cockpit.rules.price import price_performance
from cockpit.rules.readiness import readiness
from cockpit.rules.sidecars import sidecars
from tests.factories import AGENT, API, CANARY, IMAGE, NOW, PLAYBOOK, node, pod, snapshot, with_source

OTHER = Ref("daemonset", "security", "log-shipper")
STRAY = Ref("daemonset", "kube-system", "aws-node")
BOOK = replace(PLAYBOOK, agents=(*PLAYBOOK.agents, Agent(OTHER)))
NAMES = [f"n{i}" for i in range(4)]
TEXT = "exec /bin/agent: exec format error"


def _container(draw: st.DrawFn, ready: bool) -> Container:
    waiting = draw(st.sampled_from(["", "", "CrashLoopBackOff", "ImagePullBackOff"]))
    ended = draw(st.sampled_from([None, None, 1, 132]))
    image = draw(st.sampled_from([IMAGE, "registry.example.com/edr/sensor:7.15.0"]))
    message = TEXT if waiting else ""
    return Container(
        "main", image, ready=ready, restarts=draw(st.integers(0, 3)), waiting=waiting, message=message, exit_code=ended
    )


@st.composite
def _pods(draw: st.DrawFn) -> Pod:
    ref, ready = draw(st.sampled_from([AGENT, OTHER, API, CANARY])), draw(st.booleans())
    on = draw(st.sampled_from([*NAMES, "gone", ""]))
    beside = (
        Container("proxy", "registry.example.com/proxy:1", ready=ready, waiting=draw(st.sampled_from(["", "CrashLoopBackOff"]))),
    )
    return pod(
        f"{ref.name}-{draw(st.integers(0, 3))}", on, ref, ready=ready,
        terminating=draw(st.integers(0, 5)) == 0, phase=draw(st.sampled_from(["Running", "Running", "Failed", "Pending"])),
        unschedulable="" if on else draw(st.sampled_from(["", "0/4 nodes are available: 4 Insufficient cpu."])),
        containers=(_container(draw, ready), *(beside if draw(st.booleans()) else ())),
        created=NOW - timedelta(seconds=draw(st.integers(0, 300))),
    )  # fmt: skip


@st.composite
def _nodes(draw: st.DrawFn) -> Node:
    arch = draw(st.sampled_from(list(Arch)))
    return node(
        draw(st.sampled_from(NAMES)), arch, ready=draw(st.booleans()), unschedulable=draw(st.integers(0, 3)) == 0,
        reported_arch=draw(st.sampled_from([arch, arch, arch.other])), control_plane=draw(st.integers(0, 5)) == 0,
    )  # fmt: skip


def _put(of: str, key: Callable[[Any], str]) -> Callable[[Any], Callable[[Snapshot], Snapshot]]:
    def put(value: Any) -> Callable[[Snapshot], Snapshot]:
        return lambda s: replace(s, **{of: {**getattr(s, of), key(value): value}})  # type: ignore[arg-type]

    return put


def _gone(of: str) -> st.SearchStrategy[Callable[[Snapshot], Snapshot]]:
    def without(number: int) -> Callable[[Snapshot], Snapshot]:
        def change(s: Snapshot) -> Snapshot:
            keys = list(getattr(s, of))
            left = {k: v for i, (k, v) in enumerate(getattr(s, of).items()) if not keys or i != number % len(keys)}
            return replace(s, **{of: left})  # type: ignore[arg-type]

        return change

    return st.integers(0, 20).map(without)


def _said(message: str) -> KubeEvent:
    return KubeEvent("security", f"e-{message}", NOW, "Warning", "BackOff", message, f"Pod/{AGENT.name}-1")


CHANGES = st.one_of(
    _pods().map(_put("pods", lambda p: f"{p.namespace}/{p.name}")),
    _nodes().map(_put("nodes", lambda n: n.name)),
    _gone("pods"),
    _gone("nodes"),
    st.builds(
        lambda name, cpu: lambda s: replace(s, usage={**s.usage, name: Resources(cpu, cpu << 20, 3)}),
        st.sampled_from(NAMES), st.integers(0, 5000),
    ),
    st.builds(
        lambda name, why: lambda s: replace(s, daemon_pods={f"{STRAY.namespace}/{STRAY.name}": {name: why, "n0": ""}}),
        st.sampled_from(NAMES), st.sampled_from(["", "CrashLoopBackOff"]),
    ),
    st.builds(
        lambda known: lambda s: replace(s, images={IMAGE: Image(IMAGE, platforms=("linux/amd64",), index=True)} if known else {}),
        st.booleans(),
    ),
    st.builds(lambda text: lambda s: replace(s, events=(*s.events, _said(text))), st.sampled_from([TEXT, "other"])),
    st.builds(
        lambda name, live: lambda s: with_source(s, name, SourceState(Freshness.LIVE if live else Freshness.STALE, 1.0)),
        st.sampled_from([SourceName.PODS, SourceName.NODES, SourceName.EVENTS]), st.booleans(),
    ),
    st.builds(lambda s: lambda was: replace(was, time=was.time + timedelta(seconds=s)), st.integers(0, 200)),
)  # fmt: skip


def _concluded(seen: Snapshot) -> dict[str, object]:
    return {
        "workloads": [pods_of(seen, ref) for ref in BOOK.target.workloads],
        "mix": mix(seen, BOOK.target),
        "agents": [health(seen, BOOK.agents, arch) for arch in Arch],
        "unlisted": unlisted(seen, BOOK),
        "sidecars": sidecars(seen, BOOK),
        "readiness": readiness(seen, BOOK),
        "matrix": look(seen, BOOK),
        "price": price_performance(seen, BOOK, BOOK.phases[0], NOW - timedelta(minutes=5)),
    }


@settings(max_examples=120, deadline=None)
@given(st.lists(CHANGES, min_size=1, max_size=25), st.data())
def test_a_kept_answer_is_the_one_that_is_given_afresh(steps: list[Callable[[Snapshot], Snapshot]], data: st.DataObject) -> None:
    forget()
    daemonsets = {f"{r.namespace}/{r.name}": DaemonSet(r.namespace, r.name, "uid", 4, 4) for r in (AGENT, OTHER, STRAY)}
    seen = replace(snapshot(), daemonsets=daemonsets)
    pictures = [seen]
    for step in steps:
        seen = replace(step(seen), seq=seen.seq + 1)
        pictures.append(seen)
        # A picture from before may be asked about at any time: by a key that was pressed, by a source that looks at others.
        if data.draw(st.integers(0, 4)) == 0:
            _concluded(data.draw(st.sampled_from(pictures)))
        if data.draw(st.booleans()):
            continue
        kept = _concluded(seen)
        forget()
        assert kept == _concluded(seen)


@settings(max_examples=120, deadline=None)
@given(st.lists(CHANGES, min_size=1, max_size=25))
def test_the_indexes_hold_what_one_finds_by_looking_at_everything(steps: list[Callable[[Snapshot], Snapshot]]) -> None:
    seen = snapshot()
    for step in steps:
        seen = step(seen)
        for ref in (AGENT, OTHER):
            _same_fleet(seen, ref)
        found = nodes_in(seen.nodes)
        every = list(seen.nodes.values())
        for arch in Arch:
            mine = [n for n in every if n.arch == arch and not n.control_plane]
            assert list(found.workers(arch).values()) == mine
            assert found.ready(arch) == {n.name: n for n in mine if n.ready}
            assert found.cordoned(arch) == sum(n.unschedulable for n in mine)
        assert found.control_plane == sum(n.control_plane for n in every)
        assert set(found.mislabelled) == {n.name for n in every if n.arch != n.reported_arch}
        assert found.arches == {n.name: n.reported_arch for n in every}


def _same_fleet(seen: Snapshot, ref: Ref) -> None:
    mine = {k: p for k, p in seen.pods.items() if (p.namespace, p.owner) == (ref.namespace, f"DaemonSet/{ref.name}")}
    staying = {k: p for k, p in mine.items() if not p.terminating and p.phase not in ENDED}
    found = fleet(seen.pods, ref)
    assert found.nodes.keys() == {p.node for p in mine.values()}
    assert [found.on(name) for name in NAMES] == [[mine[k] for k in sorted(mine) if mine[k].node == name] for name in NAMES]
    assert found.ready == Counter(p.node for p in staying.values() if p.ready)
    assert found.sick == {k: p for k, p in staying.items() if sick(p)}
    assert {k: p for some in found.alike.values() for k, p in some.items()} == staying
    assert found.unplaced == {k: p for k, p in mine.items() if not p.node and p.unschedulable}
    restarts: Counter[str] = Counter()
    for one in mine.values():
        restarts[one.node] += sum(c.restarts for c in one.containers)
    assert found.restarts == +restarts
    looping = {k for k, p in mine.items() if not p.terminating and any(c.waiting == "CrashLoopBackOff" for c in p.containers)}
    assert found.looping.keys() == looping


_MAPS = st.dictionaries(st.integers(0, 6), st.integers(1000, 1003))


@given(_MAPS, _MAPS)
def test_changes_lead_from_one_map_to_the_other(was: dict[int, int], now: dict[int, int]) -> None:
    before, after = ({k: [v] for k, v in m.items()} for m in (was, now))
    after = {k: before[k] if before.get(k) == v else v for k, v in after.items()}
    found = changes(before, after)
    followed = {k: v for k, v in before.items() if k not in found.gone} | {k: after[k] for k in found.put}
    assert followed.keys() == after.keys()
    assert all(followed[k] is after[k] for k in after)
    assert found.same_keys == (list(before) == list(after))
    assert set(found.put) == {k for k in after if before.get(k) is not after[k]}, "and only what has changed"


def test_what_is_remembered_is_bounded_and_told_by_identity() -> None:
    asked: list[list[int]] = []

    def total(values: list[int]) -> int:
        asked.append(values)
        return sum(values)

    kept = Remembered(total, kept=2)
    one, same = [1, 2], [1, 2]
    assert [kept(one), kept(one), kept(same), kept(one)] == [3, 3, 3, 3]
    assert len(asked) == 2, "equal is not the same"
    assert [kept([n]) for n in range(5)] == list(range(5))
    kept(one)
    assert len(asked) == 8, "the oldest answers are gone"


def test_a_test_is_made_once_for_each_object_that_has_not_changed() -> None:
    asked: list[str] = []

    def ready(one: Node) -> bool:
        asked.append(one.name)
        return one.ready

    chosen: Chosen[Node] = Chosen(lambda one: one.name)
    nodes = [node("a"), node("b", ready=False), node("c")]
    assert [n.name for n in chosen("ready", nodes, ready)] == ["a", "c"]
    nodes[0] = node("a", ready=False)
    assert [n.name for n in chosen("ready", nodes, ready)] == ["c"]
    assert asked == ["a", "b", "c", "a"]
    assert not chosen("never", nodes, lambda _: False)


def test_a_change_to_one_pod_of_thousands_is_all_that_is_looked_at() -> None:
    """The structural guard of the tick's cost: how many model objects are read when one has changed."""
    forget()
    many = {f"security/edr-{i}": pod(f"edr-{i}", f"n{i}", AGENT) for i in range(2000)}
    first = snapshot(pods=many)
    health(first, BOOK.agents, Arch.ARM64)
    reads = 0

    class Watched(dict[str, Pod]):
        def get(self, key: str, default: Pod | None = None) -> Pod | None:  # type: ignore[override]
            nonlocal reads
            reads += 1
            return super().get(key, default)

    changed = Watched(many)
    changed["security/edr-7"] = pod("edr-7", "n7", AGENT, ready=False)
    health(replace(first, pods=changed), BOOK.agents, Arch.ARM64)
    assert reads == 1
