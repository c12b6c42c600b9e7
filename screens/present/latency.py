"""The panel of latency on both architectures with its limits, and of every other signal that is judged."""

from __future__ import annotations

from collections.abc import Iterator

from cockpit.model.arch import Arch
from cockpit.model.playbook import Check, Phase, SignalCheck
from cockpit.model.series import Series, middle
from cockpit.model.snapshot import SourceName
from cockpit.rules.limits import RECENT, say
from cockpit.rules.signals import Comparison
from cockpit.run.frame import Frame
from screens.present.sources import known, series_age, stale_age
from screens.present.spark import sparkline
from screens.present.words import UNKNOWN, Line, Part, Tone, dim, join, line, pad, strong

SOURCES = (SourceName.METRICS,)
FULL = 4
_LABEL = 12
_VALUE = 11


def rows(frame: Frame, cells: int, height: int) -> list[Line]:
    """Both sides with their trends on one scale, the drift beside its limits, the other signals; two rows when low."""
    if frame.latency is None:
        return [line(dim("the playbook defines no signal in seconds")), *others(frame)[: max(0, height - 1)]]
    if height < FULL:
        old = (stale_age(frame.snapshot, SourceName.METRICS), Tone.CAUTION)
        parts = [line(dim("drift "), *_drift(frame, 0), old), *others(frame, brief=True)]
        return [join(parts, dim(" │ ")), _sides(frame)]
    found = [_side(frame, arch, cells) for arch in _archs(frame)]
    return [*found, line(*pad(line(dim("drift")), _LABEL), *_drift(frame)), *others(frame)]


def _archs(frame: Frame) -> tuple[Arch, Arch]:
    return frame.playbook.target.to_arch, frame.playbook.target.from_arch


def _series(frame: Frame, signal: str, arch: Arch) -> list[float]:
    return [s.value for s in frame.snapshot.signals.get((signal, arch), Series()).standing]


def value(frame: Frame, signal: str, arch: Arch) -> str:
    """The median of the newest samples of a signal, `…` when none was read."""
    series = frame.snapshot.signals.get((signal, arch), Series())
    newest = middle(series.standing[-RECENT:])
    if newest is None or not known(frame.snapshot, SourceName.METRICS):
        return "no data" if series.error_is_no_data else UNKNOWN
    return say(newest, frame.playbook.signals[signal].unit)


def _side(frame: Frame, arch: Arch, cells: int) -> Line:
    name = frame.latency.signal if frame.latency else ""
    scale = [v for a in _archs(frame) for v in _series(frame, name, a)]
    old = _old(frame, name, arch, "  ")
    trend = sparkline(_series(frame, name, arch), max(0, min(30, cells - _LABEL - _VALUE - len(old[0]))), scale)
    return line(*pad(line(arch), _LABEL), *pad(line(strong(value(frame, name, arch))), _VALUE), old, dim(trend))


def _old(frame: Frame, signal: str, arch: Arch, after: str = "") -> Part:
    age = series_age(frame.snapshot, frame.playbook, signal, arch)
    return f"! {age}{after}" if age else "", Tone.CAUTION


def _sides(frame: Frame) -> Line:
    name = frame.latency.signal if frame.latency else ""
    here, there = _archs(frame)
    trend = sparkline(_series(frame, name, here), 20)
    parts: list[Line] = []
    for arch in (here, there):
        parts += [line(f"{arch} ", strong(value(frame, name, arch))), line(_old(frame, name, arch))]
    return line(*join([*(part for part in parts if part), line(dim(trend))], "  "))


def _drift(frame: Frame, room: int = _VALUE) -> Line:
    """`+2.6%   limit +4%   abort +10%`, the drift in the tone of the limit that it breaks."""
    comparison = frame.latency
    if comparison is None:
        return line()
    gate, abort = _limit(frame, comparison.signal, "gates"), _limit(frame, comparison.signal, "abort")
    drift, sign = _estimate(frame, comparison), _sign(frame, comparison.signal)
    tone, glyph = Tone.STRONG, ""
    if drift is not None and abort is not None and sign * drift > abort:
        tone, glyph = Tone.ALARM, "✗ "
    elif drift is not None and gate is not None and sign * drift > gate:
        tone, glyph = Tone.CAUTION, "! "
    text = UNKNOWN if drift is None else f"{glyph}{drift:+.1%}"
    limits = [f"limit {sign * gate:+.0%}"] if gate is not None else []
    limits += [f"abort {sign * abort:+.0%}"] if abort is not None else []
    return line(*pad(line((text, tone), "  "), room), dim("  ".join(limits)))


def _estimate(frame: Frame, of: Comparison) -> float | None:
    """The drift as the gate estimates it, so that one figure is told of one thing; of the medians where no gate does."""
    judged = (v for v in frame.gates if v.gate == f"{of.signal} drift" and v.evidence)
    return next((v.evidence.estimate for v in judged if v.evidence and v.evidence.estimate is not None), of.drift)


def _sign(frame: Frame, signal: str) -> int:
    """Which way a drift is for the worse."""
    return -1 if frame.playbook.signals[signal].better == "higher" else 1


def checked_phase(frame: Frame) -> Phase | None:
    """The phase whose limits are shown: the one that is set, else the first to come."""
    return frame.state.current(frame.playbook) or frame.state.following(frame.playbook)


def _checks(frame: Frame, signal: str, which: str) -> Iterator[SignalCheck]:
    phase = checked_phase(frame)
    found: tuple[Check, ...] = () if phase is None else phase.gates if which == "gates" else phase.abort
    return (c for c in found if isinstance(c, SignalCheck) and c.signal == signal)


def _limit(frame: Frame, signal: str, which: str) -> float | None:
    return next((c.max_drift for c in _checks(frame, signal, which) if c.max_drift is not None), None)


def others(frame: Frame, *, brief: bool = False) -> list[Line]:
    """The other signals that a gate judges: the value on the new architecture beside its limits."""
    phase = checked_phase(frame)
    first = frame.latency.signal if frame.latency else ""
    names = dict.fromkeys(c.signal for c in (phase.gates if phase else ()) if isinstance(c, SignalCheck) and c.signal != first)
    return [_other(frame, name, brief) for name in names if name in frame.playbook.signals]


def _other(frame: Frame, name: str, brief: bool) -> Line:
    here, _ = _archs(frame)
    unit = frame.playbook.signals[name].unit
    bounds = []
    for which, word in (("gates", "limit"), ("abort", "abort"))[: 1 if brief else 2]:
        for check in _checks(frame, name, which):
            bounds += [f"{word} {say(bound, unit)}" for bound in (check.max, check.min) if bound is not None]
            bounds += [f"{word} {_sign(frame, name) * check.max_drift:+.0%}"] if check.max_drift is not None else []
    head = pad(line(dim(f"{name} ")), 0 if brief else _LABEL)
    figure = pad(line(strong(value(frame, name, here)), "  "), 0 if brief else _VALUE)
    return line(*head, *figure, _old(frame, name, here, "  "), dim("  ".join(bounds)))
