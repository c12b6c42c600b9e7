"""What was measured, as a Markdown file: how, on what, the table, and where ours falls short."""

from __future__ import annotations

import inspect
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import tests.judging
from cockpit import __version__
from tests.judging.draws import Setting
from tests.judging.flown import SOON, Flown, Theirs

HEAD = ("noise", "windows", "drift", "runs", "caught 5 min", "30 min", "blocked", "of it aborted", "detected at the end")
RATE = 0.02
"""The most false alarms."""
POWER = 0.95
"""The least share of +10% that is caught within five minutes."""


@dataclass(frozen=True, slots=True)
class Point:
    """All soaks of a setting, judged."""

    setting: Setting
    flown: Sequence[Flown]

    def part(self, of: Callable[[Flown], bool]) -> float:
        """The share of soaks for which `of` holds."""
        return sum(map(of, self.flown)) / len(self.flown)

    @property
    def ours(self) -> tuple[float, ...]:
        """Caught within 5 minutes, within 30, blocked, aborted, detected."""
        soon, ever = self.part(lambda f: f.caught is not None and f.caught <= SOON), self.part(lambda f: f.caught is not None)
        return soon, ever, self.part(lambda f: f.blocked), self.part(lambda f: f.aborted), self.part(lambda f: f.detected)

    @property
    def theirs(self) -> tuple[float, ...]:
        """The same, but nothing aborts; blocked by High at any look."""
        soon, ever = (
            self._beside(lambda t: t.caught is not None and t.caught <= SOON),
            self._beside(lambda t: t.caught is not None),
        )
        return soon, ever, ever, 0.0, self._beside(lambda t: t.detected)

    def soon_at(self, confidence: float) -> float:
        """What Kayenta catches within five minutes with another confidence, in deviations."""
        return self._beside(lambda t: t.soon >= confidence)

    def confidence_for(self, alarms: float, of: Callable[[Theirs], float]) -> float:
        """The confidence, in deviations, with which Kayenta raises no more than this share of alarms; `of` is what it reached."""
        reached = sorted((of(f.theirs) for f in self.flown if f.theirs), reverse=True)
        return reached[min(len(reached) - 1, round(alarms * len(reached)))] + 1e-9

    def _beside(self, of: Callable[[Theirs], bool]) -> float:
        return self.part(lambda f: f.theirs is not None and of(f.theirs))


def report(points: Sequence[Point], untold: Sequence[Point], more: Point, seconds: float) -> str:
    """All of it."""
    parts = [_head(seconds), "## The curve\n\nOurs / Kayenta's as published, in percent.\n", _table(points)]
    parts += ["\n## Where ours is not at least as good, or misses a target\n", *_misses(points), _WHY]
    parts += ["## Kayenta with as few false alarms\n", _matched(points)]
    parts += ["\n## More runs where it is close\n", _more(more), _FLOOR]
    parts += ["## Queries that do not say how far they look back\n", _UNTOLD, _table(untold), ""]
    return "\n".join(parts)


_WHY = """
Where windows overlap, Kayenta's method as published catches more because it calls any canary High so often: see +0%.
"""
_MATCHED = """\
Overlapping windows; caught within five minutes, ours / Kayenta's with its interval at so many deviations instead of 2.3 that it
raises as many false alarms as ours. Within the soak that takes more deviations than 20 samples of a side can reach (5.4). The
few false alarms that the confidence is read off make it uncertain.
"""
_FLOOR = """
The estimate itself spreads by 1.8 points there (some 16 independent windows of a side in 30 minutes), so in 1.5% of healthy soaks
it ends above the 4% that the playbook allows. No judge that keeps to the limit blocks fewer, and an interval of less confidence
blocks the same ones.
"""
_UNTOLD = "Two minutes are assumed then, unless the samples' own autocorrelation shows less. Ours alone, in percent.\n"


