# ruff: noqa: E501 - messages stand here as they are printed
"""Faults of form in phases, gates and abort triggers: each with its exact line."""

from __future__ import annotations

import pytest

from tests.unit.playbook.base import broken

CASES: list[tuple[str, str, list[str]]] = [
    # phases
    ("soak: 15m", "soak: 15", ["33:11: phases[0].soak: 15 has no unit; write 15m for minutes, 15s for seconds or 15h for hours"]),
    (
        "soak: 15m",
        "soak: 1:30",
        [
            '33:11: phases[0].soak: unquoted 1:30 is 90 to YAML 1.1 (base 60); write "1:30" in quotes if text is meant; durations are like 1h30m'
        ],
    ),
    ("    soak: 15m\n", "", ["31:5: phases[0].soak: this key is missing; add it, like `soak: 15m`"]),
    (
        "amd64: 95}",
        "amd64: 095}",
        [
            '32:38: phases[0].set.weights.amd64: unquoted 095 is the number 95 to some readers of YAML and text to others; write "095" in quotes if text is meant, else 95'
        ],
    ),
    (
        "amd64: 95}",
        "amd64: 95%}",
        ['32:38: phases[0].set.weights.amd64: a whole number is due here, not "95%"; write a whole number from 0 to 999'],
    ),
    (
        "amd64: 95}",
        "amd64: 95.5}",
        ["32:38: phases[0].set.weights.amd64: a whole number is due here, not 95.5; write a whole number from 0 to 999"],
    ),
    (
        "amd64: 95}",
        "amd64: 1000}",
        ["32:38: phases[0].set.weights.amd64: 1000 is out of range; write a whole number from 0 to 999"],
    ),
    ("arm64: 5,", "arm64: -1,", ["32:28: phases[0].set.weights.arm64: -1 is out of range; write a whole number from 0 to 999"]),
    (
        "amd64: 95}",
        "amd64: true}",
        ["32:38: phases[0].set.weights.amd64: a whole number is due here, not true; write a whole number from 0 to 999"],
    ),
    ("arm64: 5, amd64: 95}", "arm64: 5}", ["32:11: phases[0].set.weights.amd64: this key is missing; add it, like `amd64: 95`"]),
    (
        "mode: required}",
        "mode: require}",
        [
            '43:46: phases[1].set.affinity.mode: "require" is not allowed here; write required (allowed: preferred, required or none)'
        ],
    ),
    (
        "mode: required}",
        "mode: preferred, weight: 0}",
        ["43:65: phases[1].set.affinity.weight: 0 is out of range; write a whole number from 1 to 100"],
    ),
    (
        "soak: 1h30m\n",
        "soak: 1h30m\n    promote: automatic\n",
        ['45:14: phases[1].promote: "automatic" is not allowed here; write auto (allowed: manual, auto or two_person)'],
    ),
    (
        "soak: 1h30m\n",
        "soak: 1h30m\n    on_abort: panic\n",
        ['45:15: phases[1].on_abort: "panic" is not allowed here; write hold or rollback'],
    ),
    (
        "set: {affinity: {workload: canary, mode: required}}",
        "set: {affinity: {workload: canary, mode: required}, replicas: 3}",
        ["43:57: phases[1].set.replicas: the lever replicas is not supported in this version; use weights or affinity"],
    ),
    # gates and triggers
    ("max_drift: 4%", "max_drift: 4", ["35:38: phases[0].gates[0].max_drift: 4 has no unit; write 4%"]),
    (
        "max_drift: 4%",
        "max_drift: 0.04",
        ["35:38: phases[0].gates[0].max_drift: 0.04 has no unit; write 4%, or 0.04% if that is meant"],
    ),
    (
        "max_drift: 4%",
        "maxDrift: 4%",
        [
            "35:9: phases[0].gates[0]: the signal has no limit here; add max, min or max_drift, like max_drift: 4%",
            "35:27: phases[0].gates[0].maxDrift: this key is unknown; did you mean max_drift?",
        ],
    ),
    (
        "max_drift: 4%",
        "max_drift: 4%, min_samples: 0",
        ["35:55: phases[0].gates[0].min_samples: 0 is out of range; write a whole number from 1 to 100,000"],
    ),
    (
        "max_drift: 4%",
        "max_drift: 4%, for: 1m",
        ["35:42: phases[0].gates[0].for: this key is unknown; the keys here are signal, max, min, max_drift and min_samples"],
    ),
    ("within: 2%", "within: 200%", ['38:35: phases[0].gates[3].within: "200%" is more than everything; write at most 100%']),
    ("within: 2%", "within: 2", ["38:35: phases[0].gates[3].within: 2 has no unit; write 2%"]),
    (
        "- {agents: ready}",
        "- {agents: crash_loop}",
        ['37:18: phases[0].gates[2].agents: "crash_loop" is not allowed here; write ready'],
    ),
    (
        "- {agents: ready}",
        "- {agent: ready}",
        ['37:9: phases[0].gates[2]: this is no gate that is known; did you mean agents for "agent"?'],
    ),
    (
        "- {agents: ready}",
        "- ready",
        [
            '37:9: phases[0].gates[2]: a mapping is due here, not "ready"; it has one of the keys signal, agents, native, share or rollback, like {signal: latency_p99, max_drift: 4%} or {agents: ready}'
        ],
    ),
    (
        "- {agents: ready}",
        "- {native: yes}",
        ['37:18: phases[0].gates[2].native: unquoted yes is true to YAML 1.1; write "yes" in quotes if text is meant, else true'],
    ),
    ("- {agents: ready}", "- {native: false}", ["37:18: phases[0].gates[2].native: false is not allowed here; write true"]),
    ("- {agents: ready}", "- {native: 1}", ["37:18: phases[0].gates[2].native: 1 is not allowed here; write true"]),
    ("for: 2m", "for: 2", ["40:48: phases[0].abort[0].for: 2 has no unit; write 2m for minutes, 2s for seconds or 2h for hours"]),
    (
        "[weights, affinity]",
        "[weights, affinity, replicas]",
        ['46:30: rollback.order[2]: "replicas" is not allowed here; write weights or affinity'],
    ),
]


@pytest.mark.parametrize(("old", "new", "lines"), CASES, ids=[f"{n}-{new.strip()[:30]}" for n, (_, new, _) in enumerate(CASES)])
def test_faults_of_form_in_phases(old: str, new: str, lines: list[str]) -> None:
    assert broken((old, new)) == lines
