from __future__ import annotations

from dataclasses import replace

from cockpit.assembly import Connections
from cockpit.commands.looking import asked
from cockpit.model.playbook import Alb
from cockpit.model.signal import Prometheus
from cockpit.playbook.loader import find, load
from tests.factories import GROUPS, PLAYBOOK


def test_the_bundled_playbook_says_that_it_asks_aws_itself() -> None:
    asking, hint = asked(load(find("rehearsal")), Connections())
    assert asking == "asking AWS in ap-south-1, Prometheus prometheus.monitoring:9090"
    assert "asks AWS itself" in hint
    assert "serve-rehearsal" in hint


def test_a_playbook_of_ones_own_says_whom_it_asks_and_no_more() -> None:
    served = replace(
        PLAYBOOK,
        alb=Alb("ap-south-1", GROUPS, endpoint_url="http://127.0.0.1:5000"),
        prometheus=Prometheus("https://ana:secret@prometheus.example.com/prom"),
    )
    assert list(asked(served, Connections())) == ["asking AWS http://127.0.0.1:5000, Prometheus prometheus.example.com"]