def _head(seconds: float) -> str:
    core = next((f", {name}" for name in [_core()] if name), "")
    return f"""\
# How often the judge is wrong

Written by `python -m tests.judging > tests/judging/RESULTS.md` (seeded: the same code gives the same figures); do not edit.

- date: {datetime.now(UTC):%Y-%m-%d %H:%MZ}, {seconds / 60:.0f} minutes
- machine: {os.cpu_count()} cores, {platform.machine()}{core}
- versions: cutover-cockpit {__version__}, Python {platform.python_version()}; Kayenta's method stated again in `kayenta.py`

## What was measured, and what is good

{inspect.getdoc(tests.judging)}
"""


def _core() -> str:
    return platform.processor() if platform.processor() != platform.machine() else ""


def _table(points: Sequence[Point]) -> str:
    rows = [HEAD, ("---",) * len(HEAD), *(_row(point) for point in points)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(of: Point) -> tuple[str, ...]:
    beside = of.flown[0].theirs is not None
    cells = [f"{ours:.1%} / {theirs:.1%}" if beside else f"{ours:.1%}" for ours, theirs in zip(of.ours, of.theirs, strict=True)]
    if beside:
        cells[3] = f"{of.ours[3]:.1%}"
    return (*name(of.setting), str(len(of.flown)), *(cell.replace("%", "") for cell in cells))


def name(setting: Setting) -> tuple[str, str, str]:
    """A setting in words."""
    return f"{setting.noise:.0%}", "overlapping" if setting.overlapping else "independent", f"{setting.drift:+.0%}"


def _misses(points: Sequence[Point]) -> list[str]:
    found = [f"- {' '.join(name(point.setting))}: {words}" for point in points for words in _missed(point)]
    return found or ["None."]


def _missed(of: Point) -> list[str]:
    drift, ours, theirs = of.setting.drift, of.ours, of.theirs
    found = []
    if drift == 0 and ours[2] > RATE:
        found.append(f"blocked {ours[2]:.1%}, not {RATE:.0%} at most")
    if drift in (0, 0.02) and ours[2] > theirs[2]:
        found.append(f"blocked {ours[2]:.1%}, Kayenta {theirs[2]:.1%}")
    if drift > 0.04:
        pairs = zip(("within 5 minutes", "within 30"), ours, theirs, strict=False)
        found += [f"caught {when} {here:.1%}, Kayenta {there:.1%}" for when, here, there in pairs if here < there]
    if drift == 0.10 and ours[0] < POWER:
        found.append(f"caught within 5 minutes {ours[0]:.1%}, not {POWER:.0%}")
    return found


def _matched(points: Sequence[Point]) -> str:
    rows = []
    for calm in (p for p in points if p.setting.drift == 0 and p.setting.overlapping):
        of = [p for p in points if p.setting.noise == calm.setting.noise and p.setting.overlapping and p.setting.drift > 0.04]
        ways: tuple[tuple[str, float, Callable[[Theirs], float]], ...] = (
            ("five minutes", calm.ours[0], lambda t: t.soon),
            ("the soak", calm.ours[1], lambda t: t.ever),
        )
        for when, alarms, reached in ways:
            confidence = calm.confidence_for(alarms, reached)
            caught = ", ".join(f"{p.setting.drift:+.0%} {p.ours[0]:.1%} / {p.soon_at(confidence):.1%}" for p in of)
            rows.append(
                f"- {calm.setting.noise:.0%}, {alarms:.1%} false alarms within {when} ({confidence:.1f} deviations): {caught}"
            )
    return "\n".join((_MATCHED, *rows))


def _more(point: Point) -> str:
    share = point.ours[2]
    spread = 1.96 * (share * (1 - share) / len(point.flown)) ** 0.5
    where = f"{' '.join(name(point.setting))}, {len(point.flown)} runs"
    words = f"{where}: blocked {share:.1%} (95%: {share - spread:.1%}..{share + spread:.1%})"
    unsure = point.part(lambda f: f.caught is None and not f.passed)
    return f"{words}; a FAIL or an abort at some look {point.ours[1]:.1%}, never one but no PASS at the end {unsure:.1%}."
