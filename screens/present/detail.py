"""The detail behind each panel, as rows for a full screen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

from cockpit.model.cluster import Node, Pod, Ref
from cockpit.model.series import Series
from cockpit.model.snapshot import SourceName
from cockpit.model.verdict import Outcome, Verdict
from cockpit.rules.nodes import pods_of
from cockpit.run.frame import Frame
from screens.present import gates, latency, price, traffic
from screens.present.agent_detail import agent_rows
from screens.present.events import newest
from screens.present.evidence import evidence_rows
from screens.present.rows import Entry, Rows
from screens.present.sources import known, say, troubled
from screens.present.spark import sparkline
from screens.present.words import (
    UNKNOWN,
    Line,
    Tone,
    ago,
    clip,
    dim,
    field,
    hang,
    host,
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
    rows, sources = _DETAILS[number - 1]
    return rows(frame, cells) if not (notes := _sources(frame, sources)) else _under(notes, rows(frame, cells))


def _under(notes: list[Line], rows: Sequence[Line]) -> Rows:
    return Rows([*notes, *(partial(rows.__getitem__, n) for n in range(len(rows)))])


def _sources(frame: Frame, names: tuple[SourceName, ...]) -> list[Line]:
    found = [
        line((f"! {name}: {say(state)}{f' ({state.why})' if state.why else ''}", Tone.CAUTION))
        for name, state in troubled(frame.snapshot, names)
    ]
    return [*found, line()] if found else []


def node_rows(frame: Frame, cells: int) -> Rows:
    """The way back, every node by architecture, the sick ones first, then the pods of each workload."""
    snapshot, target = frame.snapshot, frame.playbook.target
    pods = {ref: pods_of(snapshot, ref) for ref in target.workloads}
    counts = Counter(pod.node for found in pods.values() for pod in found)
    rows: list[Entry] = [*_way_back(frame, cells), line()]
    for arch in (target.to_arch, target.from_arch):
        nodes = sorted((n for n in snapshot.nodes.values() if n.arch == arch), key=lambda n: (n.ready, n.name))
        count = f"   {plural(len(nodes), 'node')}" if known(snapshot, SourceName.NODES) else f"   {UNKNOWN}"
        rows += [line(strong(arch), dim(count)), *(partial(_node, frame, n, counts[n.name]) for n in nodes), line()]
    for ref, found in pods.items():
        rows += _workload(frame, ref, found)
    return Rows(rows)


def _way_back(frame: Frame, cells: int) -> list[Line]:
    """Whether a rollback finds everything it needs, how long it takes and by what, what is lost meanwhile, what may go wrong."""
    found = frame.readiness
    verdict = [line(strong("Way back   "), gates.verdict(found.verdict))]
    rows = [row for reason in found.verdict.details or (found.verdict.reason,) for row in field("", reason, cells)]
    rows += field("takes", f"~{found.eta:.0f} s {found.eta_basis}", cells)
    rows += field("meanwhile", found.loses, cells) if found.loses else []
    return [*verdict, *rows, *(row for words in found.warnings for row in field("beware", words, cells, Tone.CAUTION))]


def _node(frame: Frame, node: Node, pods: int) -> Line:
    used = frame.snapshot.usage.get(node.name)
    cpu = percent(used.cpu_milli / node.allocatable.cpu_milli, 0) if used and node.allocatable.cpu_milli else UNKNOWN
    words = [] if node.ready else ["not ready"]
    words += ["cordoned"] if node.unschedulable else []
    words += ["control plane"] if node.control_plane else []
    words += [f"kubelet says {node.reported_arch}"] if node.reported_arch and node.reported_arch != node.arch else []
    tone = Tone.CAUTION if words and not node.control_plane else Tone.DIM
    state = pad(line((f"! {', '.join(words)}" if tone is Tone.CAUTION else f"✓ {', '.join(['ready', *words])}", tone)), 24)
    figures = f"cpu {cpu:>4}  pods {pods:>3}  "
    return line(f"  {clip(host(node.name), 20):<22}", *state, figures, dim(f"{node.instance_type:<14}{node.zone}"))


def _workload(frame: Frame, ref: Ref, pods: Sequence[Pod]) -> list[Entry]:
    found = frame.snapshot.deployments.get(f"{ref.namespace}/{ref.name}")
    count = f"   {found.ready} of {found.replicas} ready, {found.updated} of the newest revision" if found else "   not found"
    head = line(strong(str(ref)), dim(count if known(frame.snapshot, SourceName.DEPLOYMENTS) else f"   {UNKNOWN}"))
    ranked = sorted(pods, key=lambda p: (p.ready, p.name))
    return [head, *(partial(_pod, frame, pod) for pod in ranked), line()]


def _pod(frame: Frame, pod: Pod) -> Line:
    node = frame.snapshot.nodes.get(pod.node)
    waiting = next((c.waiting for c in pod.containers if c.waiting), "")
    trouble = pod.unschedulable or waiting or ("" if pod.ready else "not ready")
    restarts = sum(c.restarts for c in pod.containers)
    place = dim(f"{(node.arch if node else '') or UNKNOWN:<7}{clip(host(pod.node) or 'no node', 18):<20}")
    state = (f"! {pod.phase}: {trouble}", Tone.CAUTION) if trouble else (f"✓ {pod.phase}", Tone.DIM)
    name = f"  {tail(pod.name, 32):<34}"
    return line(name, place, state, dim(f"   {plural(restarts, 'restart')}" if restarts else ""))


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
    """The run's events and the cluster's warnings, newest first, in full."""
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
