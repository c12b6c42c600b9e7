"""The detail behind each panel, as rows for a full screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cockpit.model.series import Series
from cockpit.model.snapshot import SourceName
from cockpit.model.verdict import Outcome, Verdict
from cockpit.run.frame import Frame
from screens.present import gates, latency, price, traffic
from screens.present.agent_detail import agent_rows
from screens.present.blocks import Block, Blocks
from screens.present.events import newest
from screens.present.evidence import evidence_rows
from screens.present.node_detail import NodeDetail
from screens.present.picking import Kept
from screens.present.sources import say, troubled
from screens.present.spark import sparkline
from screens.present.words import (
    UNKNOWN,
    Line,
    Tone,
    ago,
    clip,
    dim,
    hang,
    line,
    pad,
    percent,
    plural,
    strong,
    tail,
    width,
    wrap,
)

EVENTS = 2000
ROOMY = 100
"""Cells from which on verdicts stand in columns."""


def detail_rows(number: int, frame: Frame, cells: int) -> Sequence[Line]:
    """The rows of panel `number`, under what its sources have to say."""
    rows, _ = _DETAILS[number - 1]
    return under(number, frame, rows(frame, cells))


def under(number: int, frame: Frame, rows: Sequence[Line]) -> Sequence[Line]:
    """The rows under what the sources of panel `number` have to say."""
    if not (notes := _sources(frame, _DETAILS[number - 1][1])):
        return rows
    return Blocks([Block("sources", notes), *rows.blocks]) if isinstance(rows, Blocks) else [*notes, *rows]


def _sources(frame: Frame, names: tuple[SourceName, ...]) -> list[Line]:
    found = [
        line((f"! {name}: {say(state)}{f' ({state.why})' if state.why else ''}", Tone.CAUTION))
        for name, state in troubled(frame.snapshot, names)
    ]
    return [*found, line()] if found else []


def node_rows(frame: Frame, cells: int) -> Blocks:
    """Nodes and pods as they stand at first; the screen keeps a `NodeDetail` of its own."""
    return NodeDetail().rows(frame, cells)


def traffic_rows(frame: Frame, cells: int) -> list[Line]:
    """Each lever's reading, each rule apart with its weights, the targets' health."""
    rows: list[Line] = [line(strong("Levers"))]
    for reading in frame.readings:
        rows += [line(f"  {reading.lever:<12}", traffic.proof(reading), dim(f"  {reading.why}" if reading.why else ""))]
        for name in ("intended", "configured", "observed"):
            rows.append(line(dim(f"    {name:<12}"), getattr(reading, name) or UNKNOWN))
    rows += [line(), line(strong("Rules"))]
    groups = {group.arn: f"{group.arch} {group.name}" for group in frame.snapshot.targets.values()}
    for arn, share in (frame.traffic.configured or {}).items():
        rows.append(line("  ", strong(percent(share).rjust(6)), "  ", tail(arn, max(20, cells - 12))))
        weights = frame.snapshot.rules[arn].weights if arn in frame.snapshot.rules else {}
        for arn_of, weight in weights.items():
            rows.append(line(dim(f"          weight {weight:>4}  "), groups.get(arn_of, tail(arn_of, 60))))
    rows += [line(), line(strong("Targets"))]
    for group in frame.snapshot.targets.values():
        sick = (f"! {group.unhealthy} unhealthy  ", Tone.CAUTION) if group.unhealthy else dim("0 unhealthy  ")
        rows.append(line(f"  {group.arch:<7}{group.healthy:>5} healthy  ", sick, dim(f"{group.draining} draining  {group.name}")))
    worth = price.rows(frame, cells)
    return [*rows, line(), *worth] if worth else rows


def signal_rows(frame: Frame, cells: int) -> list[Line]:
    """Every signal on both architectures: newest value, trend, samples, age, what is wrong with it."""
    rows: list[Line] = []
    target = frame.playbook.target
    for name, signal in frame.playbook.signals.items():
        source = "   from CloudWatch" if signal.measure else f"   preset {signal.preset}" if signal.preset else ""
        good = f", {signal.better} is better" if signal.better else ""
        rows.append(line(strong(name), dim(f"   {signal.unit}{good}{source}")))
        for arch in (target.to_arch, target.from_arch):
            series = frame.snapshot.signals.get((name, arch), Series())
            age = ago((frame.snapshot.time - series.latest.time).total_seconds()) + " old" if series.latest else "never read"
            trend = sparkline([s.value for s in series.samples], max(0, min(48, cells - 70)))
            fault = (f"  ! {series.error}" if series.error else "", Tone.CAUTION)
            facts = dim(f"{plural(len(series.samples), 'sample'):<14}{age:<14}")
            rows.append(line(f"  {arch:<8}", *pad(line(strong(latency.value(frame, name, arch))), 16), facts, dim(trend), fault))
        rows.append(line())
    return [*rows, *price.rows(frame, cells)]


def verdict_rows(frame: Frame, cells: int) -> list[Line]:
    """Every gate, abort trigger and the way back with its reason, what fails first; then what each rests on."""
    frame = gates.as_judged(frame)
    blocks = [
        ("Gates: every one must pass", gates.ranked(frame.gates)),
        ("Abort triggers: FAIL fires", gates.ranked(frame.aborts)),
    ]
    way_back = frame.readiness.verdict
    if frame.judged or way_back.gate not in {v.gate for v in frame.gates}:
        blocks.append(("Way back: red blocks promote, never a rollback", [way_back]))
    blocks.sort(key=lambda block: not any(v.outcome is Outcome.FAIL for v in block[1]))
    rows: list[Line] = []
    for title, verdicts in blocks:
        rows += [line(strong(title)), *(row for v in verdicts for row in _verdict(v, cells))]
        rows += [] if verdicts else [line(dim("  none now"))]
    for title, verdicts in blocks:
        rows += [row for v in verdicts for row in _rests_on(title.partition(":")[0], v, cells)]
    return rows


def _rests_on(role: str, of: Verdict, cells: int) -> list[Line]:
    found = evidence_rows(of, cells)
    return [line(), line(gates.verdict(of), " ", strong(of.gate), dim(f"   {role.lower()}, rests on")), *found] if found else []


def _verdict(of: Verdict, cells: int) -> list[Line]:
    if cells < ROOMY:
        head = line("  ", gates.verdict(of), "  ", clip(of.gate, 25), "  ")
        return hang(head, of.reason, cells, Tone.DIM) if width(head) < cells // 2 else _below(head, of.reason, cells)
    first, *rest = wrap(of.reason, max(20, cells - 46))
    head = line(*pad(line("  ", gates.verdict(of)), 18), *pad(line(clip(of.gate, 25)), 27), dim(first))
    return [head, *(line(" " * 45, dim(text)) for text in rest)]


def _below(head: Line, reason: str, cells: int) -> list[Line]:
    return [head, *(line(" " * 4, dim(row)) for row in wrap(reason, cells - 4))]


def event_rows(frame: Frame, cells: int) -> list[Line]:
    """The run's events and the cluster's warnings, newest first, in full; made anew when there are others."""
    return _EVENT_ROWS.get(lambda *_: _event_rows(frame, cells), frame.events, frame.snapshot.events, cells)


_EVENT_ROWS: Kept[list[Line]] = Kept()


def _event_rows(frame: Frame, cells: int) -> list[Line]:
    rows: list[Line] = []
    for time, text, glyph in newest(frame, EVENTS):
        first, *rest = wrap(text, max(20, cells - 14))
        rows += [line(dim(f"{time:%H:%M:%S}  "), glyph, "  ", first), *(line(" " * 13, more) for more in rest)]
    return rows or [line(dim("nothing has happened yet"))]


_DETAILS: tuple[tuple[Callable[[Frame, int], Sequence[Line]], tuple[SourceName, ...]], ...] = (
    (node_rows, (SourceName.NODES, SourceName.PODS, SourceName.DEPLOYMENTS, SourceName.USAGE)),
    (traffic_rows, (SourceName.RULES, SourceName.TARGETS)),
    (signal_rows, (SourceName.METRICS,)),
    (agent_rows, (SourceName.NODES, SourceName.PODS, SourceName.DAEMONSETS)),
    (verdict_rows, ()),
    (event_rows, (SourceName.EVENTS,)),
)
