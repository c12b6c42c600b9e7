"""An event as a line on stdout, where others' logs and terminals read it."""

from __future__ import annotations

import json

import pytest

from cockpit.clock import ManualClock
from cockpit.headless import Output, line
from cockpit.model.plan import Write
from cockpit.run.logbook import Logbook

ODD = "\x9b31m\u202eevil\x7f password=hunter22222"


@pytest.mark.parametrize("output", Output)
def test_what_a_write_is_undone_by_shows_no_secret_and_nothing_that_acts_on_a_terminal(output: Output) -> None:
    logbook = Logbook(ManualClock(), "run", "ana", None)
    write = Write("weights", "ingress/x", {"text": ODD}, {"text": ODD}, {"after": {"text": ODD}}, {"part": [ODD]})
    logbook.intend(write)
    shown = line(logbook.events[0], output)
    assert "hunter" not in shown
    assert shown.isascii()
    assert shown.isprintable()
    if output is Output.JSON:
        assert "evil" in json.loads(shown)["detail"]["request"]["after"]["text"]


def test_the_event_itself_keeps_it_to_the_letter() -> None:
    logbook = Logbook(ManualClock(), "run", "ana", None)
    logbook.intend(Write("weights", "ingress/x", None, None, {"after": {"text": ODD}}, {}))
    assert logbook.events[0].as_json()["detail"] == {"request": {"after": {"text": ODD}}, "expects": {}}
