"""Gates that a side without traffic would keep from ever passing, because its source says nothing of no traffic."""

from __future__ import annotations

from collections.abc import Iterator

from cockpit.playbook.semantics.signals import REQUESTS, is_cloudwatch
from cockpit.playbook.view import Finding, View


def silence(root: View) -> Iterator[Finding]:
    """CloudWatch has no data point of a target group without requests: no share can be observed while one has weight 0."""
    if not is_cloudwatch(root.get("metrics", "signals", REQUESTS)):
        return
    alone = False
    for phase in root.get("phases").items:
        weights = phase.get("set", "weights")
        if weights.there:
            alone = any(weights.get(arch).whole == 0 for arch in ("amd64", "arm64"))
        own = phase.get("gates")
        gates = own.items if own.there else root.get("defaults", "gates").items
        if alone and any(gate.has("share") for gate in gates):
            what = (
                "one target group has weight 0 here, and CloudWatch has no word for no requests: the share gate could never pass"
            )
            right = f"give this phase gates of its own without share, or take the signal {REQUESTS} from Prometheus"
            yield phase.get("gates").wrong(what, right)
