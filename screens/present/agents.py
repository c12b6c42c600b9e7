"""The panel of agents on the new architecture, counted by node."""

from __future__ import annotations

from cockpit.model.snapshot import SourceName
from cockpit.rules.agents import AgentHealth
from cockpit.run.frame import Frame
from screens.present.sources import known
from screens.present.words import UNKNOWN, Line, Part, Tone, clip, dim, flow, hang, host, line, plural, shorten, strong

SOURCES = (SourceName.NODES, SourceName.PODS, SourceName.DAEMONSETS)
FULL = 4
MORE = "4 shows all"


def rows(frame: Frame, cells: int, height: int) -> list[Line]:
    """One agent a row, the sick ones first, then what was found besides; side by side when low."""
    if not frame.agents:
        return [line(dim("the playbook lists no agents"))]
    if not known(frame.snapshot, *SOURCES):
        return shorten(flow([line(dim(f"{h.agent.name} {UNKNOWN}")) for h in frame.agents], cells), height, MORE)
    loops = _looping_sidecars(frame, cells)[:height]
    listed = _listed(frame, cells, max(0, height - len(loops)))
    return [*loops, *listed, *_found(frame, cells)[: max(0, height - len(loops) - len(listed))]]


def _listed(frame: Frame, cells: int, height: int) -> list[Line]:
    ranked = sorted(frame.agents, key=lambda h: h.healthy)
    if height < FULL and len(ranked) > height:
        return _brief(ranked, cells, height)
    name = max(len(h.agent.name) for h in ranked)
    whole = [row for h in ranked for row in _row(h, min(name, cells // 2), cells)]
    return whole if len(whole) <= height else shorten([_row(h, min(name, cells // 2), 999)[0] for h in ranked], height, MORE)


def _looping_sidecars(frame: Frame, cells: int) -> list[Line]:
    sick = [s for s in frame.sidecars if s.crash_looping]
    words = [f"✗ sidecar {s.name}: crash loop in {len(s.crash_looping)} of {plural(s.pods, 'pod')}" for s in sick]
    return [line((clip(text, cells), Tone.ALARM)) for text in words]


def _found(frame: Frame, cells: int) -> list[Line]:
    """What the playbook does not list, in one quiet line: it warns and gates nothing."""
    lacking = [f"{h.agent.name} {_count(h)}" for h in frame.unlisted if not h.healthy]
    return [line(dim(clip(f"not listed: {', '.join(lacking)}", cells)))] if lacking else []


def _row(health: AgentHealth, name: int, cells: int) -> list[Line]:
    head = line(clip(health.agent.name, name).ljust(name + 2), strong(_count(health).rjust(7)), "  ")
    return hang(head, *_about(health, cells))


def _about(health: AgentHealth, cells: int) -> tuple[str, int, Tone]:
    text, tone = _state(health)
    return text, cells, tone


def _count(health: AgentHealth) -> str:
    return f"{health.ready:,}/{health.nodes:,}" if health.exists else "0"


def _state(health: AgentHealth) -> Part:
    """The worst that can be said of an agent."""
    if not health.exists:
        return "✗ no such DaemonSet", Tone.ALARM
    if health.crash_looping:
        more = f" +{len(health.crash_looping) - 1}" if len(health.crash_looping) > 1 else ""
        return f"✗ crash loop: {health.crash_looping[0]}{more}", Tone.ALARM
    if health.missing:
        return f"! {_missing(health)}", Tone.CAUTION
    if health.certified is False:
        return f"! not the certified image: {host(health.uncertified[0][0])}", Tone.CAUTION
    if not health.nodes:
        return "… no node yet", Tone.DIM
    return f"✓ ready{' · certified' if health.certified else ''}", Tone.PLAIN


def _missing(health: AgentHealth) -> str:
    """One node by name; several by their number when all lack it for one reason."""
    node, why = health.missing[0]
    if len(health.missing) > 1 and all(other == why for _, other in health.missing):
        return f"{plural(len(health.missing), 'node')}: {why}"
    return f"{host(node)}: {why}" + (f" +{len(health.missing) - 1}" if len(health.missing) > 1 else "")


def _brief(ranked: list[AgentHealth], cells: int, height: int) -> list[Line]:
    sick = [h for h in ranked if not h.healthy]
    well = [line(h.agent.name + " ", strong(_count(h)), " ✓") for h in ranked if h.healthy]
    worst = [line(h.agent.name + " ", strong(_count(h)), " ", _state(h)) for h in sick[: max(1, height - 1)]]
    if len(sick) > len(worst):
        well.insert(0, line((f"! {len(sick) - len(worst)} more sick", Tone.CAUTION)))
    return [*worst, *flow(well, cells)][:height]
