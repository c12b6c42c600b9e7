# ruff: noqa: E501 - messages stand here as they are printed
"""Gates, abort triggers and rollback that make no sense: each with its exact line."""

from __future__ import annotations

import pytest

from cockpit.playbook import loads
from tests.unit.playbook.base import BASE, broken, errors

AGENTS = BASE[BASE.index("agents:\n") : BASE.index("phases:\n")]

CASES: list[tuple[str, str, list[str]]] = [
    # gates and triggers
    (
        "signal: latency, max_drift: 4%",
        "signal: latncy, max_drift: 4%",
        [
            '35:18: phases[0].gates[0].signal: the signal "latncy" is not defined; the signals are latency, errors, load and requests'
        ],
    ),
    (
        "signal: errors, max: 1%",
        "signal: err, max: 1%",
        ['41:18: phases[0].abort[1].signal: the signal "err" is not defined; the signals are latency, errors, load and requests'],
    ),
    (
        "signal: latency, max_drift: 4%",
        "signal: latency",
        ["35:9: phases[0].gates[0]: the signal has no limit here; add max, min or max_drift, like max_drift: 4%"],
    ),
    (
        "signal: latency, max_drift: 4%",
        "signal: latency, max: 0.25",
        ["35:32: phases[0].gates[0].max: 0.25 has no unit; write 0.25s or 250ms: the signal is in seconds"],
    ),
    (
        "signal: latency, max_drift: 4%",
        "signal: latency, max: 2%",
        ['35:32: phases[0].gates[0].max: "2%" is no time; write it like 120ms or 0.25s: the signal is in seconds'],
    ),
    ("signal: latency, max_drift: 4%", "signal: load, max: 80", ["35:29: phases[0].gates[0].max: 80 has no unit; write 80%"]),
    (
        "signal: latency, max_drift: 4%",
        "signal: requests, min: 5%",
        ['35:33: phases[0].gates[0].min: "5%" is no number; write a plain number: the signal\'s unit is requests_per_second'],
    ),
    (
        "signal: latency, max_drift: 4%",
        "signal: latency, min: 2s, max: 1500ms",
        ["35:32: phases[0].gates[0].min: min is above max: no value could be right; exchange them"],
    ),
    (
        AGENTS,
        "",
        ["35:18: phases[0].gates[2].agents: the playbook lists no agents; list the DaemonSets in agents, or remove this"],
    ),
    (
        AGENTS,
        "agents: []\n",
        ["36:18: phases[0].gates[2].agents: the playbook lists no agents; list the DaemonSets in agents, or remove this"],
    ),
    (
        AGENTS,
        AGENTS + AGENTS.splitlines(True)[1],
        ['30:16: agents[1].daemonset: "kube-system/aws-node" is already agents[0].daemonset; list each agent once'],
    ),
    (
        "    requests: {unit: requests_per_second",
        "    traffic: {unit: requests_per_second",
        [
            "38:17: phases[0].gates[3].share: the observed share is taken from the signal requests, which is not defined; define metrics.signals.requests with unit: requests_per_second"
        ],
    ),
    (
        "unit: requests_per_second",
        "unit: count",
        [
            "38:17: phases[0].gates[3].share: the observed share is taken from the signal requests, which is not in requests_per_second; write unit: requests_per_second in metrics.signals.requests"
        ],
    ),
    (
        "max_drift: 10%, for: 2m",
        "max_drift: 3.9%, for: 2m",
        [
            "40:38: phases[0].abort[0].max_drift: this aborts what the gate on latency (phases[0].gates[0]) lets pass up to 4%; write 4% or a looser limit, or make the gate stricter"
        ],
    ),
    (
        "signal: errors, max: 1%",
        "signal: errors, max: 0.05%",
        [
            "41:31: phases[0].abort[1].max: this aborts what the gate on errors (phases[0].gates[1]) lets pass up to 0.1%; write 0.1% or a looser limit, or make the gate stricter"
        ],
    ),
    (
        "for: 2m",
        "for: 16m",
        [
            "40:48: phases[0].abort[0].for: 16m is longer than the soak of phases[0] (15m); the trigger could not fire in time: shorten it, or soak longer"
        ],
    ),
    (
        "signal: latency, max_drift: 4%",
        "signal: latency, max_drift: 4%, min_samples: 61",
        [
            "35:55: phases[0].gates[0].min_samples: 61 samples, one every 15s, take longer than the soak of phases[0] (15m); write 60 or less, or soak longer"
        ],
    ),
    # rollback
    (
        "[weights, affinity]",
        "[weights]",
        [
            "46:10: rollback.order: phases[1] moves affinity, and no rollback would give it back; write the order of weights and affinity"
        ],
    ),
    (
        "[weights, affinity]",
        "[weights, affinity, weights]",
        ['46:30: rollback.order[2]: "weights" is already rollback.order[0]; list each lever once'],
    ),
]


