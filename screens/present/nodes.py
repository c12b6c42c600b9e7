"""The panel of nodes by architecture with the workloads' pods, and the way back."""

from __future__ import annotations

from cockpit.model.arch import Arch
from cockpit.model.snapshot import SourceName
from cockpit.model.verdict import Outcome
from cockpit.rules.nodes import ArchFacts
from cockpit.run.frame import Frame
from screens.present.sources import known, reading
from screens.present.spark import bar
from screens.present.trouble import all_cordoned, way_back
from screens.present.words import UNKNOWN, Line, Part, Tone, dim, hang, join, line, pad, percent, plural, strong, width

SOURCES = (SourceName.NODES, SourceName.PODS, SourceName.DEPLOYMENTS, SourceName.USAGE)
FULL = 4
"""Rows from which on the full table is drawn."""
_HEAD = (("", 8), ("nodes ready", 13), ("", 12), ("cpu asked", 12))


def rows(frame: Frame, cells: int, height: int) -> list[Line]:
    """A table of both architectures, what is out of order, and the headroom; two rows when low."""
    if height < FULL:
        return _brief(frame, cells)
    table = [*_reading(frame, cells), _head(), *(_row(frame, arch) for arch in _archs(frame)), *_troubles(frame)]
    head, text, tone = _way_back(frame)
    beware = [row for words in frame.readiness.warnings for row in hang(line(("! ", Tone.CAUTION)), words, cells, Tone.CAUTION)]
    return [*table, *([line()] if height > FULL + 2 else []), *hang(line(dim(head)), text, cells, tone), *beware]


def _reading(frame: Frame, cells: int) -> list[Line]:
    """How much of the first list of nodes has come: a bar where the server has told how long it is."""
    state = frame.snapshot.source(SourceName.NODES)
    if not (words := reading(state)):
        return []
    head = line(dim("nodes "), (words, Tone.ADVISORY), "  ")
    room = min(20, cells - width(head))
    if not state.expected or room < 5:
        return [head]
    done = min(room, room * state.read // max(state.read, state.expected))
    return [line(*head, ("█" * done, Tone.ADVISORY), dim("░" * (room - done)))]


def _archs(frame: Frame) -> tuple[Arch, Arch]:
    return frame.playbook.target.from_arch, frame.playbook.target.to_arch


def _head() -> Line:
    return line(*(dim(text.ljust(size)) for text, size in _HEAD), dim("pods ready"))


def _row(frame: Frame, arch: Arch) -> Line:
    facts = frame.nodes.archs.get(arch, ArchFacts(arch))
    most = max((f.ready for f in frame.nodes.archs.values()), default=0)
    seen = known(frame.snapshot, SourceName.NODES)
    cols = [
        line(arch.ljust(_HEAD[0][1])),
        line(strong(_ready(frame, facts).rjust(5))),
        line(dim(bar(facts.ready / most, 10) if seen and most else "")),
        line(_used(frame, facts).rjust(6)),
    ]
    return line(*(part for col, (_, size) in zip(cols, _HEAD, strict=True) for part in pad(col, size)), *_pods(frame, facts))


def _ready(frame: Frame, facts: ArchFacts) -> str:
    """Nodes that are ready; while they stream in, those that have come, which `…` says are not all."""
    state = frame.snapshot.source(SourceName.NODES)
    return f"{facts.ready:,}{UNKNOWN}" if reading(state) else _count(facts.ready, known(frame.snapshot, SourceName.NODES))


def _count(count: int, seen: bool) -> str:
    return f"{count:,}" if seen else UNKNOWN


def _used(frame: Frame, facts: ArchFacts) -> str:
    return UNKNOWN if facts.used is None or not known(frame.snapshot, SourceName.USAGE) else percent(facts.used, 0)


def _pods(frame: Frame, facts: ArchFacts) -> Line:
    seen = known(frame.snapshot, SourceName.PODS, SourceName.NODES, SourceName.DEPLOYMENTS)
    other: Part = (f"  ! {facts.pods_other} not ready" if seen and facts.pods_other else "", Tone.CAUTION)
    return line(strong(_count(facts.pods_ready, seen).rjust(4)), other)


def _troubles(frame: Frame) -> list[Line]:
    """What is out of order, one row each; none in the normal case."""
    found = []
    for facts in frame.nodes.archs.values():
        words = [plural(facts.not_ready, "node") + " not ready"] if facts.not_ready else []
        words += [f"all {plural(facts.cordoned, 'node')} cordoned"] if all_cordoned(facts) else []
        words += [f"{facts.cordoned} cordoned"] if facts.cordoned and not all_cordoned(facts) else []
        if words:
            found.append(f"{facts.arch}: {', '.join(words)}")
    if frame.nodes.unplaced:
        found.append(f"{plural(frame.nodes.unplaced, 'pod')} Pending, on no node")
    if frame.nodes.mislabelled:
        found.append(f"{plural(len(frame.nodes.mislabelled), 'node')} whose label and kubelet disagree on the architecture")
    return [line((f"! {text}", Tone.CAUTION)) for text in found]


def _way_back(frame: Frame) -> tuple[str, str, Tone]:
    """Whether a rollback would find room: label, words, tone."""
    state, home = frame.readiness, frame.playbook.target.from_arch
    if state.verdict.outcome is Outcome.FAIL:
        return "way back ", f"✗ {way_back(frame)}", Tone.ALARM
    if not state.verdict.passed or state.headroom is None:
        return "way back ", f"? {state.verdict.reason}", Tone.CAUTION
    return "way back ", f"✓ room for {state.headroom:,} on {home}, {state.needed:,} would return", Tone.PLAIN


def _brief(frame: Frame, cells: int) -> list[Line]:
    sides = [join([_side(frame, arch, level) for arch in _archs(frame)], dim(" │ ")) for level in range(_LEVELS)]
    head, text, tone = _way_back(frame)
    back = line(dim(head), (text.replace("would return", "return"), tone))
    # What is cordoned stands beside its count already where it bars the way back: the reason has the room.
    troubles = _reading(frame, cells // 2) or ([] if tone is Tone.ALARM else _troubles(frame)[:1])
    return [next((s for s in sides if width(s) <= cells), sides[-1]), join([*troubles, back], "   ")]


_LEVELS = 3
"""All words, without the CPU, with the shortest words."""


def _side(frame: Frame, arch: Arch, level: int) -> Line:
    facts = frame.nodes.archs.get(arch, ArchFacts(arch))
    ready = _ready(frame, facts)
    count, *sick = _pods(frame, facts)
    cordoned: Part = (", all cordoned" if all_cordoned(facts) else "", Tone.CAUTION)
    cpu = f"  cpu {_used(frame, facts)}" if level == 0 else ""
    if level == _LEVELS - 1 and sick:
        sick = [(f" !{facts.pods_other}", Tone.CAUTION)]
    return line(f"{arch} ", strong(ready), " ready", cordoned, cpu, "  pods ", strong(count[0].strip()), *sick)
