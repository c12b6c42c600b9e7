"""The levers that a playbook's phases move."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from cockpit.assembly.options import Options
from cockpit.assembly.servers import Connections
from cockpit.model.playbook import Playbook

if TYPE_CHECKING:
    from cockpit.run.crew import AnyLever, Crew

Say = Callable[[str], None]


def crew(playbook: Playbook, servers: Connections, options: Options, run: str, on_retry: Say | None = None) -> Crew:
    """The levers that the playbook's phases move; one without its server is named as missing."""
    from cockpit.levers.affinity import AffinityLever, workloads_moved
    from cockpit.levers.ingress import IngressLever
    from cockpit.levers.weights import WeightsLever
    from cockpit.run.crew import Crew

    levers: dict[str, AnyLever] = {}
    moved = workloads_moved(playbook)
    if servers.kube and moved:
        levers["affinity"] = AffinityLever(servers.kube, moved, run, options.clock, dry_run=options.dry_run)
    if playbook.alb and playbook.alb.ingress:
        if servers.kube:
            home = playbook.target.namespace
            levers["weights"] = IngressLever(
                servers.kube, servers.elb, playbook.alb, home, run, options.clock, dry_run=options.dry_run
            )
    elif servers.elb and playbook.alb:
        levers["weights"] = WeightsLever(servers.elb, playbook.alb, options.clock, dry_run=options.dry_run, on_retry=on_retry)
    needed = {name for name, used in (("affinity", moved), ("weights", playbook.alb)) if used}
    # An Ingress is written through the cluster; without the load balancer only the proof is missing.
    through = {"weights": "affinity"} if playbook.alb and playbook.alb.ingress else {}
    lost = {name: servers.failures.get(through.get(name, name)) for name in sorted(needed)}
    sure = {name: servers.kube.sure for name in levers if servers.kube and name in ("affinity", *through)}
    return Crew(playbook, levers, {name: error for name, error in lost.items() if error}, sure)
