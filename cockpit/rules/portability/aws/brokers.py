"""MSK brokers. No API says which broker types can be ordered: what is known by rule is said, the rest is for a trial.

Source: Amazon MSK Developer Guide, "Broker types": M7g from Kafka 3.3.2 on, and for 2.8.2.tiered.
"""

from __future__ import annotations

from cockpit.model.audit import Mark
from cockpit.model.surfaces import Surface
from cockpit.rules.portability.aws.classes import Orderable, judge_class, needs_asking
from cockpit.rules.portability.aws.graviton import parse
from cockpit.rules.portability.aws.verdict import Verdict
from cockpit.rules.portability.aws.versions import key

FIRST = "3.3.2"
_TIERED = (2, 8, 2)
_SIZES = ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge")


def judge_brokers(class_: str, version: str) -> Verdict:
    """The verdict on a provisioned cluster with brokers of this type and Kafka of this version (`3.5.1`, `3.6.0.tiered`)."""
    engine = f"Kafka {version or '(version not told)'}"
    candidates = needs_asking(Surface.MSK, class_)
    parts = parse(class_)
    if not candidates or parts is None:
        return judge_class(Surface.MSK, class_, engine, None)
    if parts.size not in _SIZES:
        remedy = f"there are {_SIZES[0]} to {_SIZES[-1]}: choose one by load"
        return judge_class(Surface.MSK, class_, engine, Orderable(why="no such size", remedy=remedy))
    if version and key(version) < key(FIRST) and key(version)[:3] != _TIERED:
        remedy = f"upgrade Kafka to {FIRST} or later first"
        return judge_class(Surface.MSK, class_, engine, Orderable(why=f"before Kafka {FIRST}", remedy=remedy))
    why = "MSK has no API that says whether it is orderable here"
    return judge_class(Surface.MSK, class_, engine, Orderable(candidates[0], why, can_be_asked=False))


SERVERLESS = Verdict(Mark.PASS, "serverless: AWS chooses the processor")
"""The verdict on a serverless cluster."""
