"""How big a crowd is asked for, and what of that can be served."""

from __future__ import annotations

from dataclasses import dataclass

from cockpit.errors import UsageError

MOST_NODES, MOST_EVENTS = 20_000, 5_000
PODS_A_NODE, MOST_PODS_A_NODE = 30, 110
"""As at Kubernetes' published limit (150,000 on 5,000), and what it publishes as the most on one."""
POD_BYTES, LEAST_POD_BYTES, MOST_POD_BYTES = 6_000, 6_000, 64_000


@dataclass(frozen=True, slots=True)
class Size:
    """So many nodes and pods more, `events` changes of them a wall second, about `pod_bytes` bytes a pod."""

    nodes: int
    pods: int
    events: int = 0
    pod_bytes: int = POD_BYTES

    def check_agents(self, daemonsets: int, least: int) -> None:
        """UsageError when so many DaemonSets run more pods (`least`) on these nodes than there are to be."""
        if self.pods < least:
            why = f"the world's {daemonsets} DaemonSets alone run {least} on {self.nodes} nodes"
            raise UsageError(f"--pods {self.pods}: {why}; give {least} to {self.nodes * MOST_PODS_A_NODE}")


def asked(nodes: int | None, pods: int | None, events: int | None, pod_bytes: int | None) -> Size | None:
    """The size that these options ask for, None when none of them is given. UsageError names the option and its range."""
    if nodes is None:
        others = {"--pods": pods, "--events": events, "--pod-bytes": pod_bytes}
        for option, value in others.items():
            if value is not None:
                raise UsageError(f"{option} {value}: goes with --nodes, which says how many nodes there are (1 to {MOST_NODES})")
        return None
    _within("--nodes", nodes, 1, MOST_NODES)
    size = Size(
        nodes,
        nodes * PODS_A_NODE if pods is None else pods,
        events or 0,
        POD_BYTES if pod_bytes is None else pod_bytes,
    )
    _within("--pods", size.pods, nodes, nodes * MOST_PODS_A_NODE)
    _within("--events", size.events, 0, MOST_EVENTS)
    _within("--pod-bytes", size.pod_bytes, LEAST_POD_BYTES, MOST_POD_BYTES)
    return size


def _within(option: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise UsageError(f"{option} {value}: must be {low} to {high}")
