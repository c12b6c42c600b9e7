"""The panel of the traffic share: intended, configured and observed stay apart, each lever with how far it is proven."""

from __future__ import annotations

from collections.abc import Sequence

from cockpit.model.arch import Arch
from cockpit.model.plan import Proof, Reading
from cockpit.model.series import Series
from cockpit.model.snapshot import SourceName
from cockpit.rules.traffic import REQUESTS
from cockpit.run.frame import Frame
from screens.present.sources import known, series_age, stale_age
from screens.present.spark import sparkline
from screens.present.words import UNKNOWN, Line, Part, Tone, dim, join, line, pad, percent, strong

SOURCES = (SourceName.RULES, SourceName.TARGETS, SourceName.METRICS)
FULL = 5
WEIGHTS = "weights"
_LABEL = 12
_VALUE = 16


def rows(frame: Frame, cells: int, height: int) -> list[Line]:
    """The three layers under one another with the proof beside them; two rows when low."""
    others = [r for r in frame.readings if r.lever != WEIGHTS]
    if height < FULL:
        return _brief(frame, others)
    table = _shares(frame) if frame.playbook.alb else [line(dim("no load balancer: placement alone moves traffic"))]
    return [*table, _requests(frame, cells), *(row for r in others for row in _reading(r))]


def _shares(frame: Frame) -> list[Line]:
    weights = _weights(frame.readings)
    return [
        _row("intended", intended(frame), dim(f"share of {frame.playbook.target.to_arch}")),
        _row("configured", _configured(frame), proof(weights) if weights else dim("")),
        _row("observed", _observed(frame), _why(weights)),
    ]


def intended(frame: Frame) -> str:
    """The share that the phase means to have; `as before` while none is meant but what was before the run."""
    return "as before" if frame.traffic.intended is None else percent(frame.traffic.intended)


def _weights(readings: Sequence[Reading]) -> Reading | None:
    return next((r for r in readings if r.lever == WEIGHTS), None)


def _row(label: str, value: str, beside: Part) -> Line:
    return line(*pad(line(dim(label)), _LABEL), *pad(line(strong(value)), _VALUE), beside)


def _configured(frame: Frame) -> str:
    if not known(frame.snapshot, SourceName.RULES) or frame.traffic.configured is None:
        return UNKNOWN
    share = frame.traffic.configured_share
    if share is None:
        return "rules differ" if len(set(frame.traffic.configured.values())) > 1 else "no weights"
    return percent(share)


def _observed(frame: Frame) -> str:
    share, margin = frame.traffic.observed, frame.traffic.margin
    if share is None or not known(frame.snapshot, SourceName.METRICS):
        return UNKNOWN
    return f"{share:.1%}{'' if margin is None else f' ±{margin * 100:.1f}'}"


def _old(frame: Frame) -> Part | None:
    """Why there is no rate and no observed share: the newest requests of a side are too old."""
    ages = ((arch, series_age(frame.snapshot, frame.playbook, REQUESTS, arch)) for arch in Arch)
    return next(((f"! {arch} {age}", Tone.CAUTION) for arch, age in ages if age), None)


def proof(reading: Reading) -> Part:
    """Whether the intended value holds: `✓ proven`, `… unproven yet`, `✗ contradicted`."""
    glyph, tone = {
        Proof.PROVEN: ("✓", Tone.PLAIN),
        Proof.UNPROVEN: ("…", Tone.ADVISORY),
        Proof.CONTRADICTED: ("✗", Tone.ALARM),
    }[reading.proof]
    return f"{glyph} {reading.proof}", tone


def _why(reading: Reading | None) -> Part:
    if reading is None or not reading.why:
        return dim("")
    return reading.why, Tone.ALARM if reading.proof is Proof.CONTRADICTED else Tone.DIM


def _requests(frame: Frame, cells: int) -> Line:
    trend = sparkline(_totals(frame), max(0, min(24, cells - _LABEL - _VALUE)))
    return _row("requests", _rate(frame), _old(frame) or dim(trend))


def _rate(frame: Frame) -> str:
    if frame.traffic.rate is None or not known(frame.snapshot, SourceName.METRICS):
        return UNKNOWN
    return f"{frame.traffic.rate:,.0f} req/s"


def _totals(frame: Frame) -> list[float]:
    """Requests/s of both architectures together, oldest first, at the moments at which both are known."""
    cadence = frame.playbook.freshness_of(REQUESTS)
    every = cadence.every if cadence else 1.0
    totals: dict[int, dict[Arch, float]] = {}
    for arch in Arch:
        for sample in frame.snapshot.signals.get((REQUESTS, arch), Series()).samples:
            # The sides are asked one after the other: what belongs together is a moment apart.
            totals.setdefault(round(sample.time.timestamp() / every), {})[arch] = sample.value
    return [sum(totals[moment].values()) for moment in sorted(totals) if len(totals[moment]) == len(Arch)]


def _reading(reading: Reading) -> list[Line]:
    """Another lever's three layers: its placement in words."""
    found = [
        line(*pad(line(dim(reading.lever)), _LABEL), strong(reading.intended), "  ", proof(reading)),
        line(" " * _LABEL, dim("observed "), reading.observed or UNKNOWN),
    ]
    return [*found, line(" " * _LABEL, (reading.why, Tone.DIM))] if reading.why else found


def _brief(frame: Frame, others: Sequence[Reading]) -> list[Line]:
    old = stale_age(frame.snapshot, SourceName.METRICS)
    weights = _weights(frame.readings)
    first = join(
        [
            line(dim("intended "), strong(intended(frame))),
            line(dim("configured "), strong(_configured(frame)), " ", *([proof(weights)] if weights else [])),
            line(dim("observed "), strong(_observed(frame)), (old, Tone.CAUTION)),
        ],
        "  ",
    )
    load = line(strong(_rate(frame)), "  ", _old(frame) or dim(sparkline(_totals(frame), 16)))
    if not others:
        return [first if frame.playbook.alb else line(dim("no load balancer")), load]
    placed = [
        line(dim(f"{r.lever} "), strong(r.intended), " ", proof(r), dim(f"  {r.observed}" if r.observed else "")) for r in others
    ]
    return [first, *placed] if frame.playbook.alb else [*placed, load]
