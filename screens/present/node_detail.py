"""The nodes and the target's pods in full, sorted and filtered: what is looked through is looked through once a change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from operator import attrgetter
from typing import Any

from cockpit.model.arch import Arch
from cockpit.model.cluster import Node, Pod, Ref, Resources
from cockpit.model.snapshot import SourceName
from cockpit.rules.nodes import pods_of
from cockpit.run.frame import Frame
from screens.present import gates
from screens.present.blocks import Block, Blocks
from screens.present.picking import ALL, Kept, Pick, Sort
from screens.present.sources import known
from screens.present.words import UNKNOWN, Line, Tone, clip, dim, field, host, line, pad, percent, plural, strong, tail

SORTS = tuple(Sort)

Nodes = Mapping[str, Sequence[Node]]
"""Nodes by architecture."""


class NodeDetail:
    """Draws one frame after another; what it sorted is kept until the maps that it came from are others."""

    def __init__(self) -> None:
        self._counts: Kept[Counter[str]] = Kept()
        self._totals: Kept[Counter[str]] = Kept()
        self._nodes: Kept[Nodes] = Kept()
        self._pods: dict[Ref, Kept[Sequence[Pod]]] = {}
        self._texts: dict[str, tuple[Node, str]] = {}

    def rows(self, frame: Frame, cells: int, pick: Pick = ALL) -> Blocks:
        """The way back, every node by architecture, then the pods of each workload."""
        snapshot, target = frame.snapshot, frame.playbook.target
        pods = {ref: pods_of(snapshot, ref) for ref in target.workloads}
        counts = self._counts.get(_per_node, *pods.values())
        totals = self._totals.get(_per_arch, snapshot.nodes)
        by = {Sort.CPU: snapshot.usage, Sort.PODS: counts}.get(pick.sort)
        nodes = self._nodes.get(self._picked, snapshot.nodes, by, pick)
        row, archs = partial(_node, frame, counts), (target.to_arch, target.from_arch)
        blocks = [Block("way back", [*_way_back(frame, cells), line()])]
        blocks += [_block(frame, arch, nodes.get(arch, ()), totals[arch], row) for arch in archs]
        for ref, found in pods.items():
            mine = self._pods.setdefault(ref, Kept()).get(_pods_picked, found, pick)
            blocks.append(_workload(frame, ref, mine, len(found)))
        return Blocks(blocks)

    def _picked(self, nodes: Mapping[str, Node], by: Mapping[str, Resources] | Counter[str] | None, pick: Pick) -> Nodes:
        words = pick.words
        found: dict[str, list[Node]] = {}
        for node in nodes.values():
            if not words or all(word in self._text(node) for word in words):
                found.setdefault(node.arch, []).append(node)
        order = _ORDERS[pick.sort](by)
        for some in found.values():
            some.sort(key=order)
        return found

    def _text(self, node: Node) -> str:
        kept = self._texts.get(node.name)
        if kept is None or kept[0] is not node:
            if len(self._texts) > 20_000:  # nodes that have gone
                self._texts.clear()
            words = f"{node.name} {node.arch} {node.zone} {node.instance_type} {', '.join(_words(node)) or 'ready'}".lower()
            kept = self._texts[node.name] = (node, words)
        return kept[1]


def _per_node(*pods: Sequence[Pod]) -> Counter[str]:
    return Counter(pod.node for found in pods for pod in found)


def _per_arch(nodes: Mapping[str, Node]) -> Counter[str]:
    return Counter(map(attrgetter("arch"), nodes.values()))


def _by_trouble(_: object) -> Callable[[Node], Any]:
    return lambda n: (n.ready and not n.unschedulable and n.reported_arch in ("", n.arch), n.ready, n.name)


def _by_cpu(usage: Mapping[str, Resources]) -> Callable[[Node], Any]:
    nothing = Resources(-1)
    return lambda n: (-usage.get(n.name, nothing).cpu_milli / max(1, n.allocatable.cpu_milli), n.name)


def _by_pods(counts: Counter[str]) -> Callable[[Node], Any]:
    return lambda n: (-counts[n.name], n.name)


_ORDERS: dict[Sort, Callable[..., Callable[[Node], Any]]] = {
    Sort.TROUBLE: _by_trouble,
    Sort.NAME: lambda _: attrgetter("name"),
    Sort.CPU: _by_cpu,
    Sort.PODS: _by_pods,
    Sort.ZONE: lambda _: attrgetter("zone", "name"),
}


def _pods_picked(pods: Sequence[Pod], pick: Pick) -> Sequence[Pod]:
    """Nodes are sorted by what pods have not: then pods stand by their node, and where cpu is asked for by name."""
    found = [p for p in pods if all(word in _pod_text(p) for word in words)] if (words := pick.words) else list(pods)
    orders: dict[Sort, Callable[[Pod], Any]] = {
        Sort.TROUBLE: lambda p: (p.ready, p.name),
        Sort.PODS: lambda p: (p.node, p.name),
        Sort.ZONE: lambda p: (p.node, p.name),
    }
    found.sort(key=orders.get(pick.sort, attrgetter("name")))
    return found


def _pod_text(pod: Pod) -> str:
    return f"{pod.name} {pod.node} {pod.phase} {'ready' if pod.ready else f'not ready {_trouble(pod)}'}".lower()


def _of(shown: int, total: int, noun: str) -> str:
    return plural(total, noun) if shown == total else f"{shown:,} of {plural(total, noun)}"


def _block(frame: Frame, arch: Arch, nodes: Sequence[Node], total: int, row: Callable[[Node], Line]) -> Block:
    seen = known(frame.snapshot, SourceName.NODES)
    state = frame.snapshot.source(SourceName.NODES)
    count = f"   {_of(len(nodes), total, 'node')}" if seen else f"   {total:,} read so far" if state.read else f"   {UNKNOWN}"
    return Block(arch, [line(strong(arch), dim(count))], nodes, row, attrgetter("name"), total, [line()])


def _way_back(frame: Frame, cells: int) -> list[Line]:
    """Whether a rollback finds everything it needs, how long it takes and by what, what is lost meanwhile, what may go wrong."""
    found = frame.readiness
    verdict = [line(strong("Way back   "), gates.verdict(found.verdict))]
    rows = [row for reason in found.verdict.details or (found.verdict.reason,) for row in field("", reason, cells)]
    rows += field("takes", f"~{found.eta:.0f} s {found.eta_basis}", cells)
    rows += field("meanwhile", found.loses, cells) if found.loses else []
    return [*verdict, *rows, *(row for words in found.warnings for row in field("beware", words, cells, Tone.CAUTION))]


def _words(node: Node) -> list[str]:
    """What is special about a node, worst first."""
    words = [] if node.ready else ["not ready"]
    words += ["cordoned"] if node.unschedulable else []
    words += ["control plane"] if node.control_plane else []
    return words + ([f"kubelet says {node.reported_arch}"] if node.reported_arch and node.reported_arch != node.arch else [])


def _node(frame: Frame, counts: Counter[str], node: Node) -> Line:
    used = frame.snapshot.usage.get(node.name)
    cpu = percent(used.cpu_milli / node.allocatable.cpu_milli, 0) if used and node.allocatable.cpu_milli else UNKNOWN
    words = _words(node)
    tone = Tone.CAUTION if words and not node.control_plane else Tone.DIM
    state = pad(line((f"! {', '.join(words)}" if tone is Tone.CAUTION else f"✓ {', '.join(['ready', *words])}", tone)), 24)
    figures = f"cpu {cpu:>4}  pods {counts[node.name]:>3}  "
    return line(f"  {clip(host(node.name), 20):<22}", *state, figures, dim(f"{node.instance_type:<14}{node.zone}"))


def _workload(frame: Frame, ref: Ref, pods: Sequence[Pod], total: int) -> Block:
    found = frame.snapshot.deployments.get(f"{ref.namespace}/{ref.name}")
    count = f"   {found.ready} of {found.replicas} ready, {found.updated} of the newest revision" if found else "   not found"
    shown = f", {_of(len(pods), total, 'pod')} shown" if len(pods) < total else ""
    words = f"{count}{shown}" if known(frame.snapshot, SourceName.DEPLOYMENTS) else f"   {UNKNOWN}"
    head = line(strong(str(ref)), dim(words))
    return Block(f"{ref.namespace}/{ref}", [head], pods, partial(_pod, frame), attrgetter("name"), total, [line()])


def _trouble(pod: Pod) -> str:
    waiting = next((c.waiting for c in pod.containers if c.waiting), "")
    return pod.unschedulable or waiting or ("" if pod.ready else "not ready")


def _pod(frame: Frame, pod: Pod) -> Line:
    node = frame.snapshot.nodes.get(pod.node)
    restarts = sum(c.restarts for c in pod.containers)
    place = dim(f"{(node.arch if node else '') or UNKNOWN:<7}{clip(host(pod.node) or 'no node', 18):<20}")
    trouble = _trouble(pod)
    state = (f"! {pod.phase}: {trouble}", Tone.CAUTION) if trouble else (f"✓ {pod.phase}", Tone.DIM)
    name = f"  {tail(pod.name, 32):<34}"
    return line(name, place, state, dim(f"   {plural(restarts, 'restart')}" if restarts else ""))
