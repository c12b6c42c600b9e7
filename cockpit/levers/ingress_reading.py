"""Reading what follows an Ingress: the rules of the load balancer and the targets behind them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from cockpit.connections.aws import Elb
from cockpit.errors import CockpitError
from cockpit.levers.weights_balance import Balance
from cockpit.model.arch import Arch

_NO_AWS = "the load balancer is not connected"


async def read_balance(elb: Elb | None, groups: Mapping[Arch, str], *, targets: bool, patience: float | None = None) -> Balance:
    """The rules that forward to the target groups and, when asked for, the targets; what AWS does not tell is not known.

    With `patience` the rules are not waited for longer than so many seconds of wall time.
    """
    if elb is None:
        return Balance((), None, _NO_AWS)
    try:
        async with asyncio.timeout(patience):
            rules = await elb.attached(tuple(groups.values()))
    except CockpitError as fault:
        return Balance((), None, str(fault))
    except TimeoutError:
        return Balance((), None, f"AWS did not answer within {patience:.0f} s")
    if not targets:
        return Balance(rules, None, "targets were not asked for")
    try:
        return Balance(rules, await elb.target_groups(groups))
    except CockpitError as fault:
        return Balance(rules, None, str(fault))
