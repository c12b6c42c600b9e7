"""The agents in full: every node that lacks one, by name and with the reason, then what was found besides."""

from __future__ import annotations

from collections.abc import Iterable

from cockpit.rules.agents import AgentHealth
from cockpit.rules.sidecars import SidecarHealth
from cockpit.run.frame import Frame
from screens.present.words import Line, Tone, clip, dim, host, line, plural, strong, wrap

NAME = 19
"""Cells for a node's name."""


def agent_rows(frame: Frame, cells: int) -> list[Line]:
    """Each listed agent, each sidecar, each DaemonSet that is not listed; the sick ones first."""
    rows = [row for h in _ranked(frame.agents) for row in (*_agent(h, cells), line())]
    rows = rows or [line(dim("the playbook lists no agents")), line()]
    if frame.sidecars:
        rows += [line(strong("Sidecars of the workloads' pods")), *(row for s in frame.sidecars for row in _sidecar(s)), line()]
    if frame.unlisted:
        rows += [line(strong("Found on x86 nodes, not listed"), dim("   they warn and gate nothing"))]
        rows += [row for h in _ranked(frame.unlisted) for row in _unlisted(h, cells)]
    return rows


def _ranked(agents: Iterable[AgentHealth]) -> list[AgentHealth]:
    return sorted(agents, key=lambda h: h.healthy)


def _agent(health: AgentHealth, cells: int) -> list[Line]:
    tone = Tone.PLAIN if health.healthy else Tone.CAUTION
    words = "✓ ready" if health.healthy else "! not ready"
    head = line(strong(str(health.agent)), dim(f"  {health.agent.namespace}  "))
    counts = f"{health.ready:,} of {plural(health.nodes, 'node')}, {plural(health.restarts, 'restart')}, {_image(health)}"
    absent = [line(("  ✗ no such DaemonSet", Tone.ALARM))] if not health.exists else []
    more = f" and {len(health.crash_looping) - 1} more" if len(health.crash_looping) > 1 else ""
    loops = [line((f"  ✗ crash loop   {pod}{more}", Tone.ALARM)) for pod in health.crash_looping[:1]]
    wrong = [*_uncertified(health), *_nodes(health.uncertified, cells)]
    return [
        head,
        line("  ", (words, tone), f"  {counts}"),
        *absent,
        *_whole(health),
        *loops,
        *_nodes(health.missing, cells),
        *wrong,
    ]


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


def _nodes(nodes: Iterable[tuple[str, str]], cells: int) -> list[Line]:
    return [row for node, why in nodes for row in _node(node, why, max(20, cells - NAME - 6))]


def _node(node: str, why: str, cells: int) -> list[Line]:
    first, *rest = wrap(why, cells)
    head = line(("  ! ", Tone.CAUTION), f"{clip(host(node), NAME):<{NAME + 2}}", (first, Tone.CAUTION))
    return [head, *(line(" " * (NAME + 6), (text, Tone.CAUTION)) for text in rest)]


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
