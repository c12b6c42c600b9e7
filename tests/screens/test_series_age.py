"""Series that one of several servers has stopped renewing, while the source as a whole is live."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from cockpit.model.arch import Arch
from cockpit.model.series import Sample, Series
from cockpit.model.snapshot import SourceName
from cockpit.run.frame import Frame
from screens.present import latency, traffic
from screens.present.words import Line, plain, width
from tests.screens import factories as make

BEHIND = timedelta(minutes=15)


def aged(*signals: str) -> Frame:
    """The soaking frame, with arm64's series of these signals a quarter of an hour behind."""
    before = make.soaking()
    found = dict(before.snapshot.signals)
    for name in signals:
        samples = before.snapshot.signals[name, Arch.ARM64].samples
        found[name, Arch.ARM64] = Series(tuple(Sample(s.time - BEHIND, s.value) for s in samples))
    made = make.make(before.state, replace(before.snapshot, signals=found))
    assert made.snapshot.source(SourceName.METRICS).live
    return made


def text(rows: list[Line]) -> str:
    return "\n".join(plain(row) for row in rows)


@pytest.mark.parametrize("height", [3, 12])
def test_an_old_p99_has_its_age_beside_it_and_there_is_no_drift(height: int) -> None:
    frame = aged("latency_p99")
    shown = text(latency.rows(frame, 60, height))
    assert re.search(r"arm64 +\S+ ms +! 15 min old", shown)
    assert shown.count("old") == 1
    assert re.search(r"drift +…", shown)
    assert frame.latency
    assert (frame.latency.canary, frame.latency.drift) == (None, None)
    assert frame.latency.baseline is not None
    assert "old" not in text(latency.rows(make.soaking(), 60, height))


@pytest.mark.parametrize("height", [3, 12])
def test_old_requests_are_no_rate_and_no_share_and_say_so(height: int) -> None:
    shown = text(traffic.rows(aged("requests"), 60, height))
    assert re.search(r"observed +…", shown)
    assert re.search(r"… +! arm64 15 min old", shown)
    assert "req/s" not in shown


def test_another_judged_signal_that_is_old_says_so() -> None:
    rows = latency.rows(aged("error_rate"), 60, 12)
    assert re.search(r"error_rate +\S+ +! 15 min old +limit", text(rows))
    assert max(width(row) for row in latency.rows(aged("latency_p99"), 60, 12)) <= 60