@pytest.mark.parametrize(("old", "new", "lines"), CASES, ids=[f"{n}-{new.strip()[:30]}" for n, (_, new, _) in enumerate(CASES)])
def test_faults_of_meaning_in_judging(old: str, new: str, lines: list[str]) -> None:
    assert broken((old, new)) == lines


LONG = ("soak: 15m", "soak: 48h")


def test_no_more_is_asked_of_the_samples_than_is_kept_of_them() -> None:
    assert broken(LONG, ("for: 2m", "for: 25h")) == [
        "40:48: phases[0].abort[0].for: 25h is longer than samples are kept; the trigger could never fire: write at most 24h"
    ]
    assert broken(LONG, ("max_drift: 4%", "max_drift: 4%, min_samples: 5761")) == [
        "35:55: phases[0].gates[0].min_samples: 5761 samples, one every 15s, take longer than samples are kept (24h); "
        "write 5760 or less"
    ]


@pytest.mark.parametrize(
    ("every", "soak", "samples"),
    [("15s", "15m", 60), ("15s", "48h", 5760), ("1m", "15m", 15), ("15s", "0s", 1), ("15s", "10s", 1)],
)
def test_as_many_samples_may_be_asked_for_as_the_soak_gives(every: str, soak: str, samples: int) -> None:
    text = BASE.replace("example.com:9090\n", f"example.com:9090\n    every: {every}\n    stale_after: 5m\n")
    text = text.replace("soak: 15m", f"soak: {soak}").replace(", for: 2m", "")
    loads(text.replace("max_drift: 4%", f"max_drift: 4%, min_samples: {samples}"), "p.yaml")
    lines = errors(text.replace("max_drift: 4%", f"max_drift: 4%, min_samples: {samples + 1}"))
    assert len(lines) == 1
    assert f"write {samples} or less" in lines[0]


def test_limits_of_a_trigger_may_equal_those_of_its_gate() -> None:
    loads(BASE.replace("max_drift: 10%", "max_drift: 4%"), "p.yaml")


def test_floors_are_compared_the_other_way_round() -> None:
    edits = (
        ("signal: latency, max_drift: 4%", "signal: requests, min: 100"),
        ("signal: latency, max_drift: 10%, for: 2m", "signal: requests, min: 120"),
    )
    assert broken(*edits) == [
        "40:33: phases[0].abort[0].min: this aborts what the gate on requests (phases[0].gates[0]) lets pass down to 100; "
        "write 100 or a looser limit, or make the gate stricter"
    ]
    loads(BASE.replace(*edits[0]).replace(edits[1][0], "signal: requests, min: 80"), "p.yaml")


def test_defaults_are_checked_where_they_stand_and_against_the_phases_that_take_them() -> None:
    text = (
        BASE
        + "defaults:\n  gates: [{signal: nope, max: 1}, {signal: errors, max: 5%}]\n  abort: [{signal: errors, max: 1%, for: 2h}]\n"
    )
    assert errors(text) == [
        '48:20: defaults.gates[0].signal: the signal "nope" is not defined; the signals are latency, errors, load and requests',
        "49:33: defaults.abort[0].max: this aborts what the gate on errors (defaults.gates[1]) lets pass up to 5%; "
        "write 5% or a looser limit, or make the gate stricter",
        "49:42: defaults.abort[0].for: 2h is longer than the soak of phases[1] (1h30m); the trigger could not fire in time: shorten it, or soak longer",
    ]
