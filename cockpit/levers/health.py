"""Looking again at the targets that a write gives more traffic to, right before it leaves."""

from __future__ import annotations

from collections.abc import Mapping

from cockpit.connections.aws import Elb
from cockpit.levers.weights_balance import demand_healthy
from cockpit.model.arch import Arch
from cockpit.model.plan import Write


async def demand_still_healthy(write: Write, elb: Elb | None, groups: Mapping[Arch, str]) -> None:
    """Impossible when a target group that `write` names as growing has no healthy target: retries may have taken minutes.

    A way back names none and asks nobody; nor does anybody without a load balancer.
    """
    more = write.request.get("healthy")
    if isinstance(more, list) and more and elb:
        growing = {arch: arn for arch, arn in groups.items() if arn in more}
        demand_healthy(write.target, [*growing.values()], await elb.target_groups(growing))
