"""What decides where and how fast a workload's pods are put, beside affinity: spread constraints and the update strategy."""

from __future__ import annotations

from dataclasses import dataclass

from cockpit.model.json import Json


@dataclass(frozen=True, slots=True)
class Spread:
    """A topology spread constraint that refuses (`DoNotSchedule`): at most `skew` pods more in a domain than in the emptiest.

    `key` is the node label that names the domain, `selector` the label selector of the pods that count, as JSON. Fewer than
    `domains` domains count as if one were empty.
    """

    key: str
    skew: int
    selector: Json = None
    domains: int = 1
    honors_affinity: bool = True
    honors_taints: bool = False


@dataclass(frozen=True, slots=True)
class Strategy:
    """How a Deployment replaces its pods; `surge` and `unavailable` are pods, or percent as text (`25%`)."""

    recreate: bool = False
    surge: int | str = "25%"
    unavailable: int | str = "25%"


ROLLING = Strategy()
"""What a Deployment has that says nothing."""
