"""The agents in full: every node that lacks one, by name and with the reason, then what was found besides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from operator import itemgetter

from cockpit.rules.agents import AgentHealth
from cockpit.rules.sidecars import SidecarHealth
from cockpit.run.frame import Frame
from screens.present.blocks import Block, Blocks
from screens.present.picking import ALL, Kept, Pick, Sort
from screens.present.words import Line, Tone, clip, dim, host, line, plural, strong, wrap

NAME = 19
"""Cells for a node's name."""
SORTS = (Sort.TROUBLE, Sort.NAME)


class AgentDetail:
    """Draws one frame after another; what was looked through is kept until what was found of the agents is something else."""

    def __init__(self) -> None:
        self._kept: Kept[Blocks] = Kept()

    def rows(self, frame: Frame, cells: int, pick: Pick = ALL) -> Blocks:
        """Each listed agent, each sidecar, each DaemonSet that is not listed; the sick ones first, or all by name."""
        found = (frame.agents, frame.sidecars, frame.unlisted)
        return self._kept.get(lambda *_: Blocks(_blocks(frame, cells, pick)), found, cells, pick)


def agent_rows(frame: Frame, cells: int) -> Blocks:
    """The agents as they stand at first; the screen keeps an `AgentDetail` of its own."""
    return AgentDetail().rows(frame, cells)


def _blocks(frame: Frame, cells: int, pick: Pick) -> Iterator[Block]:
    if not frame.agents:
        yield Block("none", [line(dim("the playbook lists no agents")), line()])
    for health in _ranked(frame.agents, pick):
        yield from _agent(health, cells, pick.words)
    if frame.sidecars:
        rows = [row for s in frame.sidecars for row in _sidecar(s)]
        yield Block("sidecars", [line(strong("Sidecars of the workloads' pods")), *rows, line()])
    if frame.unlisted:
        head = line(strong("Found on x86 nodes, not listed"), dim("   they warn and gate nothing"))
        yield Block("unlisted", [head, *(row for h in _ranked(frame.unlisted, pick) for row in _unlisted(h, cells))])


def _ranked(agents: Iterable[AgentHealth], pick: Pick) -> list[AgentHealth]:
    return sorted(agents, key=lambda h: h.agent.name if pick.sort is Sort.NAME else h.healthy)


def _agent(health: AgentHealth, cells: int, words: Sequence[str]) -> Iterator[Block]:
    """An agent, then a row for each node that lacks it and why; filtered, only what holds the words."""
    tone = Tone.PLAIN if health.healthy else Tone.CAUTION
    state = "✓ ready" if health.healthy else "! not ready"
    head = line(strong(str(health.agent)), dim(f"  {health.agent.namespace}  "))
    counts = f"{health.ready:,} of {plural(health.nodes, 'node')}, {plural(health.restarts, 'restart')}, {_image(health)}"
    absent = [line(("  ✗ no such DaemonSet", Tone.ALARM))] if not health.exists else []
    more = f" and {len(health.crash_looping) - 1} more" if len(health.crash_looping) > 1 else ""
    loops = [line((f"  ✗ crash loop   {pod}{more}", Tone.ALARM)) for pod in health.crash_looping[:1]]
    first = [head, line("  ", (state, tone), f"  {counts}"), *absent, *_whole(health), *loops]
    yield _nodes(f"{health.agent.namespace}/{health.agent}", first, health.missing, cells, words)
    last = _nodes(f"{health.agent.namespace}/{health.agent} image", _uncertified(health), health.uncertified, cells, words)
    yield replace(last, foot=[line()])


def _image(health: AgentHealth) -> str:
    if health.certified is None:
        return "any image"
    if not health.compared:
        return "no pod to compare with the certified image"
    return f"certified image (by {health.compared})" if health.certified else "another image"


def _uncertified(health: AgentHealth) -> list[Line]:
    words = f"  ! NOT the certified image (compared by {health.compared})"
    return [line((words, Tone.CAUTION))] if health.certified is False else []


def _whole(health: AgentHealth) -> list[Line]:
    if not health.looks_whole:
        return []
    words = f"  ! says {health.reported:,}/{health.desired:,} (100%), as it counts only nodes that it may run on"
    return [line((words, Tone.CAUTION))]


Part = tuple[str, int, str]
"""A row of a node: its name, which row of it this is, and the words of that row."""


def _nodes(name: str, head: Sequence[Line], nodes: Iterable[tuple[str, str]], cells: int, words: Sequence[str]) -> Block:
    room = max(20, cells - NAME - 6)
    agent = name.lower()
    every = tuple(nodes)
    found = (
        [(n, why) for n, why in every if all(w in agent or w in n.lower() or w in why.lower() for w in words)] if words else every
    )
    # Hundreds of nodes lack an agent for one reason: its rows are made once.
    reasons = {why: wrap(why, room) for why in {why for _, why in found}}
    items: list[Part] = [(node, n, text) for node, why in found for n, text in enumerate(reasons[why])]
    return Block(name, head, items, _row, itemgetter(0, 1), len(every) - len(found) + len(items))


def _row(item: Part) -> Line:
    node, part, text = item
    if part:
        return line(" " * (NAME + 6), (text, Tone.CAUTION))
    return line(("  ! ", Tone.CAUTION), f"{clip(host(node), NAME):<{NAME + 2}}", (text, Tone.CAUTION))


def _sidecar(sidecar: SidecarHealth) -> list[Line]:
    kind = "native sidecar" if sidecar.native else "container"
    state = ("✗ crash loop", Tone.ALARM) if sidecar.crash_looping else ("✓", Tone.PLAIN)
    only = "  on these nodes only" if sidecar.only_here else ""
    counts = f"      {sidecar.ready:,} of {plural(sidecar.pods, 'pod')} ready, {plural(sidecar.restarts, 'restart')}"
    head = line("  ", state, f"  {sidecar.name}  ", dim(f"{kind} of {sidecar.workload.name}"))
    facts = line(dim(counts), (only, Tone.CAUTION))
    return [head, facts, *(line((f"      {pod}", Tone.ALARM)) for pod in sidecar.crash_looping)]


def _unlisted(health: AgentHealth, cells: int) -> list[Line]:
    sick = ("! ", Tone.CAUTION) if not health.healthy else ("✓ ", Tone.PLAIN)
    name = f"{health.agent.namespace}/{health.agent.name}"
    head = line("  ", sick, f"{name}  ", dim(f"{health.ready:,} of {plural(health.nodes, 'node')}"))
    reasons = dict.fromkeys(why for _, why in health.missing)
    counted = [(why, [node for node, other in health.missing if other == why]) for why in reasons]
    texts = [f"{', '.join(host(n) for n in nodes)}: {why}" for why, nodes in counted]
    return [head, *(line(dim(f"      {row}")) for text in texts for row in wrap(text, max(20, cells - 8)))]
